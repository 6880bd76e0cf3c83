import type { VolumeSpec } from '@mesos-elasticsearch/contract';
import { checkMountpoint, type LookAt } from '../mountpoint.ts';
import { isMountPoint, mountsNamed, readMountTable, type MountEntry } from '../mount-table.ts';
import { isDriverName, isVolumeName } from '../names.ts';
import {
  done,
  notDone,
  unknownOutcome,
  VolumeError,
  type Outcome,
  type VolumeErrorCode,
} from '../outcome.ts';
import { serialized } from '../serialize.ts';
import type {
  Attachment,
  ConsumerId,
  DriverDescription,
  EnsuredVolume,
  VolumeCapabilities,
  VolumeDescription,
  VolumeReference,
  Volumes,
} from '../volumes.ts';
import { readPath, readRun } from './parse-output.ts';
import { runDvdcli } from './run-dvdcli.ts';
import { kindOf, type DvdcliKind } from './version.ts';

export interface DvdcliTimeLimits {
  readonly mountMs: number;
  readonly createMs: number;
  readonly otherMs: number;
}

export interface DvdcliOptions {
  /** Path or name of the program. */
  readonly program: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeLimits?: Partial<DvdcliTimeLimits>;
  readonly mountTable?: () => readonly MountEntry[];
  /** How a mountpoint is looked at; in this process unless told. */
  readonly lookAt?: LookAt;
}

/** Mesos kills the command after 120 s. */
const DEFAULT_TIME_LIMITS: DvdcliTimeLimits = { mountMs: 110_000, createMs: 110_000, otherMs: 60_000 };

/** Through the dvdcli command. It sends no mount ID, so the driver sees all its callers as one. */
export function dvdcliVolumes(options: DvdcliOptions): Volumes {
  const cli: Cli = {
    options,
    limits: { ...DEFAULT_TIME_LIMITS, ...options.timeLimits },
    mountTable: options.mountTable ?? readMountTable,
    holders: new Map(),
    kind: undefined,
  };
  return serialized({
    capabilities: CAPABILITIES,
    describe: (driver) => describe(cli, driver),
    ensure: (volume) => ensure(cli, volume),
    inspect: (volume) => inspect(cli, volume),
    list: (driver) => list(cli, driver),
    remove: (volume) => remove(cli, volume),
    attach: (volume, consumer) => attach(cli, volume, consumer),
    detach: (volume, consumer) => detach(cli, volume, consumer),
  });
}

const CAPABILITIES: VolumeCapabilities = {
  path: 'dvdcli',
  attachment: 'host-path',
  takesOptions: true,
  commaInOptionValues: false,
  refusesRemovalInUse: true,
  countsConsumers: false,
};

interface Cli {
  readonly options: DvdcliOptions;
  readonly limits: DvdcliTimeLimits;
  readonly mountTable: () => readonly MountEntry[];
  /** Which consumer has a volume; by driver and name. The one count there is on this path. */
  readonly holders: Map<string, { consumer: ConsumerId; hostPath: string }>;
  /** What the program says it is; asked once. */
  kind: Promise<DvdcliKind> | undefined;
}

const VERSION_LIMIT_MS = 10_000;

/** A program that does not say is taken for the original; that it cannot be started will show at the next call. */
function kindOfProgram(cli: Cli): Promise<DvdcliKind> {
  const { program, env } = cli.options;
  cli.kind ??= runDvdcli(program, ['version'], {
    limitMs: VERSION_LIMIT_MS,
    ...(env === undefined ? {} : { env }),
  }).then((result) => kindOf(result.stdout));
  return cli.kind;
}

function keyOf(volume: VolumeReference): string {
  return `${volume.driver}\0${volume.name}`;
}
function errorOf(
  code: VolumeErrorCode,
  volume: { driver: string; name?: string },
  message: string,
  says?: string,
): VolumeError {
  return new VolumeError(code, { driver: volume.driver, volume: volume.name, message, says });
}

/** One run; its trimmed standard output. */
async function run(
  cli: Cli,
  command: string,
  volume: { driver: string; name?: string },
  flags: readonly string[] = [],
): Promise<Outcome<string>> {
  if (!isDriverName(volume.driver) || (volume.name !== undefined && !isVolumeName(volume.name)))
    return notDone(errorOf('invalid', volume, 'this driver or volume name cannot be given to dvdcli'));
  if ((await kindOfProgram(cli)) === 'too-old')
    return notDone(
      errorOf(
        'unsupported',
        volume,
        `${cli.options.program} is older than 0.2.0, without get and list; update it`,
      ),
    );
  const limitMs =
    command === 'mount'
      ? cli.limits.mountMs
      : command === 'create'
        ? cli.limits.createMs
        : cli.limits.otherMs;
  const name = volume.name === undefined ? [] : [`--volumename=${volume.name}`];
  const argv = [command, `--volumedriver=${volume.driver}`, ...name, ...flags];
  const { env } = cli.options;
  const result = await runDvdcli(cli.options.program, argv, {
    limitMs,
    ...(env === undefined ? {} : { env }),
  });
  const meaning = readRun(result);
  if (meaning.kind === 'ok') return done(meaning.stdout);
  const message =
    meaning.code === 'time-limit'
      ? `${cli.options.program} ${command} did not end within ${limitMs} ms and was killed`
      : `${cli.options.program} ${command} failed`;
  const error = errorOf(meaning.code, volume, message, meaning.says === '' ? undefined : meaning.says);
  return meaning.certain ? notDone(error) : unknownOutcome(error);
}

/**
 * Whether the driver has the volume. Where `get` fails for a reason that does not sound like absence, the list
 * decides: a driver whose backend is ill must not look as if it had no volumes.
 */
async function exists(cli: Cli, volume: VolumeReference): Promise<Outcome<boolean>> {
  const got = await run(cli, 'get', volume);
  if (got.kind === 'done') return done(got.value !== '');
  if (got.kind === 'unknown') return got;
  if (got.error.code === 'not-found') return done(false);
  if (!/^VolumeDriver\./.test(got.error.driverMessage ?? '')) return got;
  const listed = await run(cli, 'list', { driver: volume.driver });
  return listed.kind === 'done' ? done(listed.value.split('\n').includes(volume.name)) : listed;
}

async function ensure(cli: Cli, volume: VolumeSpec): Promise<Outcome<EnsuredVolume>> {
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
  if (created.kind === 'done') return done({ created: true });
  if (created.error.code !== 'conflict') return created;
  const now = await exists(cli, volume);
  return now.kind === 'done' && now.value ? done({ created: false }) : created;
}

/** No command tells the scope, so it counts as local; the list shows whether the driver is there at all. */
async function describe(cli: Cli, driver: string): Promise<Outcome<DriverDescription>> {
  const listed = await run(cli, 'list', { driver });
  return listed.kind === 'done' ? done({ driver, scope: 'local' }) : listed;
}

async function inspect(cli: Cli, volume: VolumeReference): Promise<Outcome<VolumeDescription | undefined>> {
  const there = await exists(cli, volume);
  if (there.kind !== 'done') return there;
  if (!there.value) return done(undefined);
  const path = await pathOf(cli, volume);
  return done({ name: volume.name, driver: volume.driver, mountpoint: path });
}

/** Where the driver says it is mounted, or would be: rclone answers either way. */
async function pathOf(cli: Cli, volume: VolumeReference): Promise<string | undefined> {
  const path = await run(cli, 'path', volume);
  return path.kind === 'done' ? readPath(path.value) : undefined;
}

async function list(cli: Cli, driver: string): Promise<Outcome<readonly VolumeDescription[]>> {
  const listed = await run(cli, 'list', { driver });
  if (listed.kind !== 'done') return listed;
  const names = listed.value.split('\n').filter((name) => name !== '');
  return done(names.map((name) => ({ name, driver, mountpoint: undefined })));
}

async function remove(cli: Cli, volume: VolumeReference): Promise<Outcome<void>> {
  const there = await exists(cli, volume);
  if (there.kind !== 'done') return there;
  if (!there.value) return done(undefined);
  const holder = cli.holders.get(keyOf(volume));
  if (holder !== undefined)
    return notDone(errorOf('in-use', volume, `it is not removed: it is attached at ${holder.hostPath}`));
  const path = await pathOf(cli, volume);
  const table = cli.mountTable();
  // A driver that names no place at all (REX-Ray) is judged by the volume's name in the mount table.
  const mounted = path === undefined ? mountsNamed(table, volume.name)[0] : path;
  if (mounted !== undefined && isMountPoint(table, mounted))
    return notDone(errorOf('in-use', volume, `it is not removed: ${mounted} is mounted on this host`));
  const removed = await run(cli, 'remove', volume);
  if (removed.kind === 'done') return done(undefined);
  if (removed.kind === 'unknown') return removed;
  const now = await exists(cli, volume);
  return now.kind === 'done' && !now.value ? done(undefined) : removed;
}

async function attach(cli: Cli, volume: VolumeReference, consumer: ConsumerId): Promise<Outcome<Attachment>> {
  const holder = cli.holders.get(keyOf(volume));
  if (holder !== undefined && holder.consumer !== consumer)
    return notDone(
      errorOf('in-use', volume, `${holder.consumer} has it on this host; dvdcli cannot tell two users apart`),
    );
  // Without this, and the flag below, dvdcli's mount would create a missing volume, with no options.
  const there = await exists(cli, volume);
  if (there.kind !== 'done') return there;
  if (!there.value) return notDone(errorOf('not-found', volume, 'there is no such volume; create it first'));
  if (holder !== undefined) return accept(cli, volume, consumer, holder.hostPath);
  const mounted = await run(cli, 'mount', volume, ['--explicitcreate']);
  if (mounted.kind === 'done') return acceptOutput(cli, volume, consumer, mounted.value);
  if (mounted.error.code !== 'conflict') return mounted;
  // "Already mounted": by an earlier run of ours, for no other caller mounts without an ID. The mount table decides.
  const path = await pathOf(cli, volume);
  if (path === undefined || !isMountPoint(cli.mountTable(), path)) return mounted;
  return accept(cli, volume, consumer, path);
}

async function acceptOutput(
  cli: Cli,
  volume: VolumeReference,
  consumer: ConsumerId,
  stdout: string,
): Promise<Outcome<Attachment>> {
  if (!stdout.includes('\n')) return accept(cli, volume, consumer, stdout);
  return unknownOutcome(errorOf('bad-answer', volume, 'dvdcli mount printed more than one path', stdout));
}

async function accept(
  cli: Cli,
  volume: VolumeReference,
  consumer: ConsumerId,
  path: string,
): Promise<Outcome<Attachment>> {
  const verdict = await checkMountpoint(path, cli.options.lookAt);
  if (verdict.kind === 'fine') {
    cli.holders.set(keyOf(volume), { consumer, hostPath: verdict.path });
    return done({ kind: 'host-path', hostPath: verdict.path });
  }
  if (verdict.kind === 'no-answer')
    return unknownOutcome(errorOf('time-limit', volume, `the file system at ${path} does not answer`));
  const undone = await run(cli, 'unmount', volume);
  const error = errorOf('bad-mountpoint', volume, verdict.why);
  if (undone.kind !== 'done') return unknownOutcome(error);
  cli.holders.delete(keyOf(volume));
  return notDone(error);
}

async function detach(cli: Cli, volume: VolumeReference, consumer: ConsumerId): Promise<Outcome<void>> {
  const holder = cli.holders.get(keyOf(volume));
  if (holder !== undefined && holder.consumer !== consumer) return done(undefined);
  const unmounted = await run(cli, 'unmount', volume);
  const settled = unmounted.kind === 'not-done' ? await settle(cli, volume, unmounted) : unmounted;
  if (settled.kind !== 'done') return settled;
  cli.holders.delete(keyOf(volume));
  return done(undefined);
}

/** A refusal to unmount counts as done only where nothing is mounted. */
async function settle(
  cli: Cli,
  volume: VolumeReference,
  refused: Exclude<Outcome<string>, { kind: 'done' }>,
): Promise<Outcome<unknown>> {
  const says = refused.error.driverMessage ?? '';
  if (refused.error.code !== 'not-found' && !/not mounted/i.test(says)) return refused;
  const known = cli.holders.get(keyOf(volume))?.hostPath;
  const path = await pathOf(cli, volume);
  const table = cli.mountTable();
  const mounted = [known, path].some((place) => place !== undefined && isMountPoint(table, place));
  return mounted ? refused : done(undefined);
}
