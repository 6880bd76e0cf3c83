/** Volumes that exist: made, described, removed. */
import type { VolumeSpec } from '@mesos-elasticsearch/contract';
import { mountInUse, mountsByName } from '../held.ts';
import { done, notDone, unknownOutcome, type Outcome } from '../outcome.ts';
import type { DriverDescription, EnsuredVolume, VolumeDescription, VolumeReference } from '../volumes.ts';
import { errorOf, kindOfProgram, pathOf, run, type Cli } from './cli.ts';

/**
 * Whether the driver has the volume: `get` must give its very name (a driver may ignore case), and only a list without
 * it says that there is none. A driver whose backend is ill must not look as if it had no volumes, whatever its words.
 */
export async function exists(cli: Cli, volume: VolumeReference): Promise<Outcome<boolean>> {
  const got = await run(cli, 'get', volume);
  if (got.kind === 'unknown') return got;
  if (got.kind === 'done' && got.value.toLowerCase() === volume.name.toLowerCase()) return done(true);
  if (got.kind === 'done' && got.value !== '')
    return unknownOutcome(errorOf('bad-answer', volume, 'dvdcli get answered for another one', got.value));
  if (got.kind === 'not-done' && !isDriversAnswer(got.error.code, got.error.driverMessage)) return got;
  const listed = await run(cli, 'list', { driver: volume.driver });
  return listed.kind === 'done' ? done(listed.value.split('\n').includes(volume.name)) : listed;
}

/** Not the program's, which did not reach the driver or was called wrongly. */
function isDriversAnswer(code: string, says: string | undefined): boolean {
  return code === 'not-found' || /^VolumeDriver\./.test(says ?? '');
}

export async function ensure(cli: Cli, volume: VolumeSpec): Promise<Outcome<EnsuredVolume>> {
  const flags: string[] = [];
  const original = (await kindOfProgram(cli)) !== 'ours';
  for (const [key, value] of Object.entries(volume.options)) {
    if (/[,=]/.test(key) || key === '' || value.includes(','))
      return notDone(
        errorOf('invalid', volume, `dvdcli cannot carry the option ${key}=${value}: it cuts at commas`),
      );
    if (original && value.includes('='))
      return notDone(
        errorOf(
          'invalid',
          volume,
          `the original dvdcli would cut the option ${key}=${value} at its second "="`,
        ),
      );
    flags.push(`--volumeopts=${key}=${value}`);
  }
  const there = await exists(cli, volume);
  if (there.kind !== 'done') return there;
  if (there.value) return done({ created: false });
  const created = await run(cli, 'create', volume, flags);
  if (created.kind === 'unknown') return created;
  if (created.kind === 'not-done' && created.error.code !== 'conflict') return created;
  const now = await exists(cli, volume);
  if (created.kind === 'not-done')
    // Somebody else was faster, if it is really there now.
    return now.kind === 'done' && now.value ? done({ created: false }) : created;
  if (now.kind !== 'done') return unknownOutcome(now.error);
  if (now.value) return done({ created: true });
  return unknownOutcome(errorOf('bad-answer', volume, 'dvdcli create was fine, and there is no such volume'));
}

/** No command tells the scope, so it counts as local; the list shows whether the driver is there at all. */
export async function describe(cli: Cli, driver: string): Promise<Outcome<DriverDescription>> {
  const listed = await run(cli, 'list', { driver });
  return listed.kind === 'done' ? done({ driver, scope: 'local' }) : listed;
}

export async function inspect(
  cli: Cli,
  volume: VolumeReference,
): Promise<Outcome<VolumeDescription | undefined>> {
  const there = await exists(cli, volume);
  if (there.kind !== 'done') return there;
  if (!there.value) return done(undefined);
  const path = await pathOf(cli, volume);
  if (path.kind !== 'done') return path;
  return done({ name: volume.name, driver: volume.driver, mountpoint: path.value });
}

export async function list(cli: Cli, driver: string): Promise<Outcome<readonly VolumeDescription[]>> {
  const listed = await run(cli, 'list', { driver });
  if (listed.kind !== 'done') return listed;
  const names = listed.value.split('\n').filter((name) => name !== '');
  return done(names.map((name) => ({ name, driver, mountpoint: undefined })));
}

/** Real drivers do remove a volume that is mounted, without a word; so it is looked for here first. */
export async function remove(cli: Cli, volume: VolumeReference): Promise<Outcome<void>> {
  const there = await exists(cli, volume);
  if (there.kind !== 'done') return there;
  if (!there.value) return done(undefined);
  const use = await useOf(cli, volume);
  if (use.kind !== 'done') return use;
  if (use.value !== undefined) return notDone(errorOf('in-use', volume, `it is not removed: ${use.value}`));
  const removed = await run(cli, 'remove', volume);
  if (removed.kind === 'unknown') return removed;
  const now = await exists(cli, volume);
  if (now.kind === 'done' && !now.value) return done(undefined);
  if (removed.kind === 'not-done') return removed;
  if (now.kind !== 'done') return unknownOutcome(now.error);
  return unknownOutcome(errorOf('bad-answer', volume, 'dvdcli remove was fine, and the driver still has it'));
}

/** What speaks against a removal, in words. */
async function useOf(cli: Cli, volume: VolumeReference): Promise<Outcome<string | undefined>> {
  const [own] = cli.held.all(volume);
  if (own !== undefined) return done(`it is attached at ${own.hostPath}`);
  const path = await pathOf(cli, volume);
  if (path.kind !== 'done') return path;
  const table = cli.mountTable();
  // A driver that names no place at all (REX-Ray) is judged by the volume's name in the mount table.
  const mounted =
    path.value === undefined
      ? mountsByName(table, volume, cli.held)[0]
      : mountInUse(table, path.value, volume.name, cli.otherMountTables());
  return done(mounted === undefined ? undefined : `${mounted} is mounted on this host`);
}
