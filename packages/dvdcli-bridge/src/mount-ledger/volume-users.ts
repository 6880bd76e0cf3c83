import { readFileSync, readdirSync } from 'node:fs';
import type { ProcessIdentity } from '../hostdir/core/attachment.ts';
import { openPath } from '../hostdir/open-files.ts';
import { currentProcess, isGone, liveThread, processRuns, processStat } from '../hostdir/processes.ts';
import {
  isUnder,
  parseMountTable,
  placesInFileSystems,
  readMountTable,
  type MountEntry,
  type PlaceInFileSystem,
} from '../mount-table.ts';
import { pathInTable } from '../path-in-table.ts';

/**
 * Who uses what, by /proc alone: the volume's own file system is never touched, it may hang. Reading /proc/PID can wait
 * for a process that hangs in it, too, so a program that must go on asks through a child with a time limit.
 */
export interface VolumeUsers {
  owner(identity: ProcessIdentity): 'runs' | 'gone' | 'cannot-tell';
  /** A live process with this `NAME=value` in its environment, in words. */
  marked(mark: string): Promise<string | undefined>;
  /**
   * A live process that has anything below the path open, mapped or as its working directory, or has the volume mounted
   * elsewhere in a mount namespace of its own, as a container has. In words.
   */
  below(hostPath: string): Promise<string | undefined>;
}

export function procVolumeUsers(self: ProcessIdentity = currentProcess()): VolumeUsers {
  return {
    owner: (identity) => ownerState(identity, self),
    marked: (mark) => Promise.resolve(firstProcess((pid) => markOf(pid, mark))),
    below: (hostPath) => Promise.resolve(findUserBelow(hostPath)),
  };
}

/** Twice: a process may hand its files to a child and end between being listed and being looked at. */
function findUserBelow(said: string): string | undefined {
  const table = readMountTable();
  const hostPath = pathInTable(table, said);
  const places = placesInFileSystems(table, hostPath);
  const look = (): string | undefined => firstProcess((pid) => useBy(pid, hostPath, places));
  return look() ?? look();
}

function ownerState(identity: ProcessIdentity, self: ProcessIdentity): 'runs' | 'gone' | 'cannot-tell' {
  if (identity.bootId !== self.bootId) return 'gone';
  if (identity.pidNamespace !== self.pidNamespace) return 'cannot-tell';
  return processRuns(identity) ? 'runs' : 'gone';
}

function firstProcess(how: (pid: number) => string | undefined): string | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const pid = Number(entry);
    if (pid === process.pid) continue;
    const said = unlessGone(() => {
      const stat = processStat(pid);
      if (stat === undefined || stat.kernelThread) return undefined;
      const thread = liveThread(pid, stat);
      if (thread === undefined) return undefined;
      const use = how(thread);
      return use === undefined ? undefined : `${stat.name} (pid ${pid}) ${use}`;
    });
    if (said !== undefined) return said;
  }
  return undefined;
}

function markOf(pid: number, mark: string): string | undefined {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)
    ? `belongs to the consumer (${mark})`
    : undefined;
}

function useBy(pid: number, hostPath: string, places: readonly PlaceInFileSystem[]): string | undefined {
  return openPath(pid, hostPath) ?? mountedElsewhere(pid, hostPath, places);
}

/**
 * A mount namespace that was made while the volume was mounted has a copy of the mount at the same path; that one follows
 * the unmount, or is a service's that has nothing to do with the volume. A container's lies at another path.
 */
function mountedElsewhere(
  pid: number,
  hostPath: string,
  places: readonly PlaceInFileSystem[],
): string | undefined {
  if (places.length === 0) return undefined;
  const shows = (entry: MountEntry): boolean =>
    !isUnder(entry.mountPoint, hostPath) &&
    places.some(({ device, path }) => entry.device === device && isUnder(entry.root, path));
  const mount = mountTableOf(pid).find(shows);
  return mount === undefined ? undefined : `has it mounted at ${mount.mountPoint}`;
}

/** A process on its way out has closed its files and then left its namespaces: the kernel says EINVAL, and there is no table. */
function mountTableOf(pid: number): readonly MountEntry[] {
  try {
    return parseMountTable(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return [];
    throw error;
  }
}

/** Not ours to read: another user's, which cannot be told to use the volume, nor not to. */
function unlessGone(look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (isGone(error) || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
