import { isMountPoint } from '../mount-table.ts';
import { done, notDone, type Outcome } from '../outcome.ts';
import type { VolumePlugin } from '../plugin/client.ts';
import type { ConsumerId, VolumeReference } from '../volumes.ts';
import { mountOf } from '../held.ts';
import { errorOf, look, volumeIn } from './look.ts';
import { mountIdOf } from './mount-id.ts';
import type { Setting } from './setting.ts';

export async function detach(
  plugin: VolumePlugin,
  volume: VolumeReference,
  setting: Setting,
  consumer: ConsumerId,
  others: readonly string[] = [],
): Promise<Outcome<void>> {
  const released = await release(plugin, volume, setting, consumer, others);
  if (released.kind === 'done') setting.held.drop(volume, consumer);
  return released;
}

/** Drivers count a repeated Mount, and a lost Mount may have been repeated. */
const MOST_UNMOUNTS = 16;

/** Unmounts until the driver no longer has it under this consumer's ID, or, where it does not tell, until nothing is mounted. */
export async function release(
  plugin: VolumePlugin,
  volume: VolumeReference,
  setting: Setting,
  consumer: ConsumerId,
  others: readonly string[],
): Promise<Outcome<void>> {
  const own = setting.held.of(volume, consumer);
  const id = own?.mountId ?? mountIdOf(consumer);
  for (let turn = 0; turn < MOST_UNMOUNTS; turn += 1) {
    const found = await look(plugin, volume.name);
    if (found.kind !== 'done') return found;
    const mounts = volumeIn(found)?.mounts;
    if (mounts === undefined) {
      // One Mount serves all consumers of this process, where the driver cannot tell them apart.
      if (setting.held.all(volume).some((other) => other.consumer !== consumer)) return done(undefined);
      if (others.length > 0) {
        // Nor does it those of other processes: its Unmount may take the one mount from them. The last of them sees it end.
        const mounted = await whereMounted(plugin, volume, consumer, setting);
        if (mounted.kind !== 'done') return mounted;
        if (mounted.value !== undefined) return done(undefined);
      }
      const settled = await settle(plugin, volume, consumer, await plugin.unmount(volume.name, id), setting);
      if (settled !== 'again') return settled;
      continue;
    }
    if (!mounts.includes(id))
      return mounts.length > 0 ? done(undefined) : goneFrom(volume, consumer, setting);
    const unmounted = await plugin.unmount(volume.name, id);
    if (unmounted.kind !== 'done') return unmounted;
  }
  return notDone(errorOf('in-use', volume, `it is still mounted after ${MOST_UNMOUNTS} unmounts`));
}

/** The driver lists nobody: the mount table must not say otherwise. */
function goneFrom(
  volume: VolumeReference,
  consumer: ConsumerId,
  { held, mountTable }: Setting,
): Outcome<void> {
  const own = held.of(volume, consumer);
  if (own?.mount === undefined || !isMountPoint(mountTable(), own.mount.mountPoint)) return done(undefined);
  const message = `the driver says that nobody has it mounted, but ${own.mount.mountPoint} is`;
  return notDone(errorOf('in-use', volume, message));
}

/** A driver that does not tell who mounts: the mount table decides what its answer to Unmount is worth. */
async function settle(
  plugin: VolumePlugin,
  volume: VolumeReference,
  consumer: ConsumerId,
  unmounted: Outcome<void>,
  setting: Setting,
): Promise<Outcome<void> | 'again'> {
  if (unmounted.kind === 'unknown') return unmounted;
  const says = unmounted.kind === 'not-done' ? unmounted.error : undefined;
  const plain =
    says === undefined || says.code === 'not-found' || /not mounted/i.test(says.driverMessage ?? '');
  if (!plain) return unmounted;
  const mounted = await whereMounted(plugin, volume, consumer, setting);
  if (mounted.kind !== 'done') return unmounted.kind === 'done' ? mounted : unmounted;
  if (mounted.value === undefined) return done(undefined);
  // It counts Mounts by the volume's name, and one more is open: of a retry, or of a time before a restart.
  return unmounted.kind === 'done' ? 'again' : unmounted;
}

async function whereMounted(
  plugin: VolumePlugin,
  volume: VolumeReference,
  consumer: ConsumerId,
  { held, mountTable }: Setting,
): Promise<Outcome<string | undefined>> {
  const own = held.of(volume, consumer);
  const path = await plugin.path(volume.name);
  if (path.kind === 'unknown') return path;
  const said = path.kind === 'done' ? path.value : '';
  return done(mountOf(mountTable(), volume, { own, said, held }));
}
