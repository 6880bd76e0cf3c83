import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One line of /proc/PID/mountinfo, see proc_pid_mountinfo(5). */
export interface MountEntry {
  /** Of this mount, and of the one that its mount point lies on; both absent where nobody read them from a table. */
  readonly id?: string;
  readonly parent?: string;
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
    const [id, parent, device, root, mountPoint, options = ''] = fields;
    const [fileSystem, , superOptions = ''] = after?.split(' ') ?? [];
    if (id === undefined || parent === undefined || device === undefined) continue;
    if (root === undefined || mountPoint === undefined || fileSystem === undefined) continue;
    const readOnly = [options, superOptions].some((list) => list.split(',').includes('ro'));
    entries.push({
      ...{ id, parent, device, root: unescapeOctal(root), mountPoint: unescapeOctal(mountPoint), fileSystem },
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

/** Somewhere in the stack of mounts at that very path, hidden by later ones or not. */
export function isMountPoint(table: readonly MountEntry[], path: string): boolean {
  return table.some((entry) => entry.mountPoint === path);
}

/** What is seen there: a later mount hides an earlier one, and one over a directory above hides it as well. */
export function topMountAt(table: readonly MountEntry[], path: string): MountEntry | undefined {
  const mount = mountThatCarries(table, path);
  return mount?.mountPoint === path ? mount : undefined;
}

export function isUnder(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

export interface PlaceInFileSystem {
  readonly device: string;
  readonly path: string;
}

/** Where a path lies inside its file system; undefined when no mount carries it. */
export function locateInFileSystem(
  table: readonly MountEntry[],
  path: string,
): PlaceInFileSystem | undefined {
  const best = mountThatCarries(table, path);
  return best === undefined ? undefined : placeIn(best, path);
}

function placeIn({ device, root, mountPoint }: MountEntry, path: string): PlaceInFileSystem {
  const rest = path.slice(mountPoint === '/' ? 0 : mountPoint.length);
  const joined = `${root === '/' ? '' : root}${rest}`;
  return { device, path: joined === '' ? '/' : joined };
}

/** The same, and where it lies in every other mount at that very path, which are hidden now and may be in use. */
export function placesInFileSystems(
  table: readonly MountEntry[],
  path: string,
): readonly PlaceInFileSystem[] {
  const seen = mountThatCarries(table, path);
  return table
    .filter((entry) => entry === seen || entry.mountPoint === path)
    .map((entry) => placeIn(entry, path));
}

/**
 * The mount that a path lies on, as the kernel walks to it: from the root's mount on to whatever is mounted on that first on
 * the way, so that what lies below a mount that was made later over a directory above is not seen.
 */
export function mountThatCarries(table: readonly MountEntry[], path: string): MountEntry | undefined {
  const onTheWay = table.filter((entry) => isUnder(path, entry.mountPoint));
  // A table of no kernel.
  if (onTheWay.some(({ id }) => id === undefined)) return deepest(onTheWay);
  const ids = new Set(table.map(({ id }) => id));
  let reached: MountEntry | undefined;
  let next = onTheWay.filter(({ parent, id }) => !ids.has(parent) || parent === id);
  for (const seen = new Set<MountEntry>(); next.length > 0;) {
    reached = next.reduce((best, entry) =>
      entry.mountPoint.length <= best.mountPoint.length ? entry : best,
    );
    seen.add(reached);
    const { id } = reached;
    next = onTheWay.filter((entry) => entry.parent === id && !seen.has(entry));
  }
  return reached;
}

function deepest(entries: readonly MountEntry[]): MountEntry | undefined {
  let best: MountEntry | undefined;
  for (const entry of entries)
    if (best === undefined || entry.mountPoint.length >= best.mountPoint.length) best = entry;
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
