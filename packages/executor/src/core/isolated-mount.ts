/** Whether what an isolator of Mesos has mounted is the expected volume: a decision over what was found. */
import {
  isMountPoint,
  isUnder,
  locateInFileSystem,
  topMountAt,
  type MountEntry,
} from '@mesos-elasticsearch/dvdcli-bridge';
import {
  ISOLATION_FLAG,
  isMadeByDvdi,
  type IsolatorMounter,
  type VolumeSpec,
} from '@mesos-elasticsearch/contract';

/** A directory as `stat` shows it. */
export interface Inode {
  /** `major:minor` */
  readonly device: string;
  readonly inode: string;
}

export type DriverAnswer =
  /** Where it says that the volume is mounted, and what is there. */
  | { readonly kind: 'mountpoint'; readonly path: string; readonly found: Inode | undefined }
  | { readonly kind: 'no-such-volume' }
  /** It does not say, or cannot be asked. */
  | { readonly kind: 'silent'; readonly why: string };

export interface MountFacts {
  /** Where the volume must be, absolute. */
  readonly path: string;
  /** undefined: there is nothing. */
  readonly found: (Inode & { readonly isDirectory: boolean }) | undefined;
  /** Of this process's own mount namespace. */
  readonly own: readonly MountEntry[];
  /** Of the machine's first process; undefined where it may not be read. */
  readonly machine: readonly MountEntry[] | undefined;
  readonly driver: DriverAnswer;
}

export type MountDecision =
  | {
      readonly kind: 'expected';
      readonly mount: MountEntry;
      /** By what it was recognised, and not by the driver's word; the marker decides the rest. */
      readonly weakness?: string;
    }
  | { readonly kind: 'refuse'; readonly why: string };

export function decideMount(mounter: IsolatorMounter, volume: VolumeSpec, facts: MountFacts): MountDecision {
  const { path, found, own } = facts;
  const what = 'the volume';
  const isolator = `agents need ${ISOLATION_FLAG[mounter.kind]}`;
  if (found === undefined)
    return refuse(`${path} is not there for ${what}: ${howToMake(mounter, path)}, and ${isolator}`);
  if (!found.isDirectory) return refuse(`${path} is no directory, so ${what} is not mounted there`);
  const mount = topMountAt(own, path);
  if (mount === undefined && isMountPoint(own, path))
    return refuse(`${what} is hidden at ${path} by another mount, over a directory above`);
  if (mount === undefined) return refuse(nothingMounted(what, isolator, facts));
  // The kernel's word for a directory that is there no more: nothing can be made in it.
  if (mount.root.endsWith('//deleted'))
    return refuse(`the directory that is mounted at ${path} was removed after it was mounted: ${mount.root}`);
  // A file system with subvolumes gives each of them a number of its own.
  if (mount.device !== found.device && mount.fileSystem !== 'btrfs') {
    return refuse(
      `${path} is on device ${found.device}, but ${mount.device} is mounted there for us: ${what} is hidden by another mount`,
    );
  }
  if (mount.readOnly === true) {
    return refuse(
      `${what} is mounted read-only at ${path}: Elasticsearch must write; see why the driver or its file system made it so`,
    );
  }
  return recognise(volume, mount, facts, what);
}

function nothingMounted(what: string, isolator: string, { path, machine }: MountFacts): string {
  if (machine !== undefined && topMountAt(machine, path) !== undefined) {
    return `nothing is mounted at ${path} for this executor, but something is on the machine: its mounts do not reach this mount namespace. Run the agent with mounts shared (mount --make-rshared /), or outside of a container`;
  }
  return `nothing is mounted at ${path}, where ${what} must be: no isolator has mounted it, and Elasticsearch would write to the agent's own disk. ${capital(isolator)}`;
}

function recognise(volume: VolumeSpec, mount: MountEntry, facts: MountFacts, what: string): MountDecision {
  const { path, found, own, driver } = facts;
  const there = `${mount.fileSystem} ${mount.device}${mount.root === '/' ? '' : ` ${mount.root}`}`;
  switch (driver.kind) {
    case 'no-such-volume':
      return refuse(
        `the driver has no such volume, so what is mounted at ${path} (${there}) is something else`,
      );
    case 'mountpoint': {
      const sameInode =
        driver.found !== undefined &&
        driver.found.device === found?.device &&
        driver.found.inode === found.inode;
      if (sameInode || comesFrom(mount, own, driver.path)) return { kind: 'expected', mount };
      return refuse(
        `what is mounted at ${path} (${there}) is not ${what}, which the driver has mounted at ${driver.path}: another volume is in its place`,
      );
    }
    case 'silent': {
      const everywhere = facts.machine === undefined ? undefined : topMountAt(facts.machine, path);
      if (everywhere?.device === mount.device && everywhere.root === mount.root) {
        return refuse(
          `what is mounted at ${path} (${there}) is mounted for the whole machine, not for this executor, and ${driver.why}: nobody can tell whether it is ${what}`,
        );
      }
      const source = sourceNaming(volume.name, mount, own, path);
      if (source === undefined) {
        return refuse(
          `nobody can tell whether what is mounted at ${path} (${there}) is ${what}: ${driver.why}, and no path of it has the volume's name. Let this user reach the driver (--volumePath, frameworkUser)`,
        );
      }
      return { kind: 'expected', mount, weakness: `${driver.why}; recognised by ${source}` };
    }
  }
}

/**
 * The driver's mountpoint shows the same directory of the same file system; or, where the volume is a file system of its
 * own, a directory below (REX-Ray gives the volume's root and has `/data` of it mounted).
 */
function comesFrom(mount: MountEntry, own: readonly MountEntry[], mountpoint: string): boolean {
  const location = locateInFileSystem(own, mountpoint);
  if (location?.device !== mount.device) return false;
  if (location.path === mount.root) return true;
  return topMountAt(own, mountpoint) !== undefined && isUnder(mount.root, location.path);
}

/** A path under which the same directory is known on this machine, with the volume's name as a part of it. */
function sourceNaming(
  name: string,
  mount: MountEntry,
  own: readonly MountEntry[],
  path: string,
): string | undefined {
  const elsewhere = own
    .filter((other) => other.mountPoint !== path && other.device === mount.device)
    .filter((other) => isUnder(mount.root, other.root))
    .map(({ mountPoint, root }) => `${mountPoint}${mount.root.slice(root === '/' ? 0 : root.length)}`);
  return [mount.root, ...elsewhere].find((place) => place.split('/').includes(name));
}

/** Same mount as before; what is wrong with it otherwise, in words. */
export function mountChange(before: MountEntry, own: readonly MountEntry[]): string | undefined {
  const now = topMountAt(own, before.mountPoint);
  if (now === undefined)
    return isMountPoint(own, before.mountPoint)
      ? `something else is mounted over a directory above ${before.mountPoint}`
      : `${before.mountPoint} is not mounted any more`;
  return now.device === before.device && now.root === before.root
    ? undefined
    : `something else is mounted over ${before.mountPoint} (${now.fileSystem} ${now.device})`;
}

function howToMake({ kind }: IsolatorMounter, path: string): string {
  if (kind === 'dvdi-isolator' && isMadeByDvdi(path)) return 'mesos-module-dvdi would have made it';
  return `make the directory on every agent (mkdir -p ${path}; the isolator mounts over it and does not make it)`;
}

function refuse(why: string): MountDecision {
  return { kind: 'refuse', why };
}
function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
