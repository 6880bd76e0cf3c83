/** What Docker really mounted, compared with what was asked. Pure. */
import { VOLUME_ROLES, type LaunchSpec, type VolumeRole } from '@mesos-elasticsearch/contract';
import { isUnder, type Attachment, type MountEntry } from '@mesos-elasticsearch/dvdcli-bridge';
import { SetupError } from '../ports.ts';
import { INSIDE } from './container-options.ts';

/** Of `docker inspect`. */
export interface MountSeen {
  readonly Type?: string | undefined;
  readonly Name?: string | undefined;
  /** What the driver's Get says, so empty for a driver that says where only when it mounts (REX-Ray). */
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string | undefined;
  readonly RW: boolean;
}

export interface ContainerSeen {
  readonly id: string;
  readonly mounts: readonly MountSeen[];
  /** As the container's first process sees it; undefined where it may not be read. */
  readonly mountTable: readonly MountEntry[] | undefined;
}

/**
 * A driver that gives an empty mountpoint makes the Engine mount a folder of its own instead, writable, and say
 * nothing; a driver that gives one path twice has two volumes written over each other.
 * @throws SetupError naming volume, driver and what is there
 */
export function checkMounts(
  spec: LaunchSpec,
  attachments: Readonly<Record<VolumeRole, Attachment>>,
  container: ContainerSeen,
): void {
  const places = VOLUME_ROLES.map((role) => {
    const { name, driver } = spec.volumes[role];
    const mount = container.mounts.find(({ Destination }) => Destination === INSIDE.volumes[role]);
    const place = mount && isAsked(mount, attachments[role]) ? placeOf(mount, container) : undefined;
    if (place === undefined) {
      throw new SetupError(
        `volume ${name} of driver ${driver} (${role}) is not what Docker mounted at ${INSIDE.volumes[role]}: ${JSON.stringify(mount ?? null)}`,
      );
    }
    return { name, place };
  });
  checkApart(places);
  checkNameless(container.mounts);
}

function isAsked(mount: MountSeen, attachment: Attachment): boolean {
  if (!mount.RW) return false;
  return attachment.kind === 'host-path'
    ? mount.Type === 'bind' && mount.Source === attachment.hostPath
    : mount.Type === 'volume' && mount.Name === attachment.source && mount.Driver === attachment.driver;
}

/** A directory of a file system; where only Docker's word is known, of this host. */
interface Place {
  readonly device: string;
  readonly path: string;
}

/** Undefined when it is nothing that a volume could be. */
function placeOf(mount: MountSeen, { id, mountTable }: ContainerSeen): Place | undefined {
  if (mount.Source !== '' && !mount.Source.startsWith('/')) return undefined;
  if (mountTable === undefined) return mount.Source === '' ? undefined : { device: '', path: mount.Source };
  const entry = mountTable.findLast(({ mountPoint }) => mountPoint === mount.Destination);
  // The folder that the Engine puts in a mountpoint's place is the container's own, and bears its ID.
  if (entry === undefined || entry.root.split('/').includes(id)) return undefined;
  return { device: entry.device, path: entry.root };
}

function checkApart(places: readonly { readonly name: string; readonly place: Place }[]): void {
  for (const one of places) {
    const other = places.find(
      ({ name, place }) =>
        name !== one.name && place.device === one.place.device && isUnder(place.path, one.place.path),
    );
    if (other !== undefined) {
      throw new SetupError(
        `Docker mounted volume ${one.name} from ${one.place.path} and volume ${other.name} from ${other.place.path}: one lies in the other`,
      );
    }
  }
}

/** What the image's VOLUME lines brought lies on Docker's own driver. */
function checkNameless(mounts: readonly MountSeen[]): void {
  const ours = new Set<string>(Object.values(INSIDE.volumes));
  const stray = mounts.find(
    ({ Type, Driver, Destination }) => Type === 'volume' && Driver !== 'local' && !ours.has(Destination),
  );
  if (stray !== undefined) {
    throw new SetupError(
      `Docker made volume ${stray.Name ?? '(nameless)'} of driver ${stray.Driver ?? '(unknown)'} at ${stray.Destination}, which nobody asked for`,
    );
  }
}
