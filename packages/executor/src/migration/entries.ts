/** What is in a volume, as far as a copy has to know it. */
import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { NOT_COPIED } from './copy-plan.ts';
import { below, bytesOf, namesIn, type RawPath } from './raw-paths.ts';

/** special: fifos, sockets and devices. */
export type EntryKind = 'file' | 'directory' | 'link' | 'special';

export function kindOf(stats: BigIntStats): EntryKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'special';
}

export function statOf(path: RawPath): Promise<BigIntStats> {
  return lstat(bytesOf(path), { bigint: true });
}

/** Undefined where there is nothing. */
export async function statOrNothing(path: RawPath): Promise<BigIntStats | undefined> {
  try {
    return await statOf(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Names below a directory of a volume, without what is not copied. @param at below the volume's root; `''` is the root */
export async function copiedNames(root: RawPath, at: RawPath): Promise<readonly RawPath[]> {
  const names = await namesIn(at === '' ? root : `${root}/${at}`);
  return at === '' ? names.filter((name) => !NOT_COPIED.has(name)) : names;
}

export function isSparse({ blocks, size }: BigIntStats): boolean {
  return blocks * 512n < size;
}

/** The same for every name of one file; undefined where it has but one. */
export function linkKey({ dev, ino, nlink }: BigIntStats): string | undefined {
  return nlink > 1n ? `${dev}:${ino}` : undefined;
}

export interface VolumeSize {
  /** Of regular files, each counted once however many names it has, holes included. */
  readonly bytes: number;
  readonly files: number;
}

export async function measure(root: RawPath): Promise<VolumeSize> {
  const seen = new Set<string>();
  const size = { bytes: 0, files: 0 };
  const walk = async (at: RawPath): Promise<void> => {
    for (const name of await copiedNames(root, at)) {
      const path = below(at, name);
      const stats = await statOf(`${root}/${path}`);
      const kind = kindOf(stats);
      if (kind === 'directory') await walk(path);
      if (kind !== 'file') continue;
      const key = linkKey(stats);
      if (key !== undefined && seen.has(key)) continue;
      if (key !== undefined) seen.add(key);
      size.bytes += Number(stats.size);
      size.files += 1;
    }
  };
  await walk('');
  return size;
}
