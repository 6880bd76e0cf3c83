import type { MountEntry } from '../mount-table.ts';
import type { LookAt } from '../mountpoint.ts';
import type { HeldVolumes } from '../held.ts';

/** Something that stops nothing, and that an operator should know. */
export interface VolumeWarning {
  readonly driver: string;
  readonly volume: string;
  readonly message: string;
}

/** What the operations of one bridge share. */
export interface Setting {
  readonly held: HeldVolumes;
  readonly mountTable: () => readonly MountEntry[];
  /** Of the other mount namespaces of this host. */
  readonly otherMountTables: () => readonly (readonly MountEntry[])[];
  /** How a mountpoint is looked at; in this process unless told. */
  readonly lookAt: LookAt | undefined;
  readonly warn: (warning: VolumeWarning) => void;
}
