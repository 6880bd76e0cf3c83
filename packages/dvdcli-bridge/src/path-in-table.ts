import { readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mountThatCarries, type MountEntry } from './mount-table.ts';

/** File systems that may keep whoever asks waiting for ever, by the kernel's names. */
const MAY_HANG = /^(fuse|nfs|cifs|smb|9p|ceph|gluster|lustre|afs|gfs|ocfs)/;
const MOST_LINKS = 40;

/**
 * A path as the mount table and /proc have it, with the links in the directories above it followed (`/var/run` is one). The
 * last part is never looked at, and nothing that lies on a network's or a FUSE file system: there the rest is taken
 * as it stands, for a volume that hangs must not hang who asks. So it is from a mount on that bears the volume's name.
 * @param path absolute
 */
export function pathInTable(table: readonly MountEntry[], path: string, volume?: string): string {
  const rest = path.split('/').filter((part) => part !== '' && part !== '.');
  let reached = '/';
  for (let links = 0; rest.length > 1;) {
    const [part = ''] = rest.splice(0, 1);
    const next = part === '..' ? dirname(reached) : join(reached, part);
    const mount = mountThatCarries(table, next);
    if (mount !== undefined && (MAY_HANG.test(mount.fileSystem) || isNamed(mount, volume)))
      return join(next, ...rest);
    const target = part === '..' ? undefined : linkAt(next);
    if (target === undefined) {
      reached = next;
    } else {
      links += 1;
      if (links > MOST_LINKS) return path;
      if (target.startsWith('/')) reached = '/';
      rest.unshift(...target.split('/').filter((each) => each !== '' && each !== '.'));
    }
  }
  return join(reached, ...rest);
}

function isNamed({ mountPoint }: MountEntry, volume: string | undefined): boolean {
  return volume !== undefined && mountPoint.split('/').includes(volume);
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // No link, or nothing at all.
    return undefined;
  }
}
