/**
 * A storage that fails at fsync. What the kernel then still shows of the file is in its memory only, and it counts as clean: a
 * later fsync succeeds, and a comparison finds nothing wrong. So the file must be written anew.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fillVolume, treeOf } from '../testing/volume-tree.ts';
import type { PlanVolume } from './copy-plan.ts';
import { copyVolume } from './copy-volume.ts';
import type { VolumeProgress } from './progress.ts';
import { verifyVolume } from './verify-volume.ts';

const TRANSLOG = 'nodes/0/indices/aGVsbG8gd29ybGQgMQ/0/translog/translog-7.tlog';

let scratch: string;
let volume: PlanVolume;
let handles: FileHandle;
/** Inodes that were synced, in order. */
let synced: number[];
/** Undefined: it is synced. Otherwise why not. */
let failing: (of: { readonly ino: number; isFile(): boolean }) => boolean;

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'failed-sync-'));
  const [source, target] = [join(scratch, 'old'), join(scratch, 'new')];
  for (const directory of [source, target]) mkdirSync(directory);
  volume = {
    ...{ role: 'data', source, target, readBack: target, arrivesWithinMs: 0 },
    ...{ sourceText: 'volume old of driver a (data)', targetText: 'volume new of driver b (new-data)' },
  };
  fillVolume(source, process.getuid?.() ?? 0);
  [synced, failing] = [[], () => false];
  const one = await open(scratch, 'r');
  handles = Object.getPrototypeOf(one) as FileHandle;
  await one.close();
  const sync = Reflect.get(handles, 'sync');
  vi.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
    const of = await this.stat();
    synced.push(of.ino);
    if (failing(of))
      throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO', syscall: 'fsync' });
    return sync.call(this);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(scratch, { recursive: true, force: true });
});

const progress = (): VolumeProgress => {
  return { role: 'data', bytesTotal: 0, bytesCopied: 0, bytesVerified: 0, files: 0, notKept: [] };
};
const to = (path: string) => join(volume.target, path);
const inodeOf = async (path: string) => {
  const file = await open(path, 'r');
  try {
    return (await file.stat()).ino;
  } finally {
    await file.close();
  }
};

describe('a file that cannot be synced', () => {
  it('is no part of the copy: the try fails, and the next one writes it anew', async () => {
    await copyVolume(volume, progress());
    rmSync(to(TRANSLOG));
    // Nothing else is written now.
    failing = (of) => of.isFile();
    await expect(copyVolume(volume, progress())).rejects.toThrow(/the copy to volume new .*EIO/);
    expect(existsSync(to(TRANSLOG))).toBe(false);
    failing = () => false;
    await copyVolume(volume, progress());
    await verifyVolume(volume, progress());
    expect(treeOf(volume.target)).toEqual(treeOf(volume.source));
    expect(synced).toContain(await inodeOf(to(TRANSLOG)));
  });

  it('is not trusted for its content after a crash: it is synced before it counts, and else written anew', async () => {
    await copyVolume(volume, progress());
    // Killed between the last byte and the sync: all is there to be seen, and the time was not given yet.
    utimesSync(to(TRANSLOG), new Date(), new Date());
    const before = await inodeOf(to(TRANSLOG));
    synced = [];
    failing = ({ ino }) => ino === before;
    await expect(copyVolume(volume, progress())).rejects.toThrow('EIO');
    expect(synced).toContain(before);
    expect(existsSync(to(TRANSLOG))).toBe(false);
    failing = () => false;
    await copyVolume(volume, progress());
    expect(readFileSync(to(TRANSLOG))).toEqual(readFileSync(join(volume.source, TRANSLOG)));
  });
});

describe('a directory that cannot be synced', () => {
  it.each([
    ['below the root', 'nodes/0'],
    ['the root itself', ''],
  ])('has no part of the copy in it: its names may be in memory only (%s)', async (_, path) => {
    await copyVolume(volume, progress());
    const directory = await inodeOf(to(path));
    failing = ({ ino }) => ino === directory;
    await expect(copyVolume(volume, progress())).rejects.toThrow('EIO');
    expect(existsSync(to(TRANSLOG))).toBe(false);
    failing = () => false;
    await copyVolume(volume, progress());
    await verifyVolume(volume, progress());
    expect(treeOf(volume.target)).toEqual(treeOf(volume.source));
  });
});
