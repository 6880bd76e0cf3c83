import { readdirSync, readlinkSync } from 'node:fs';
import { isUnder, locateInFileSystem, readMountTable } from './mount-table.ts';
import { pathInTable } from './path-in-table.ts';
import { openPath, type VolumeUser } from './hostdir/open-files.ts';
import { isGone, liveThread, processStat } from './hostdir/processes.ts';

export type { VolumeUser } from './hostdir/open-files.ts';

/**
 * Every process of this host but this one that has something below that directory open, mapped, as its working or root
 * directory, or that has the volume mounted in a mount namespace of its own (as a container has). Looks at /proc
 * only, so a file system that hangs does not hold it up. Processes that this user may not inspect are listed
 * in `hidden`, by pid.
 */
export function volumeUsers(said: string): {
  readonly users: readonly VolumeUser[];
  readonly hidden: readonly number[];
} {
  const table = readMountTable();
  const directory = pathInTable(table, said);
  const location = locateInFileSystem(table, directory);
  const namespace = readlinkSync('/proc/self/ns/mnt');
  const users: VolumeUser[] = [];
  const hidden: number[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!/^[0-9]+$/.test(entry) || pid === process.pid) continue;
    try {
      const stat = processStat(pid);
      if (stat === undefined || stat.kernelThread) continue;
      const thread = liveThread(pid, stat);
      if (thread === undefined) continue;
      const how = openPath(thread, directory) ?? mountedApart(thread, namespace, directory, location);
      if (how !== undefined) users.push({ pid, name: stat.name, how });
    } catch (error) {
      if (!isGone(error)) hidden.push(pid);
    }
  }
  return { users, hidden };
}

/** A namespace's copy of the mount at the same path follows the unmount; a container's lies at another path. */
function mountedApart(
  pid: number,
  namespace: string,
  directory: string,
  location: { device: string; path: string } | undefined,
): string | undefined {
  if (location === undefined || readlinkSync(`/proc/${pid}/ns/mnt`) === namespace) return undefined;
  const mount = readMountTable(pid).find(
    (entry) =>
      entry.device === location.device &&
      isUnder(entry.root, location.path) &&
      !isUnder(entry.mountPoint, directory),
  );
  return mount === undefined ? undefined : `has it mounted at ${mount.mountPoint}`;
}
