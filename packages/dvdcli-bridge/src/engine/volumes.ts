import Docker from 'dockerode';
import {
  done,
  notDone,
  unknownOutcome,
  VolumeError,
  type Outcome,
  type VolumeErrorCode,
} from '../outcome.ts';
import { mountInUse } from '../held.ts';
import { mountsNamed, readMountTable, readOtherMountTables, type MountEntry } from '../mount-table.ts';
import { serialized } from '../serialize.ts';
import type {
  Attachment,
  DriverDescription,
  EnsuredVolume,
  VolumeCapabilities,
  VolumeDescription,
  VolumeReference,
  Volumes,
} from '../volumes.ts';
import type { VolumeSpec } from '@mesos-elasticsearch/contract';
import { describeDifferences, optionDifferences, type OptionDifference } from './compare-options.ts';
import { isContainerList, isVolume, isVolumeList } from './answers.ts';
import { engineFailure, type EngineCall } from './outcomes.ts';

export interface EngineOptions {
  /** One of the two. */
  readonly docker?: Docker;
  readonly socketPath?: string;
  /** Longer than the Engine itself waits for a driver (15 s to find it, then 120 s). */
  readonly limitMs?: number;
  /** What is mounted on the Engine's host; this one's unless told. */
  readonly mountTable?: () => readonly MountEntry[];
  /** Of the other mount namespaces there. */
  readonly otherMountTables?: () => readonly (readonly MountEntry[])[];
}

const DEFAULT_LIMIT_MS = 150_000;

/** Through the Docker Engine, which mounts a volume only while a container uses it. */
export function engineVolumes(options: EngineOptions): Volumes {
  const docker = options.docker ?? new Docker({ socketPath: options.socketPath ?? '/var/run/docker.sock' });
  const engine: Engine = {
    docker,
    limitMs: options.limitMs ?? DEFAULT_LIMIT_MS,
    mountTable: options.mountTable ?? readMountTable,
    otherMountTables: options.otherMountTables ?? readOtherMountTables,
  };
  return serialized({
    capabilities: CAPABILITIES,
    describe: (driver) => describeDriver(engine, driver),
    ensure: (volume) => ensure(engine, volume),
    async inspect(volume) {
      const found = await findForSure(engine, volume);
      return found.kind === 'done' ? done(found.value && describe(found.value)) : found;
    },
    list: (driver) => list(engine, driver),
    remove: (volume) => remove(engine, volume),
    attach: (volume) => attach(engine, volume),
    detach: (volume) => detach(engine, volume),
  });
}

const CAPABILITIES: VolumeCapabilities = {
  path: 'engine',
  attachment: 'container-mount',
  takesOptions: true,
  commaInOptionValues: true,
  refusesRemovalInUse: true,
  countsConsumers: true,
};

interface Engine {
  readonly docker: Docker;
  readonly limitMs: number;
  readonly mountTable: () => readonly MountEntry[];
  readonly otherMountTables: () => readonly (readonly MountEntry[])[];
}

/**
 * One call with its time limit; the Engine's refusals become outcomes, and so does an answer that is none.
 * The limit is kept here: the client does not tell of a connection that is cut within an answer.
 */
async function call<T>(
  engine: Engine,
  about: Omit<EngineCall, 'limitMs'>,
  send: (signal: AbortSignal) => Promise<T>,
  makesSense: (answer: unknown) => boolean = () => true,
): Promise<Outcome<T>> {
  const limit = new AbortController();
  const over = new Promise<never>((_, reject) => {
    limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error));
  });
  const timer = setTimeout(() => limit.abort(), engine.limitMs);
  try {
    const answer = await Promise.race([send(limit.signal), over]);
    if (makesSense(answer)) return done(answer);
    const message = `the Docker Engine's answer to ${about.doing} makes no sense`;
    return unknownOutcome(new VolumeError('bad-answer', { ...about, message }));
  } catch (error) {
    return engineFailure({ ...about, limitMs: engine.limitMs }, error);
  } finally {
    clearTimeout(timer);
  }
}

function errorOf(code: VolumeErrorCode, volume: VolumeReference, message: string): VolumeError {
  return new VolumeError(code, { driver: volume.driver, volume: volume.name, message });
}

async function find(
  engine: Engine,
  volume: VolumeReference,
): Promise<Outcome<Docker.VolumeInspectInfo | undefined>> {
  const about = { driver: volume.driver, volume: volume.name, doing: 'inspecting it' };
  // The client puts the name into the URL as it is.
  const handle = engine.docker.getVolume(encodeURIComponent(volume.name));
  const found = await call(
    engine,
    about,
    (abortSignal) => handle.inspect({ abortSignal }),
    (answer) => isVolume(answer) && answer.Name === volume.name,
  );
  if (found.kind === 'not-done' && found.error.code === 'not-found') return done(undefined);
  if (found.kind !== 'done' || isSameDriver(found.value.Driver, volume.driver)) return found;
  const message = `the Docker Engine has a volume of this name, but of driver ${found.value.Driver}, not ${volume.driver}`;
  return notDone(errorOf('conflict', volume, message));
}

/**
 * The Engine says 404 also for a volume whose driver it cannot ask; only a list shows which it was. Where an absence is
 * all that the answer rests on, it is asked for: a list costs 15 s wherever any driver of the Engine's is down.
 */
async function findForSure(
  engine: Engine,
  volume: VolumeReference,
): Promise<Outcome<Docker.VolumeInspectInfo | undefined>> {
  const found = await find(engine, volume);
  if (found.kind !== 'done' || found.value !== undefined) return found;
  const listed = await list(engine, volume.driver);
  return listed.kind === 'done' ? done(undefined) : listed;
}

/** The Engine writes a managed plugin's name with its tag. */
function isSameDriver(one: string, other: string): boolean {
  return one === other || one === `${other}:latest` || `${one}:latest` === other;
}

async function ensure(engine: Engine, volume: VolumeSpec): Promise<Outcome<EnsuredVolume>> {
  const found = await find(engine, volume);
  if (found.kind !== 'done') return found;
  if (found.value !== undefined) return existing(volume, found.value);
  const about = { driver: volume.driver, volume: volume.name, doing: 'creating it' };
  const created = await call(engine, about, (abortSignal) =>
    // The client's own createVolume repeats the options in the URL, where they end up in logs.
    dial(engine.docker, {
      path: '/volumes/create',
      method: 'POST',
      options: { Name: volume.name, Driver: volume.driver, DriverOpts: volume.options },
      abortSignal,
      statusCodes: { 200: true, 201: true },
    }),
  );
  if (created.kind !== 'done') return created;
  // The Engine answers 201 with an old volume too, which somebody else may have made in between.
  const made = await find(engine, volume);
  if (made.kind !== 'done') return made.kind === 'unknown' ? made : notDone(made.error);
  if (made.value === undefined)
    return unknownOutcome(
      errorOf('bad-answer', volume, 'the Docker Engine made it, and says that there is none'),
    );
  const differences = optionDifferences(volume.options, made.value.Options) ?? [];
  return differences.length === 0
    ? done({ created: true })
    : notDone(errorOf('conflict', volume, otherOptions(differences)));
}

/** What the Engine silently does with other options is nothing. */
function existing(volume: VolumeSpec, found: Docker.VolumeInspectInfo): Outcome<EnsuredVolume> {
  const differences = optionDifferences(volume.options, found.Options);
  if (differences === undefined) return done({ created: false, optionsUnknown: true });
  return differences.length === 0
    ? done({ created: false })
    : notDone(errorOf('conflict', volume, otherOptions(differences)));
}

function otherOptions(differences: readonly OptionDifference[]): string {
  const what = describeDifferences(differences);
  return `it exists with other options (${what}); ask for those or for none, or remove the volume`;
}

interface DialOptions {
  readonly path: string;
  readonly method: string;
  readonly options: unknown;
  readonly abortSignal: AbortSignal;
  readonly statusCodes: Readonly<Record<number, true>>;
}

function dial(docker: Docker, options: DialOptions): Promise<void> {
  const modem = docker.modem as {
    dial(options: DialOptions, callback: (error: Error | null) => void): void;
  };
  return new Promise((resolve, reject) => {
    modem.dial(options, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

async function list(engine: Engine, driver: string): Promise<Outcome<readonly VolumeDescription[]>> {
  const listed = await listRaw(engine, driver);
  return listed.kind === 'done' ? done(listed.value.map(describe)) : listed;
}

async function listRaw(
  engine: Engine,
  driver: string,
): Promise<Outcome<readonly Docker.VolumeInspectInfo[]>> {
  const about = { driver, doing: 'listing volumes' };
  const listed = await call(
    engine,
    about,
    (abortSignal) => engine.docker.listVolumes({ filters: { driver: [driver] }, abortSignal }),
    isVolumeList,
  );
  if (listed.kind !== 'done') return listed;
  // Both are null where there is nothing; a driver that is down shows in the warnings and nowhere else.
  const { Volumes: found, Warnings: warnings } = listed.value as {
    Volumes: Docker.VolumeInspectInfo[] | null;
    Warnings: string[] | null;
  };
  const warning = warnings?.find((text) => text.includes(driver));
  if (warning !== undefined) {
    const message = 'the Docker Engine could not ask the driver';
    return notDone(new VolumeError('driver-unavailable', { driver, message, says: warning }));
  }
  return done((found ?? []).filter((volume) => isSameDriver(volume.Driver, driver)));
}

function describe(volume: Docker.VolumeInspectInfo): VolumeDescription {
  // The library's type leaves out what the Engine gives since its API 1.29.
  const { CreatedAt: createdAt, Status: status } = volume as {
    CreatedAt?: string;
    Status?: Record<string, unknown> | null;
  };
  return {
    name: volume.Name,
    driver: volume.Driver,
    mountpoint: volume.Mountpoint === '' ? undefined : volume.Mountpoint,
    ...(createdAt === undefined || createdAt === '' ? {} : { createdAt }),
    ...(status === undefined || status === null ? {} : { status }),
  };
}

/** The Engine shows a driver's scope with its volumes only; one that has none yet counts as local. */
async function describeDriver(engine: Engine, driver: string): Promise<Outcome<DriverDescription>> {
  const listed = await listRaw(engine, driver);
  if (listed.kind !== 'done') return listed;
  const scope = listed.value.some((volume) => volume.Scope === 'global') ? 'global' : 'local';
  return done({ driver, scope });
}

async function remove(engine: Engine, volume: VolumeReference): Promise<Outcome<void>> {
  const found = await findForSure(engine, volume);
  if (found.kind !== 'done') return found;
  if (found.value === undefined) return done(undefined);
  const mounts = (found.value.Status as { Mounts?: unknown } | undefined)?.Mounts;
  if (Array.isArray(mounts) && mounts.length > 0)
    return notDone(errorOf('in-use', volume, `it is not removed: the driver says it is mounted`));
  const users = await containersOf(engine, volume, 'all');
  if (users.kind !== 'done') return users;
  if (users.value.length > 0)
    return notDone(errorOf('in-use', volume, `it is not removed: ${namesOf(users.value)} has it`));
  const place = found.value.Mountpoint;
  const mounted =
    place === ''
      ? mountsNamed(engine.mountTable(), volume.name)[0]
      : mountInUse(engine.mountTable(), place, volume.name, engine.otherMountTables());
  if (mounted !== undefined)
    return notDone(errorOf('in-use', volume, `it is not removed: ${mounted} is mounted on this host`));
  const about = { driver: volume.driver, volume: volume.name, doing: 'removing it' };
  const handle = engine.docker.getVolume(encodeURIComponent(volume.name));
  const removed = await call(engine, about, (abortSignal) => handle.remove({ abortSignal }));
  if (removed.kind === 'unknown') return removed;
  const now = await findForSure(engine, volume);
  if (now.kind === 'done' && now.value === undefined) return done(undefined);
  if (removed.kind === 'not-done') return removed;
  if (now.kind !== 'done') return unknownOutcome(now.error);
  return unknownOutcome(
    errorOf('bad-answer', volume, 'the Docker Engine said that it removed it, and still has it'),
  );
}

async function attach(engine: Engine, volume: VolumeReference): Promise<Outcome<Attachment>> {
  const found = await find(engine, volume);
  if (found.kind !== 'done') return found;
  if (found.value === undefined)
    return notDone(errorOf('not-found', volume, 'there is no such volume; create it first'));
  return done({ kind: 'container-mount', driver: volume.driver, source: volume.name });
}

/** The Engine unmounts by itself when the last container that uses the volume has stopped. */
async function detach(engine: Engine, volume: VolumeReference): Promise<Outcome<void>> {
  const users = await containersOf(engine, volume, 'mounting');
  if (users.kind !== 'done') return users;
  if (users.value.length === 0) return done(undefined);
  return notDone(errorOf('in-use', volume, `${namesOf(users.value)} still uses it; stop that first`));
}

/** A container that was created or has exited refers to its volumes, but does not have them mounted. */
const NOT_MOUNTING = new Set(['created', 'exited', 'dead']);

async function containersOf(
  engine: Engine,
  volume: VolumeReference,
  which: 'all' | 'mounting',
): Promise<Outcome<readonly Docker.ContainerInfo[]>> {
  const about = { driver: volume.driver, volume: volume.name, doing: 'listing its containers' };
  const listed = await call(
    engine,
    about,
    (abortSignal) =>
      engine.docker.listContainers({ all: true, filters: { volume: [volume.name] }, abortSignal }),
    isContainerList,
  );
  if (listed.kind !== 'done') return listed;
  const users = listed.value;
  // Who answers with others has not said that nobody has it.
  const fits = users.every(({ Mounts: mounts }) => mounts.some((mount) => mount.Name === volume.name));
  if (!fits)
    return unknownOutcome(
      errorOf('bad-answer', volume, 'the Docker Engine was asked for its containers, and listed others'),
    );
  return done(which === 'all' ? users : users.filter(({ State: state }) => !NOT_MOUNTING.has(state)));
}

function namesOf(containers: readonly Docker.ContainerInfo[]): string {
  return `container ${containers.map((container) => container.Names[0]?.slice(1) ?? container.Id).join(', ')}`;
}
