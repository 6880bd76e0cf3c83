/** What this process has attached, and what the mount table says of it. */
import {
  isUnder,
  locateInFileSystem,
  mountsNamed,
  mountThatCarries,
  type MountEntry,
} from '../mount-table.ts';
import type { ConsumerId, VolumeReference } from '../volumes.ts';

export interface OwnAttachment {
  readonly volume: VolumeReference;
  readonly consumer: ConsumerId;
  /** What Mount answered. Get's may differ from it (REX-Ray's does). */
  readonly hostPath: string;
  /** The mount that carried it then; undefined for a plain directory. */
  readonly mountPoint: string | undefined;
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

/** Nothing can be said against it: a plain directory, or a mount that is still there. */
export function isStillThere(table: readonly MountEntry[], own: OwnAttachment): boolean {
  return own.mountPoint === undefined || table.some(({ mountPoint }) => mountPoint === own.mountPoint);
}

/** The mount of this volume's own that carries the path: at it, or above it under the volume's name (REX-Ray). */
export function ownMountOf(table: readonly MountEntry[], path: string, name: string): string | undefined {
  const mountPoint = mountThatCarries(table, path)?.mountPoint;
  if (mountPoint === undefined) return undefined;
  return mountPoint === path || mountPoint.split('/').includes(name) ? mountPoint : undefined;
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
  path: string,
  volume: VolumeReference,
  held: HeldVolumes,
): VolumeReference | undefined {
  const place = locateInFileSystem(table, path);
  const overlap = (one: string, other: string): boolean => isUnder(one, other) || isUnder(other, one);
  return held.others(volume).find((own) => {
    if (overlap(own.hostPath, path)) return true;
    const theirs = locateInFileSystem(table, own.hostPath);
    if (place === undefined || theirs === undefined || place.device !== theirs.device) return false;
    return overlap(place.path, theirs.path);
  })?.volume;
}
