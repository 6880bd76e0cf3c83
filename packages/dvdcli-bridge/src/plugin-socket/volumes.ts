import { checkMountpoint, type LookAt } from '../mountpoint.ts';
import { isMountPoint, isUnder, mountNamedAfter, readMountTable, type MountEntry } from '../mount-table.ts';
import {
  done,
  notDone,
  unknownOutcome,
  VolumeError,
  type Outcome,
  type VolumeErrorCode,
} from '../outcome.ts';
import { classify, type GetAnswer, type PluginVolume } from '../plugin/answers.ts';
import { volumePlugin, type PluginTimeLimits, type VolumePlugin } from '../plugin/client.ts';
import { serialized } from '../serialize.ts';
import type {
  Attachment,
  ConsumerId,
  EnsuredVolume,
  VolumeCapabilities,
  VolumeDescription,
  VolumeReference,
  Volumes,
} from '../volumes.ts';
import { mountIdOf } from './mount-id.ts';

export interface PluginSocketOptions {
  /** In the order in which they are searched; Docker's own unless told. */
  readonly directories?: readonly string[];
  readonly timeLimits?: Partial<PluginTimeLimits>;
  readonly mountTable?: () => readonly MountEntry[];
  /** How a mountpoint is looked at; in this process unless told. */
  readonly lookAt?: LookAt;
}

/** Straight to the driver's socket: the only path on which the driver learns who mounts. */
export function pluginSocketVolumes(options: PluginSocketOptions = {}): Volumes {
  const plugins = new Map<string, VolumePlugin>();
  const pluginFor = (driver: string): VolumePlugin => {
    const known = plugins.get(driver) ?? volumePlugin({ driver, ...options });
    plugins.set(driver, known);
    return known;
  };
  const state: AttachState = {
    attached: new Map(),
    mountTable: options.mountTable ?? readMountTable,
    lookAt: options.lookAt,
  };
  return serialized({
    capabilities: CAPABILITIES,
    ensure: (volume) => ensure(pluginFor(volume.driver), volume, volume.options),
    inspect: (volume) => inspect(pluginFor(volume.driver), volume),
    list: (driver) => list(pluginFor(driver), driver),
    remove: (volume) => remove(pluginFor(volume.driver), volume, state),
    attach: (volume, consumer) => attach(pluginFor(volume.driver), volume, consumer, state),
    detach: (volume, consumer) => detach(pluginFor(volume.driver), volume, consumer, state),
  });
}

const CAPABILITIES: VolumeCapabilities = {
  path: 'plugin-socket',
  attachment: 'host-path',
  takesOptions: true,
  commaInOptionValues: true,
  refusesRemovalInUse: true,
  countsConsumers: true,
};

interface AttachState {
  /** By driver, volume and consumer: the answer that Mount gave. Get's may differ from it (REX-Ray's does). */
  readonly attached: Map<string, OwnAttachment>;
  readonly mountTable: () => readonly MountEntry[];
  readonly lookAt: LookAt | undefined;
}
interface OwnAttachment {
  readonly volumeKey: string;
  readonly hostPath: string;
  /** Under which the driver was asked to mount; not the consumer's own where it joined another's mount. */
  readonly mountId: string;
  /** It was a mount then; a plain directory never is one. */
  readonly isMount: boolean;
}

function volumeKeyOf(volume: VolumeReference): string {
  return `${volume.driver}\0${volume.name}`;
}
function keyOf(volume: VolumeReference, consumer: ConsumerId): string {
  return `${volumeKeyOf(volume)}\0${consumer}`;
}
function errorOf(
  code: VolumeErrorCode,
  volume: VolumeReference,
  message: string,
  says?: string,
): VolumeError {
  return new VolumeError(code, { driver: volume.driver, volume: volume.name, message, says });
}

/**
 * Get; and List where the driver has no Get, or where Get's error does not sound like a missing volume: a driver
 * whose backend is ill must not look as if it had no volumes.
 */
async function look(plugin: VolumePlugin, name: string): Promise<Outcome<GetAnswer>> {
  const got = await plugin.get(name);
  if (got.kind !== 'done' || got.value.kind === 'present') return got;
  const plain =
    got.value.kind === 'absent' && (got.value.certain || classify(got.value.says) === 'not-found');
  if (plain) return got;
  const listed = await plugin.list();
  if (listed.kind !== 'done')
    return got.value.kind === 'unsupported' && listed.error.code === 'unsupported' ? got : listed;
  const volume = listed.value.find((other) => other.name === name);
  return done(
    volume === undefined
      ? { kind: 'absent', says: 'not in the list', certain: true }
      : { kind: 'present', volume },
  );
}

async function ensure(
  plugin: VolumePlugin,
  volume: VolumeReference,
  options: Readonly<Record<string, string>>,
): Promise<Outcome<EnsuredVolume>> {
  const before = await look(plugin, volume.name);
  if (before.kind !== 'done') return before;
  if (before.value.kind === 'present') return done({ created: false });
  const created = await plugin.create(volume.name, options);
  if (created.kind === 'done') return done({ created: true });
  if (created.kind === 'not-done' && created.error.code === 'conflict') {
    // Somebody else was faster, if it is really there now.
    const after = await look(plugin, volume.name);
    if (after.kind === 'done' && after.value.kind === 'present') return done({ created: false });
  }
  return created;
}

async function inspect(
  plugin: VolumePlugin,
  volume: VolumeReference,
): Promise<Outcome<VolumeDescription | undefined>> {
  const found = await look(plugin, volume.name);
  if (found.kind !== 'done') return found;
  if (found.value.kind === 'unsupported')
    return notDone(errorOf('unsupported', volume, 'the driver can neither get nor list volumes'));
  return done(found.value.kind === 'absent' ? undefined : describe(found.value.volume, volume.driver));
}

async function list(plugin: VolumePlugin, driver: string): Promise<Outcome<readonly VolumeDescription[]>> {
  const listed = await plugin.list();
  return listed.kind === 'done' ? done(listed.value.map((volume) => describe(volume, driver))) : listed;
}

function describe(volume: PluginVolume, driver: string): VolumeDescription {
  return { name: volume.name, driver, mountpoint: volume.mountpoint === '' ? undefined : volume.mountpoint };
}

/** Real drivers do remove a volume that is mounted, without a word; so it is looked for here first. */
async function remove(
  plugin: VolumePlugin,
  volume: VolumeReference,
  state: AttachState,
): Promise<Outcome<void>> {
  const found = await look(plugin, volume.name);
  if (found.kind !== 'done') return found;
  if (found.value.kind === 'absent') return done(undefined);
  const present = found.value.kind === 'present' ? found.value.volume : undefined;
  const use = await useOf(plugin, volume, present, state);
  if (use !== undefined) return notDone(errorOf('in-use', volume, `it is not removed: ${use}`));
  const removed = await plugin.remove(volume.name);
  if (removed.kind !== 'not-done') return removed;
  const after = await look(plugin, volume.name);
  return after.kind === 'done' && after.value.kind === 'absent' ? done(undefined) : removed;
}

async function useOf(
  plugin: VolumePlugin,
  volume: VolumeReference,
  present: PluginVolume | undefined,
  state: AttachState,
): Promise<string | undefined> {
  if (present?.mounts !== undefined && present.mounts.length > 0)
    return `the driver says it is mounted ${present.mounts.length} times`;
  const own = [...state.attached.values()].find((entry) => entry.volumeKey === volumeKeyOf(volume));
  if (own !== undefined) return `it is attached at ${own.hostPath}`;
  const path = await plugin.path(volume.name);
  const table = state.mountTable();
  const paths = [present?.mountpoint ?? '', path.kind === 'done' ? path.value : ''];
  const mounted = paths.find((candidate) => candidate !== '' && isMountPoint(table, candidate));
  if (mounted !== undefined) return `${mounted} is mounted on this host`;
  // REX-Ray names no mountpoint but in its answer to Mount, which whoever mounted may have taken along.
  const alike = present?.mounts === undefined ? mountNamedAfter(table, volume.name) : undefined;
  return alike === undefined ? undefined : `${alike} is mounted on this host, and bears its name`;
}

async function attach(
  plugin: VolumePlugin,
  volume: VolumeReference,
  consumer: ConsumerId,
  state: AttachState,
): Promise<Outcome<Attachment>> {
  const id = mountIdOf(consumer);
  const found = await look(plugin, volume.name);
  if (found.kind !== 'done') return found;
  if (found.value.kind === 'absent')
    return notDone(
      errorOf('not-found', volume, 'there is no such volume; create it first', found.value.says),
    );
  const present = found.value.kind === 'present' ? found.value.volume : undefined;
  const held = await stillAttached(plugin, volume, consumer, present, state);
  if (held !== undefined) return accept(plugin, volume, consumer, held, state);
  const joined = joinOther(volume, consumer, present, state);
  if (joined !== undefined) return done({ kind: 'host-path', hostPath: joined });
  const mounted = await plugin.mount(volume.name, id);
  if (mounted.kind === 'done') return accept(plugin, volume, consumer, mounted.value, state);
  if (mounted.kind === 'unknown' || mounted.error.code !== 'conflict') return mounted;
  // "Already mounted by this id": believed where the driver's own list or the mount table agrees.
  const again = await look(plugin, volume.name);
  const volumeNow = again.kind === 'done' && again.value.kind === 'present' ? again.value.volume : undefined;
  const path = await heldPath(plugin, volume, id, volumeNow, state);
  return path === undefined ? mounted : accept(plugin, volume, consumer, path, state);
}

/**
 * A driver that does not tell who mounts may count nothing: one Unmount by anybody then unmounts for everybody, as
 * with REX-Ray. Of such a driver this host has one mount a volume, and its consumers are counted here.
 */
function joinOther(
  volume: VolumeReference,
  consumer: ConsumerId,
  present: PluginVolume | undefined,
  state: AttachState,
): string | undefined {
  if (present?.mounts !== undefined) return undefined;
  const [, other] = othersOf(volume, consumer, state)[0] ?? [];
  if (other === undefined) return undefined;
  if (other.isMount && !isMountPoint(state.mountTable(), other.hostPath)) return undefined;
  state.attached.set(keyOf(volume, consumer), other);
  return other.hostPath;
}

/** What other consumers of this bridge have attached of this volume. */
function othersOf(
  volume: VolumeReference,
  consumer: ConsumerId,
  state: AttachState,
): readonly (readonly [string, OwnAttachment])[] {
  const own = keyOf(volume, consumer);
  return [...state.attached].filter(([key, entry]) => key !== own && entry.volumeKey === volumeKeyOf(volume));
}

/** The mountpoint, when this consumer has the volume already; a second Mount would be counted by the driver. */
async function stillAttached(
  plugin: VolumePlugin,
  volume: VolumeReference,
  consumer: ConsumerId,
  present: PluginVolume | undefined,
  state: AttachState,
): Promise<string | undefined> {
  const own = state.attached.get(keyOf(volume, consumer));
  if (present?.mounts === undefined) {
    if (own === undefined) return undefined;
    return !own.isMount || isMountPoint(state.mountTable(), own.hostPath) ? own.hostPath : undefined;
  }
  const id = mountIdOf(consumer);
  if (!present.mounts.includes(id)) return undefined;
  if (own !== undefined && (!own.isMount || isMountPoint(state.mountTable(), own.hostPath)))
    return own.hostPath;
  return heldPath(plugin, volume, id, present, state);
}

async function heldPath(
  plugin: VolumePlugin,
  volume: VolumeReference,
  id: string,
  present: PluginVolume | undefined,
  state: AttachState,
): Promise<string | undefined> {
  const path = await plugin.path(volume.name);
  const candidate = path.kind === 'done' && path.value !== '' ? path.value : (present?.mountpoint ?? '');
  if (candidate === '') return undefined;
  const agreed = present?.mounts?.includes(id) === true || isMountPoint(state.mountTable(), candidate);
  return agreed ? candidate : undefined;
}

/** Checks what the driver gave; what cannot be used is unmounted again with the same ID. */
async function accept(
  plugin: VolumePlugin,
  volume: VolumeReference,
  consumer: ConsumerId,
  mountpoint: string,
  state: AttachState,
): Promise<Outcome<Attachment>> {
  const verdict = await checkMountpoint(mountpoint, state.lookAt);
  const foreign = verdict.kind === 'fine' ? ownerOf(verdict.path, volume, state) : undefined;
  if (verdict.kind === 'fine' && foreign === undefined) {
    const isMount = isMountPoint(state.mountTable(), verdict.path);
    const known = state.attached.get(keyOf(volume, consumer))?.mountId ?? mountIdOf(consumer);
    const own = { volumeKey: volumeKeyOf(volume), hostPath: verdict.path, mountId: known, isMount };
    state.attached.set(keyOf(volume, consumer), own);
    return done({ kind: 'host-path', hostPath: verdict.path });
  }
  if (verdict.kind === 'no-answer') {
    const message = `the file system at ${mountpoint} does not answer`;
    return unknownOutcome(errorOf('time-limit', volume, message));
  }
  const undone = await release(plugin, volume, consumer, state);
  const why = verdict.kind === 'bad' ? verdict.why : (foreign ?? '');
  const error = errorOf('bad-mountpoint', volume, why);
  return undone.kind === 'done' ? notDone(error) : unknownOutcome(error);
}

/** Whose place the driver gave away, in words; undefined: nobody's that is attached here. */
function ownerOf(path: string, volume: VolumeReference, state: AttachState): string | undefined {
  const other = [...state.attached.values()].find(
    ({ volumeKey, hostPath }) =>
      volumeKey !== volumeKeyOf(volume) && (isUnder(path, hostPath) || isUnder(hostPath, path)),
  );
  if (other === undefined) return undefined;
  const [driver = '', name = ''] = other.volumeKey.split('\0');
  return `the driver gave the mountpoint ${path}, but volume ${name} of driver ${driver} is attached at ${other.hostPath}`;
}

async function detach(
  plugin: VolumePlugin,
  volume: VolumeReference,
  consumer: ConsumerId,
  state: AttachState,
): Promise<Outcome<void>> {
  const released = await release(plugin, volume, consumer, state);
  if (released.kind === 'done') state.attached.delete(keyOf(volume, consumer));
  return released;
}

/** Drivers count a repeated Mount of one ID, and a lost Mount may have been repeated. */
const MOST_UNMOUNTS = 16;

async function release(
  plugin: VolumePlugin,
  volume: VolumeReference,
  consumer: ConsumerId,
  state: AttachState,
): Promise<Outcome<void>> {
  const id = state.attached.get(keyOf(volume, consumer))?.mountId ?? mountIdOf(consumer);
  for (let turn = 0; turn < MOST_UNMOUNTS; turn += 1) {
    const found = await look(plugin, volume.name);
    if (found.kind !== 'done') return found;
    const mounts = found.value.kind === 'present' ? found.value.volume.mounts : undefined;
    if (mounts === undefined && othersOf(volume, consumer, state).length > 0) return done(undefined);
    if (mounts !== undefined && !mounts.includes(id)) return done(undefined);
    const unmounted = await plugin.unmount(volume.name, id);
    if (mounts === undefined) return settle(plugin, volume, consumer, unmounted, state);
    if (unmounted.kind !== 'done') return unmounted;
  }
  return notDone(errorOf('in-use', volume, `it is still mounted after ${MOST_UNMOUNTS} unmounts of its ID`));
}

/** A driver that does not tell who mounts: its refusal to unmount counts as done only where nothing is mounted. */
async function settle(
  plugin: VolumePlugin,
  volume: VolumeReference,
  consumer: ConsumerId,
  unmounted: Outcome<void>,
  state: AttachState,
): Promise<Outcome<void>> {
  if (unmounted.kind !== 'not-done') return unmounted;
  if (unmounted.error.code !== 'not-found' && !/not mounted/i.test(unmounted.error.driverMessage ?? ''))
    return unmounted;
  const own = state.attached.get(keyOf(volume, consumer))?.hostPath;
  const path = await plugin.path(volume.name);
  if (path.kind === 'unknown') return unmounted;
  const places = [own ?? '', path.kind === 'done' ? path.value : ''].filter((place) => place !== '');
  const table = state.mountTable();
  return places.some((place) => isMountPoint(table, place)) ? unmounted : done(undefined);
}
