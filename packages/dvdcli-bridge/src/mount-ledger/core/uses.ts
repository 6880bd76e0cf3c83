/** How a record changes. `undefined` stands for a volume that nobody uses: it has no record. */
import type { ProcessIdentity } from '../../hostdir/core/attachment.ts';
import { mountThatCarries, type MountEntry } from '../../mount-table.ts';
import type { VolumeReference } from '../../volumes.ts';
import type { MountRecord, MountUse, RecordedMount, RecordedPath } from './record.ts';

/** Who acts, and when. */
export interface Actor {
  readonly process: ProcessIdentity;
  readonly path: RecordedPath;
  readonly mark: string | undefined;
  /** ISO 8601. */
  readonly now: string;
}

export function useOf(record: MountRecord | undefined, consumer: string): MountUse | undefined {
  return record?.uses.find((use) => use.consumer === consumer);
}
export function othersThan(record: MountRecord | undefined, consumer: string): readonly MountUse[] {
  return record?.uses.filter((use) => use.consumer !== consumer) ?? [];
}

/** The intent of a Mount. A mount that is on record already stays there: the driver is asked for it once more. */
export function beginAttach(
  record: MountRecord | undefined,
  volume: VolumeReference,
  consumer: string,
  actor: Actor,
): MountRecord {
  const before = useOf(record, consumer);
  // What an earlier boot had mounted is gone with it.
  const mount = before?.process.bootId === actor.process.bootId ? kept(before, 'mount') : {};
  const use = { ...basic(consumer, 'attaching', actor), ...mount, ...kept(before, 'containerSource') };
  return withUse(record, volume, use);
}

/** The driver's answer. What it mounted for a try that was cut off counts as this consumer's. */
export function noteAttached(
  record: MountRecord,
  consumer: string,
  given: { mount: RecordedMount } | { containerSource: string },
  actor: Actor,
): MountRecord {
  const rest = basic(consumer, 'attached', actor);
  const earlier = useOf(record, consumer)?.mount;
  if ('containerSource' in given) return replaceUse(record, { ...rest, ...given });
  const mountedBefore = earlier?.mountedBefore ?? given.mount.mountedBefore;
  return replaceUse(record, { ...rest, mount: { ...given.mount, mountedBefore } });
}

/** The intent of an Unmount, also for a consumer of whom nothing is on record. */
export function beginDetach(
  record: MountRecord | undefined,
  volume: VolumeReference,
  consumer: string,
  actor: Actor,
): MountRecord {
  const before = useOf(record, consumer);
  const use: MountUse = {
    ...basic(consumer, 'detaching', actor),
    ...kept(before, 'mark', 'containerSource', 'errors'),
    ...mountOfBoot(before, actor.process.bootId),
    // It is undone by the path it was made with.
    path: before?.path ?? actor.path,
    since: before?.state === 'detaching' ? before.since : actor.now,
  };
  return withUse(record, volume, use);
}

/** Of an earlier boot only the path still says something: whatever is mounted there now is not what was then. */
function mountOfBoot(use: MountUse | undefined, bootId: string): Partial<Pick<MountUse, 'mount'>> {
  if (use?.mount === undefined) return {};
  const { hostPath } = use.mount;
  const same = use.process.bootId === bootId;
  return { mount: same ? use.mount : { hostPath, isMount: false, mountedBefore: false } };
}

export function noteError(record: MountRecord, consumer: string, says: string, now: string): MountRecord {
  const use = useOf(record, consumer);
  if (use === undefined) return record;
  const first = use.errors?.first ?? now;
  return replaceUse(record, {
    ...use,
    errors: { count: (use.errors?.count ?? 0) + 1, first, last: now, says },
  });
}

/** One reference less. Who made the mount and leaves hands the duty to see it end to those who stay on it. */
export function endUse(record: MountRecord, consumer: string): MountRecord | undefined {
  const ended = useOf(record, consumer);
  const left = othersThan(record, consumer).map((use): MountUse => {
    if (use.mount === undefined || ended?.mount?.mountedBefore !== false) return use;
    if (use.mount.hostPath !== ended.mount.hostPath) return use;
    const mount = use.mount.isMount ? use.mount : ended.mount;
    return { ...use, mount: { ...mount, mountedBefore: false } };
  });
  return left.length === 0 ? undefined : { ...record, uses: left };
}

/**
 * What the mount table says of the path that a driver gave: a mount point, or a directory of a mount that has the volume's
 * name in its path (REX-Ray gives `/data` of what it has mounted). Any other mount that carries the path is the host's, or
 * one that the driver has for all its volumes.
 * @param path `inTable`: `hostPath` as the table has it, without links
 */
export function describeMount(
  volume: string,
  { hostPath, inTable }: { hostPath: string; inTable: string },
  before: readonly MountEntry[],
  after: readonly MountEntry[],
): RecordedMount {
  const entry = mountThatCarries(after, inTable);
  const exact = entry?.mountPoint === inTable;
  if (entry === undefined || !(exact || entry.mountPoint.split('/').includes(volume)))
    return { hostPath, isMount: false, mountedBefore: false };
  const { mountPoint, device } = entry;
  const mountedBefore = isThere(before, mountPoint, device);
  return {
    hostPath,
    ...(mountPoint === hostPath ? {} : { mountPoint }),
    isMount: true,
    device,
    mountedBefore,
  };
}

/**
 * The driver's "unmounted" is proof unless the mount table contradicts it: the very file system still lies where it was
 * mounted for this consumer, be it hidden by another mount, and no other consumer is there. @returns the contradiction in words
 */
export function contradiction(
  record: MountRecord,
  consumer: string,
  table: readonly MountEntry[],
): string | undefined {
  const mount = useOf(record, consumer)?.mount;
  if (mount === undefined || !mount.isMount || mount.mountedBefore) return undefined;
  if (othersThan(record, consumer).some((use) => use.mount?.hostPath === mount.hostPath)) return undefined;
  const mountPoint = mount.mountPoint ?? mount.hostPath;
  if (!isThere(table, mountPoint, mount.device)) return undefined;
  return `the driver says that it is unmounted, but ${mountPoint} is still mounted on this host`;
}

/** Of several mounts on one path only the last one is seen, and all of them are mounted. */
function isThere(table: readonly MountEntry[], mountPoint: string, device: string | undefined): boolean {
  return table.some((entry) => entry.mountPoint === mountPoint && entry.device === device);
}

function basic(consumer: string, state: MountUse['state'], actor: Actor): MountUse {
  const { process, path, mark, now } = actor;
  return { consumer, state, path, process, ...(mark === undefined ? {} : { mark }), since: now };
}

function kept<K extends keyof MountUse>(use: MountUse | undefined, ...keys: K[]): Partial<Pick<MountUse, K>> {
  const entries = keys.flatMap((key) => (use?.[key] === undefined ? [] : [[key, use[key]]]));
  return Object.fromEntries(entries) as Partial<Pick<MountUse, K>>;
}

function withUse(record: MountRecord | undefined, volume: VolumeReference, use: MountUse): MountRecord {
  const { driver, name } = volume;
  return { format: 1, driver, volume: name, uses: [...othersThan(record, use.consumer), use] };
}
function replaceUse(record: MountRecord, use: MountUse): MountRecord {
  return { ...record, uses: record.uses.map((each) => (each.consumer === use.consumer ? use : each)) };
}
