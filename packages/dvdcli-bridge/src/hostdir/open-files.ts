import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { isUnder, locateInFileSystem, parseMountTable, readMountTable } from '../mount-table.ts';
import { isGone, processStat } from './processes.ts';

/** A process that has the volume in use, or that may have for all that can be seen from here. */
export interface VolumeUser {
  readonly pid: number;
  readonly name: string;
  /** e.g. `has /…/data/_state open`, `cannot be inspected`. */
  readonly how: string;
}

/**
 * The first live process of this kernel that has anything under `directory` open, mapped, as its working or root
 * directory, or mounted in its mount namespace (as a container has). A process that cannot be inspected counts,
 * except where it started before the volume was attached (`attachedAtTicks`) or is another user's ({@link isForeign}).
 * Looks twice: a process may hand its files to a child and end between being listed and being looked at.
 */
export function findVolumeUser(directory: string, attachedAtTicks: number): VolumeUser | undefined {
  return scanOnce(directory, attachedAtTicks) ?? scanOnce(directory, attachedAtTicks);
}

function scanOnce(directory: string, attachedAtTicks: number): VolumeUser | undefined {
  const location = locateInFileSystem(readMountTable(), directory);
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const pid = Number(entry);
    const how = useBy(pid, directory, location, attachedAtTicks);
    if (how !== undefined) return { pid, name: processStat(pid)?.name ?? '?', how };
  }
  return undefined;
}

function useBy(
  pid: number,
  directory: string,
  location: { device: string; path: string } | undefined,
  attachedAtTicks: number,
): string | undefined {
  try {
    const stat = processStat(pid);
    if (stat === undefined || stat.kernelThread) return undefined;
    if (stat.state === 'Z' || stat.state === 'X') {
      // Its files are closed, unless it is only the first thread that has ended.
      return readdirSync(`/proc/${pid}/task`).length > 1 ? 'is ending' : undefined;
    }
    try {
      return openPath(pid, directory) ?? mountOf(pid, location);
    } catch (error) {
      if (isGone(error)) return undefined;
      if (stat.startTicks < attachedAtTicks || isForeign(pid, directory)) return undefined;
      return 'cannot be inspected';
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Reads links of /proc only. @throws the file system's error where the process is gone or may not be inspected */
export function openPath(pid: number, directory: string): string | undefined {
  const entry = `/proc/${pid}`;
  for (const [link, how] of [
    ['cwd', 'works in'],
    ['root', 'has its root in'],
  ] as const) {
    const path = linkTarget(`${entry}/${link}`);
    if (path !== undefined && isUnder(path, directory)) return `${how} ${path}`;
  }
  for (const descriptor of readdirSync(`${entry}/fd`)) {
    const path = linkTarget(`${entry}/fd/${descriptor}`);
    if (path !== undefined && isUnder(path, directory)) return `has ${path} open`;
  }
  for (const line of readFileSync(`${entry}/maps`, 'utf8').split('\n')) {
    const start = line.indexOf('/');
    if (start >= 0 && isUnder(line.slice(start), directory)) return `has ${line.slice(start)} mapped`;
  }
  return undefined;
}

/**
 * Seen from an instance without root, which can never look into the processes of others: not one user ID of the
 * process is ours, and the volume's directory still is. Another user cannot write there. Root could, but root's
 * executors hand the directory to Elasticsearch's user before anything runs on it, so one that is ours still has
 * no consumer of root's; without this, every program that root starts would keep a dead machine's volumes.
 */
function isForeign(pid: number, directory: string): boolean {
  const own = process.getuid?.() ?? 0;
  const line = /^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  const ids = line?.trim().split(/\s+/).map(Number) ?? [];
  if (own === 0 || ids.length !== 4 || ids.includes(own)) return false;
  return !ids.includes(0) || statSync(directory).uid === own;
}

/** One descriptor may be closed while the others are being read; that is not the end of its process. */
function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Paths of another mount namespace do not begin with ours, so its table is asked what it shows of our volume. */
function mountOf(pid: number, location: { device: string; path: string } | undefined): string | undefined {
  if (location === undefined) return undefined;
  const table = parseMountTable(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
  const mount = table.find((entry) => entry.device === location.device && isUnder(entry.root, location.path));
  return mount === undefined ? undefined : `has it mounted at ${mount.mountPoint}`;
}
