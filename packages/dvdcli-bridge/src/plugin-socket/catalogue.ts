/** Volumes that exist: made, described, removed. */
import { done, notDone, unknownOutcome, type Outcome } from '../outcome.ts';
import type { PluginVolume } from '../plugin/answers.ts';
import type { VolumePlugin } from '../plugin/client.ts';
import type { EnsuredVolume, VolumeDescription, VolumeReference } from '../volumes.ts';
import { mountInUse, mountsByName } from '../held.ts';
import { errorOf, look, volumeIn } from './look.ts';
import type { Setting } from './setting.ts';

export async function ensure(
  plugin: VolumePlugin,
  volume: VolumeReference,
  options: Readonly<Record<string, string>>,
  setting: Setting,
): Promise<Outcome<EnsuredVolume>> {
  const before = await look(plugin, volume.name);
  if (before.kind !== 'done') return before;
  if (before.value.kind === 'present') {
    warnOfExisting(volume, before.value.volume, options, setting);
    return done(existing(options));
  }
  const created = await plugin.create(volume.name, options);
  if (created.kind === 'unknown') return created;
  if (created.kind === 'not-done' && created.error.code !== 'conflict') return created;
  const after = await look(plugin, volume.name);
  if (created.kind === 'not-done')
    // Somebody else was faster, if it is really there now.
    return volumeIn(after) === undefined ? created : done(existing(options));
  if (after.kind !== 'done') return unknownOutcome(after.error);
  if (after.value.kind !== 'absent') return done({ created: true });
  const message = 'the driver said that it made the volume, and says that there is none';
  return unknownOutcome(errorOf('bad-answer', volume, message, after.value.says));
}

function existing(options: Readonly<Record<string, string>>): EnsuredVolume {
  return Object.keys(options).length === 0 ? { created: false } : { created: false, optionsUnknown: true };
}

function warnOfExisting(
  volume: VolumeReference,
  present: PluginVolume,
  options: Readonly<Record<string, string>>,
  { warn }: Setting,
): void {
  const { driver, name } = volume;
  warnOfSpelling(volume, present, warn);
  const given = Object.keys(options);
  if (given.length === 0) return;
  const message = `it exists already; whether it was made with ${given.join(', ')} the driver does not tell`;
  warn({ driver, volume: name, message });
}

/** Drivers that ignore case make one volume of two names. */
export function warnOfSpelling(volume: VolumeReference, present: PluginVolume, warn: Setting['warn']): void {
  if (present.spelled === volume.name) return;
  const message = `the driver calls it ${present.spelled}: names that differ only in case are one volume there`;
  warn({ driver: volume.driver, volume: volume.name, message });
}

export async function inspect(
  plugin: VolumePlugin,
  volume: VolumeReference,
): Promise<Outcome<VolumeDescription | undefined>> {
  const found = await look(plugin, volume.name);
  if (found.kind !== 'done') return found;
  if (found.value.kind === 'unsupported')
    return notDone(errorOf('unsupported', volume, 'the driver can neither get nor list volumes'));
  return done(found.value.kind === 'absent' ? undefined : describe(found.value.volume, volume.driver));
}

export async function list(
  plugin: VolumePlugin,
  driver: string,
): Promise<Outcome<readonly VolumeDescription[]>> {
  const listed = await plugin.list();
  return listed.kind === 'done' ? done(listed.value.map((volume) => describe(volume, driver))) : listed;
}

function describe(volume: PluginVolume, driver: string): VolumeDescription {
  const { name, mountpoint, createdAt, status } = volume;
  return {
    name,
    driver,
    mountpoint: mountpoint === '' ? undefined : mountpoint,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(status === undefined ? {} : { status }),
  };
}

/** Real drivers do remove a volume that is mounted, without a word; so it is looked for here first. */
export async function remove(
  plugin: VolumePlugin,
  volume: VolumeReference,
  setting: Setting,
): Promise<Outcome<void>> {
  const found = await look(plugin, volume.name);
  if (found.kind !== 'done') return found;
  if (found.value.kind === 'absent') return done(undefined);
  const use = await useOf(plugin, volume, volumeIn(found), setting);
  if (use.kind !== 'done') return use;
  if (use.value !== undefined) return notDone(errorOf('in-use', volume, `it is not removed: ${use.value}`));
  const removed = await plugin.remove(volume.name);
  if (removed.kind === 'unknown') return removed;
  const after = await look(plugin, volume.name);
  if (after.kind === 'done' && after.value.kind === 'absent') return done(undefined);
  if (removed.kind === 'not-done') return removed;
  if (after.kind !== 'done') return unknownOutcome(after.error);
  if (after.value.kind === 'unsupported') return done(undefined);
  return unknownOutcome(
    errorOf('bad-answer', volume, 'the driver said that it removed it, and still has it'),
  );
}

/** What speaks against a removal, in words. */
async function useOf(
  plugin: VolumePlugin,
  volume: VolumeReference,
  present: PluginVolume | undefined,
  { held, mountTable, otherMountTables }: Setting,
): Promise<Outcome<string | undefined>> {
  if (present?.mounts !== undefined && present.mounts.length > 0)
    return done(`the driver says it is mounted ${present.mounts.length} times`);
  const [own] = held.all(volume);
  if (own !== undefined) return done(`it is attached at ${own.hostPath}`);
  const path = await plugin.path(volume.name);
  // A driver that does not answer may have it mounted.
  if (path.kind === 'unknown') return path;
  const said = [present?.mountpoint ?? '', path.kind === 'done' ? path.value : ''].filter((x) => x !== '');
  const table = mountTable();
  const others = said.length === 0 ? [] : otherMountTables();
  const mounted =
    said.map((place) => mountInUse(table, place, volume.name, others)).find((place) => place !== undefined) ??
    (said.length === 0 && present?.mounts === undefined ? mountsByName(table, volume, held)[0] : undefined);
  return done(mounted === undefined ? undefined : `${mounted} is mounted on this host`);
}
