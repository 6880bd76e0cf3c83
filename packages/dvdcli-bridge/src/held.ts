/** What this process has attached, and what the mount table says of it. */
import {
  isMountPoint,
  isUnder,
  locateInFileSystem,
  mountsNamed,
  mountThatCarries,
  topMountAt,
  type MountEntry,
} from './mount-table.ts';
import { pathInTable } from './path-in-table.ts';
import type { ConsumerId, VolumeReference } from './volumes.ts';

export interface OwnAttachment {
  readonly volume: VolumeReference;
  readonly consumer: ConsumerId;
  /** What Mount answered. Get's may differ from it (REX-Ray's does). */
  readonly hostPath: string;
  /** The mount that carried it then, and what was mounted there; undefined for a plain directory. */
  readonly mount: Pick<MountEntry, 'mountPoint' | 'device' | 'root'> | undefined;
  /** Under which the driver was asked to mount. */
  readonly mountId: string;
}

export interface HeldVolumes {
  of(volume: VolumeReference, consumer: ConsumerId): OwnAttachment | undefined;
  /** Every consumer's attachment of this volume. */
  all(volume: VolumeReference): readonly OwnAttachment[];
  others(volume: VolumeReference): readonly OwnAttachment[];
  add(attachment: OwnAttachment): void;
  drop(volume: VolumeReference, consumer: ConsumerId): void;
}

function isSame(one: VolumeReference, other: VolumeReference): boolean {
  return one.driver === other.driver && one.name === other.name;
}

export function heldVolumes(): HeldVolumes {
  const held = new Map<string, OwnAttachment>();
  const keyOf = (volume: VolumeReference, consumer: ConsumerId): string =>
    `${volume.driver}\0${volume.name}\0${consumer}`;
  return {
    of: (volume, consumer) => held.get(keyOf(volume, consumer)),
    all: (volume) => [...held.values()].filter((own) => isSame(own.volume, volume)),
    others: (volume) => [...held.values()].filter((own) => !isSame(own.volume, volume)),
    add: (own) => void held.set(keyOf(own.volume, own.consumer), own),
    drop: (volume, consumer) => void held.delete(keyOf(volume, consumer)),
  };
}

/** Nothing can be said against it: a plain directory, or the very mount is still there, on top of whatever is at its place. */
export function isStillThere(table: readonly MountEntry[], { mount }: OwnAttachment): boolean {
  if (mount === undefined) return true;
  const now = topMountAt(table, mount.mountPoint);
  return now?.device === mount.device && now.root === mount.root;
}

/** The mount of this volume's own that carries the path: at it, or above it under the volume's name (REX-Ray). */
export function ownMountOf(table: readonly MountEntry[], path: string, name: string): MountEntry | undefined {
  const place = pathInTable(table, path, name);
  const mount = mountThatCarries(table, place);
  if (mount === undefined) return undefined;
  return mount.mountPoint === place || mount.mountPoint.split('/').includes(name) ? mount : undefined;
}

/**
 * Where something is mounted that keeps the volume at the path `said` in use: its own mount, one inside it, or, in any of the
 * tables, its folder or a part of it bound to another place, as a container has it.
 * @param others of other mount namespaces
 */
export function mountInUse(
  table: readonly MountEntry[],
  said: string,
  name: string,
  others: readonly (readonly MountEntry[])[] = [],
): string | undefined {
  const path = pathInTable(table, said, name);
  const own = ownMountOf(table, path, name) ?? table.find(({ mountPoint }) => isUnder(mountPoint, path));
  if (own !== undefined) return own.mountPoint;
  const place = locateInFileSystem(table, path);
  if (place === undefined) return undefined;
  // At the same path in another namespace it is a copy that follows this one, or a service's that only may write there.
  const bound = (entry: MountEntry): boolean =>
    entry.device === place.device && isUnder(entry.root, place.path) && !isUnder(entry.mountPoint, path);
  return [table, ...others].flat().find(bound)?.mountPoint;
}

/**
 * Mounts that bear the volume's name: all there is to go by at a driver that tells neither who mounts nor where.
 * Those of other volumes that we hold (the same name at another driver) are not meant.
 */
export function mountsByName(
  table: readonly MountEntry[],
  volume: VolumeReference,
  held: HeldVolumes,
): readonly string[] {
  const foreign = held.others(volume);
  return mountsNamed(table, volume.name).filter(
    (path) => !foreign.some((own) => isUnder(own.hostPath, path) || isUnder(path, own.hostPath)),
  );
}

/**
 * Whose path it is, when it is another volume's that we hold: the same path, one inside the other, or the same
 * directory of the same file system under another path.
 */
export function foreignHolderOf(
  table: readonly MountEntry[],
  said: string,
  volume: VolumeReference,
  held: HeldVolumes,
): VolumeReference | undefined {
  const path = pathInTable(table, said, volume.name);
  const place = locateInFileSystem(table, path);
  const overlap = (one: string, other: string): boolean => isUnder(one, other) || isUnder(other, one);
  return held.others(volume).find((own) => {
    const hostPath = pathInTable(table, own.hostPath, own.volume.name);
    if (overlap(hostPath, path)) return true;
    const theirs = locateInFileSystem(table, hostPath);
    if (place === undefined || theirs === undefined || place.device !== theirs.device) return false;
    return overlap(place.path, theirs.path);
  })?.volume;
}

/**
 * Where a volume is mounted, by the place that we mounted it at, the one that the driver names (empty: none), or, without
 * either, by its name.
 */
export function mountOf(
  table: readonly MountEntry[],
  volume: VolumeReference,
  { own, said, held }: { own: OwnAttachment | undefined; said: string; held: HeldVolumes },
): string | undefined {
  const places = [own?.mount?.mountPoint ?? '', said].filter((place) => place !== '');
  if (own === undefined && said === '') return mountsByName(table, volume, held)[0];
  return places
    .map((place) => ownMountOf(table, place, volume.name)?.mountPoint)
    .find((place) => place !== undefined);
}

/** A plain directory here, and something else in a namespace where a mount lies over it. */
export function isHiddenMount(
  table: readonly MountEntry[],
  others: readonly (readonly MountEntry[])[],
  said: string,
): boolean {
  const path = pathInTable(table, said);
  if (isMountPoint(table, path)) return false;
  const here = locateInFileSystem(table, path);
  return others.some((other) => {
    if (!isMountPoint(other, path)) return false;
    const there = locateInFileSystem(other, path);
    return there?.device !== here?.device || there?.path !== here?.path;
  });
}
