import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One line of /proc/PID/mountinfo, see proc_pid_mountinfo(5). */
export interface MountEntry {
  /** `major:minor` of the file system. */
  readonly device: string;
  /** Which path of that file system appears at the mount point: `/` or, for a bind, a directory of it. */
  readonly root: string;
  readonly mountPoint: string;
  readonly fileSystem: string;
  /** Here, or the file system as a whole; absent: it can be written as far as the table tells. */
  readonly readOnly?: true;
}

/** Lines that do not have the documented form are left out. */
export function parseMountTable(text: string): readonly MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ');
    const fields = before?.split(' ') ?? [];
    const [, , device, root, mountPoint, options = ''] = fields;
    const [fileSystem, , superOptions = ''] = after?.split(' ') ?? [];
    if (device === undefined || root === undefined || mountPoint === undefined || fileSystem === undefined)
      continue;
    const readOnly = [options, superOptions].some((list) => list.split(',').includes('ro'));
    entries.push({
      ...{ device, root: unescapeOctal(root), mountPoint: unescapeOctal(mountPoint), fileSystem },
      ...(readOnly ? { readOnly } : {}),
    });
  }
  return entries;
}

/** The kernel writes blank, tab, line feed and backslash as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** @throws the file system's error where the process is gone or may not be inspected. */
export function readMountTable(process: number | 'self' = 'self'): readonly MountEntry[] {
  return parseMountTable(readFileSync(`/proc/${String(process)}/mountinfo`, 'utf8'));
}

export function isMountPoint(table: readonly MountEntry[], path: string): boolean {
  return table.some((entry) => entry.mountPoint === path);
}

/** What lies on top there: a later mount hides an earlier one. */
export function topMountAt(table: readonly MountEntry[], path: string): MountEntry | undefined {
  return table.findLast((entry) => entry.mountPoint === path);
}

export function isUnder(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

/** Where a path lies inside its file system; undefined when no mount carries it. */
export function locateInFileSystem(
  table: readonly MountEntry[],
  path: string,
): { device: string; path: string } | undefined {
  const best = mountThatCarries(table, path);
  if (best === undefined) return undefined;
  const rest = path.slice(best.mountPoint === '/' ? 0 : best.mountPoint.length);
  const joined = `${best.root === '/' ? '' : best.root}${rest}`;
  return { device: best.device, path: joined === '' ? '/' : joined };
}

/** The mount that a path lies on; the last one where several lie over one another. */
export function mountThatCarries(table: readonly MountEntry[], path: string): MountEntry | undefined {
  let best: MountEntry | undefined;
  for (const entry of table) {
    if (!isUnder(path, entry.mountPoint)) continue;
    if (best === undefined || entry.mountPoint.length >= best.mountPoint.length) best = entry;
  }
  return best;
}

/** Mount points with this name as one part of their path. */
export function mountsNamed(table: readonly MountEntry[], name: string): readonly string[] {
  return table.map(({ mountPoint }) => mountPoint).filter((path) => path.split('/').includes(name));
}

/**
 * The mount tables of all mount namespaces that this process can see, its own left out, one of each: a driver in a
 * container of its own may have mounted where nobody else sees it.
 */
export function readOtherMountTables(): readonly (readonly MountEntry[])[] {
  const seen = new Set([namespaceOf('self')]);
  const tables: (readonly MountEntry[])[] = [];
  for (const process of readdirSync('/proc')) {
    const namespace = /^\d+$/.test(process) ? namespaceOf(process) : undefined;
    if (namespace === undefined || seen.has(namespace)) continue;
    seen.add(namespace);
    try {
      tables.push(readMountTable(Number(process)));
    } catch {
      // It has ended since, or is none of ours to look at.
    }
  }
  return tables;
}

function namespaceOf(process: string): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/mnt`);
  } catch {
    return undefined;
  }
}
