import { checkMountpoint } from '../mountpoint.ts';
import { done, notDone, unknownOutcome, type Outcome } from '../outcome.ts';
import type { PluginVolume } from '../plugin/answers.ts';
import type { VolumePlugin } from '../plugin/client.ts';
import type { Attachment, ConsumerId, VolumeReference } from '../volumes.ts';
import { warnOfSpelling } from './catalogue.ts';
import { release } from './detach.ts';
import { foreignHolderOf, isHiddenMount, isStillThere, ownMountOf } from '../held.ts';
import { errorOf, look, saidPath, volumeIn } from './look.ts';
import { mountIdOf } from './mount-id.ts';
import type { Setting } from './setting.ts';

/** One consumer's attach of one volume. */
interface Attempt {
  readonly plugin: VolumePlugin;
  readonly volume: VolumeReference;
  readonly consumer: ConsumerId;
  readonly others: readonly string[];
  readonly setting: Setting;
  /** Under which the driver mounts, or has mounted. */
  readonly mountId: string;
}

export async function attach(
  plugin: VolumePlugin,
  volume: VolumeReference,
  setting: Setting,
  consumer: ConsumerId,
  others: readonly string[] = [],
): Promise<Outcome<Attachment>> {
  const attempt = { plugin, volume, consumer, others, setting, mountId: mountIdOf(consumer) };
  const found = await look(plugin, volume.name);
  if (found.kind !== 'done') return found;
  if (found.value.kind === 'absent')
    return notDone(
      errorOf('not-found', volume, 'there is no such volume; create it first', found.value.says),
    );
  const present = volumeIn(found);
  if (present !== undefined) warnOfOthers(attempt, present);
  const held = await stillAttached(attempt, present);
  return held === undefined ? mount(attempt, present) : accept(held.attempt, held.path);
}

function warnOfOthers({ volume, setting, mountId }: Attempt, present: PluginVolume): void {
  warnOfSpelling(volume, present, setting.warn);
  const ours = new Set([mountId, ...setting.held.all(volume).map((own) => own.mountId)]);
  const foreign = (present.mounts ?? []).filter((id) => !ours.has(id));
  if (foreign.length === 0) return;
  const ids = foreign.map((id) => (id === '' ? '(no ID: dvdcli)' : id.slice(0, 12))).join(', ');
  const message = `somebody else on this host has it mounted too, under ${ids}; use one path to each volume`;
  setting.warn({ driver: volume.driver, volume: volume.name, message });
}

/** Where this consumer has the volume already; a second Mount would be counted by the driver. */
async function stillAttached(
  attempt: Attempt,
  present: PluginVolume | undefined,
): Promise<{ attempt: Attempt; path: string } | undefined> {
  const { volume, consumer, mountId } = attempt;
  const { held, mountTable } = attempt.setting;
  const own = held.of(volume, consumer);
  if (present?.mounts === undefined) {
    // Such a driver counts by name or not at all: the Mount of one consumer serves all of this process.
    const shared = own ?? held.all(volume)[0];
    if (shared === undefined || !isStillThere(mountTable(), shared)) return undefined;
    return { attempt: { ...attempt, mountId: shared.mountId }, path: shared.hostPath };
  }
  if (!present.mounts.includes(mountId)) return undefined;
  if (own !== undefined && isStillThere(mountTable(), own)) return { attempt, path: own.hostPath };
  const path = await heldPath(attempt, present);
  return path === undefined ? undefined : { attempt, path };
}

async function heldPath(
  { plugin, volume, mountId, setting }: Attempt,
  present: PluginVolume | undefined,
): Promise<string | undefined> {
  const candidate = await saidPath(plugin, volume.name, present);
  if (candidate === '') return undefined;
  const agreed =
    present?.mounts?.includes(mountId) === true ||
    ownMountOf(setting.mountTable(), candidate, volume.name) !== undefined;
  return agreed ? candidate : undefined;
}

async function mount(attempt: Attempt, present: PluginVolume | undefined): Promise<Outcome<Attachment>> {
  const { plugin, volume, mountId } = attempt;
  const mounted = await plugin.mount(volume.name, mountId);
  if (mounted.kind === 'done') {
    // Some drivers say where only when asked.
    const path = mounted.value === '' ? await saidPath(plugin, volume.name, undefined) : mounted.value;
    return accept(attempt, path, present?.mounts !== undefined);
  }
  if (mounted.kind === 'unknown' || mounted.error.code !== 'conflict') return mounted;
  // "Already mounted by this id": believed where the driver's own list or the mount table agrees.
  const path = await heldPath(attempt, volumeIn(await look(plugin, volume.name)));
  return path === undefined ? mounted : accept(attempt, path);
}

/**
 * Checks what the driver gave; what cannot be used is unmounted again with the same ID.
 * @param confirm the driver lists its mounts, so this one must be among them
 */
async function accept(attempt: Attempt, path: string, confirm = false): Promise<Outcome<Attachment>> {
  const { plugin, volume, consumer, setting, mountId } = attempt;
  const verdict = await checkMountpoint(path, setting.lookAt);
  if (verdict.kind === 'no-answer') {
    const message = `the file system at ${path} does not answer`;
    return unknownOutcome(errorOf('time-limit', volume, message));
  }
  const bad = verdict.kind === 'bad' ? verdict.why : await objection(attempt, verdict.path);
  if (bad !== undefined || verdict.kind === 'bad') {
    const undone = await release(plugin, volume, setting, consumer, attempt.others);
    if (undone.kind === 'done') setting.held.drop(volume, consumer);
    const error = errorOf('bad-mountpoint', volume, bad ?? '');
    return undone.kind === 'done' ? notDone(error) : unknownOutcome(error);
  }
  if (confirm) {
    const denied = await unconfirmed(attempt);
    if (denied !== undefined) return denied;
  }
  const hostPath = verdict.path;
  const mount = ownMountOf(setting.mountTable(), hostPath, volume.name);
  setting.held.add({ volume, consumer, hostPath, mount, mountId });
  return done({ kind: 'host-path', hostPath });
}

/** A driver that lists who mounts and leaves us out has given a path that nothing is mounted at. */
async function unconfirmed({ plugin, volume, mountId }: Attempt): Promise<Outcome<never> | undefined> {
  const after = await look(plugin, volume.name);
  if (after.kind !== 'done') return unknownOutcome(after.error);
  const mounts = volumeIn(after)?.mounts;
  if (mounts?.includes(mountId) === true) return undefined;
  const message = 'the driver said that it mounted it, and does not list the mount';
  return unknownOutcome(errorOf('bad-answer', volume, message));
}

/** Why a directory that exists is not this volume's, as far as this host shows it. */
async function objection({ plugin, volume, setting }: Attempt, path: string): Promise<string | undefined> {
  const table = setting.mountTable();
  const said = `the driver gave the mountpoint ${JSON.stringify(path)}`;
  const foreign = foreignHolderOf(table, path, volume, setting.held);
  if (foreign !== undefined)
    return `${said}, which is where volume ${foreign.name} of driver ${foreign.driver} is attached`;
  if (!path.split('/').includes(volume.name)) {
    const listed = await plugin.list();
    const owner =
      listed.kind === 'done'
        ? listed.value.find(({ name, mountpoint }) => name !== volume.name && mountpoint === path)
        : undefined;
    if (owner !== undefined) return `${said}, which by its own list is the one of volume ${owner.name}`;
  }
  return isHiddenMount(table, setting.otherMountTables(), path)
    ? `${said}, which is mounted in another mount namespace and not in this one: the driver's mounts must be shared (rshared)`
    : undefined;
}
