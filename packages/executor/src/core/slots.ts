/** Which volume of a task is meant: a task that migrates has more than its node's two. */
import {
  VOLUME_ROLES,
  volumeName,
  type LaunchSpec,
  type VolumeRole,
  type VolumeSpec,
} from '@mesos-elasticsearch/contract';
import { viewOf } from './write-back.ts';

/** The role alone: the node's own volume, for a migration the old one. `view-…`: see `write-back.ts`. */
export type VolumeSlot = VolumeRole | NewSlot | ViewSlot;
export type NewSlot = `new-${VolumeRole}`;
export type ViewSlot = `view-${VolumeRole}`;
/** What is read from or written to in a copy. */
export type CopySlot = VolumeRole | NewSlot;

export function isRole(slot: VolumeSlot): slot is VolumeRole {
  return slot === 'config' || slot === 'data';
}
export function isViewSlot(slot: VolumeSlot): slot is ViewSlot {
  return slot === 'view-config' || slot === 'view-data';
}
export function newSlot(role: VolumeRole): NewSlot {
  return `new-${role}`;
}
export function viewSlot(role: VolumeRole): ViewSlot {
  return `view-${role}`;
}

/** @throws TypeError for a new volume or its view where the spec is not one of a migration */
export function volumeAt(spec: LaunchSpec, slot: VolumeSlot): VolumeSpec {
  if (isRole(slot)) return spec.volumes[slot];
  const { migration } = spec;
  if (!migration) throw new TypeError(`the launch spec names no volume for ${slot}`);
  const role: VolumeRole = slot.endsWith('config') ? 'config' : 'data';
  const volume = migration.to[role];
  return isViewSlot(slot)
    ? viewOf(volume, volumeName(`${volume.name}-view-${migration.id.slice(0, 8)}`))
    : volume;
}

/** In the order of attaching; with a spec that names where a migration goes, those volumes too. */
export function slotsOf({ migration }: LaunchSpec): VolumeSlot[] {
  if (!migration) return [...VOLUME_ROLES];
  return [...VOLUME_ROLES, ...VOLUME_ROLES.map(newSlot), ...VOLUME_ROLES.map(viewSlot)];
}

/** `volume elasticsearch1data of driver hostdir (data)` */
export function volumeText(spec: LaunchSpec, slot: VolumeSlot): string {
  const { name, driver } = volumeAt(spec, slot);
  return `volume ${name} of driver ${driver} (${slot})`;
}
