/** Makes the new volume hold what the old one holds. Begun anew after an interruption it copies only what is missing. */
import type { BigIntStats } from 'node:fs';
import {
  chmod,
  chown,
  lchown,
  link,
  lutimes,
  mkdir,
  open,
  readlink,
  rm,
  symlink,
  utimes,
} from 'node:fs/promises';
import { CopyError, type PlanVolume } from './copy-plan.ts';
import { copiedNames, isSparse, kindOf, linkKey, measure, statOf, statOrNothing } from './entries.ts';
import { copyContent, firstDifference, makeDurable } from './file-content.ts';
import { copyAttributes, copyLinkTimes, syncFileSystem } from './programs.ts';
import { inLanes } from './in-lanes.ts';
import type { VolumeProgress } from './progress.ts';
import { below, bytesOf, rawPath, textOf, type RawPath } from './raw-paths.ts';

/** Files at a time: an fsync waits, and several of them are one wait. */
const LANES = 8;
/** `utimes` of Node has fractions of a second in floating point. */
const TIME_GRAIN_NS = 1_000n;

interface Copy {
  readonly volume: PlanVolume;
  readonly from: RawPath;
  readonly to: RawPath;
  readonly progress: VolumeProgress;
  /** Of files with several names: the name that was copied, by the file. */
  readonly links: Map<string, Promise<RawPath>>;
}

/** @throws CopyError naming volume, file and what is wrong */
export async function copyVolume(volume: PlanVolume, progress: VolumeProgress): Promise<void> {
  const copy: Copy = {
    ...{ volume, progress, links: new Map() },
    ...{ from: rawPath(volume.source), to: rawPath(volume.target) },
  };
  await copyDirectory(copy, '');
  await about(copy, '', async () => {
    // To the nanosecond, and with extended attributes: what Node has no call for.
    await copyAttributes(volume.source, volume.target, await copiedNames(copy.from, ''));
    await syncFileSystem(volume.target);
  });
}

export async function measureVolume(volume: PlanVolume, progress: VolumeProgress): Promise<void> {
  try {
    const { bytes, files } = await measure(rawPath(volume.source));
    progress.bytesTotal = bytes;
    progress.files = files;
  } catch (error) {
    throw problem(volume, error as NodeJS.ErrnoException, '');
  }
}

async function copyDirectory(copy: Copy, at: RawPath): Promise<void> {
  const [from, to] = both(copy, at);
  const names = await about(copy, at, () => copiedNames(copy.from, at));
  await about(copy, at, async () => {
    const wanted = new Set(names);
    for (const name of await copiedNames(copy.to, at)) {
      if (!wanted.has(name)) await remove(`${to}/${name}`);
    }
  });
  const directories: RawPath[] = [];
  await inLanes(names, LANES, async (name) => {
    const path = below(at, name);
    await about(copy, path, async () => {
      if ((await copyEntry(copy, path)) === 'directory') directories.push(path);
    });
  });
  for (const path of directories) await copyDirectory(copy, path);
  await about(copy, at, async () => {
    await syncDirectory(to).catch(async (error: unknown) => {
      await removeCopied(copy, at).catch(() => undefined);
      throw error;
    });
    await giveAttributes(to, await statOf(from), at === '' ? 'keep-times' : 'all');
  });
}

/** As with a file whose sync has failed: a later one succeeds, and the names may be in memory only. */
async function removeCopied({ to }: Copy, at: RawPath): Promise<void> {
  const directory = at === '' ? to : `${to}/${at}`;
  for (const name of await copiedNames(to, at)) await remove(`${directory}/${name}`);
}

async function copyEntry(copy: Copy, at: RawPath): Promise<'directory' | 'done'> {
  const [from, to] = both(copy, at);
  const source = await statOf(from);
  const kind = kindOf(source);
  const there = await statOrNothing(to);
  const same = there !== undefined && kindOf(there) === kind;
  if (there && !same) await remove(to);
  switch (kind) {
    case 'directory':
      if (!same) await mkdir(bytesOf(to), { mode: 0o700 });
      return 'directory';
    case 'file':
      await copyFile(copy, at, source, same ? there : undefined);
      return 'done';
    case 'link':
      await copySymbolicLink(from, to, source, same);
      return 'done';
    case 'special':
      // Nothing of Elasticsearch's; the verification says that they are not kept.
      return 'done';
  }
}

async function copyFile(copy: Copy, at: RawPath, source: BigIntStats, there?: BigIntStats): Promise<void> {
  const key = linkKey(source);
  const first = key === undefined ? undefined : copy.links.get(key);
  if (first !== undefined) {
    if (await linkTo(copy, await first, at, there)) return;
    await copyOne(copy, at, source, there, 'counted');
    return;
  }
  const done = copyOne(copy, at, source, there, 'new').then(() => at);
  if (key !== undefined) copy.links.set(key, done);
  await done;
}

/** False where the new volume cannot: the file is then there twice. */
async function linkTo(copy: Copy, first: RawPath, at: RawPath, there?: BigIntStats): Promise<boolean> {
  const [, to] = both(copy, at);
  const [, target] = both(copy, first);
  if (there) {
    if ((await statOf(target)).ino === there.ino) return true;
    await remove(to);
  }
  try {
    await link(bytesOf(target), bytesOf(to));
    return true;
  } catch (error) {
    if (isFatal(error as NodeJS.ErrnoException)) throw error;
    return false;
  }
}

async function copyOne(
  copy: Copy,
  at: RawPath,
  source: BigIntStats,
  there: BigIntStats | undefined,
  bytes: 'new' | 'counted',
): Promise<void> {
  const [from, to] = both(copy, at);
  const { progress } = copy;
  const count = (length: number) => {
    if (bytes === 'new') progress.bytesCopied += length;
  };
  // Of several names there, and of one here: written to, it would change them all.
  const strange = there !== undefined && there.nlink > 1n && source.nlink === 1n;
  if (strange || !there || !(await isCopied(from, to, source, there))) {
    if (there && there.nlink > 1n) await remove(to);
    await copyContent(from, to, { sparse: isSparse(source), onBytes: count });
    const after = await statOf(from);
    if (after.size !== source.size || after.mtimeNs !== source.mtimeNs) {
      throw new CopyError(`${textOf(at)} has changed while it was copied: somebody else has the old volume`);
    }
  } else {
    count(Number(source.size));
  }
  await giveAttributes(to, source, 'all');
}

/** The time is set when the content is whole and durable; where it is not kept, the content tells. */
async function isCopied(
  from: RawPath,
  to: RawPath,
  source: BigIntStats,
  there: BigIntStats,
): Promise<boolean> {
  if (there.size !== source.size) return false;
  const apart = there.mtimeNs - source.mtimeNs;
  if (apart > -TIME_GRAIN_NS && apart < TIME_GRAIN_NS) return true;
  if ((await firstDifference(from, to, () => undefined)) !== undefined) return false;
  await makeDurable(to);
  return true;
}

async function copySymbolicLink(
  from: RawPath,
  to: RawPath,
  source: BigIntStats,
  same: boolean,
): Promise<void> {
  const read = (path: RawPath) => readlink(bytesOf(path), { encoding: 'buffer' });
  const points = await read(from);
  if (same && !points.equals(await read(to))) await remove(to);
  if (!same || (await statOrNothing(to)) === undefined) await symlink(points, bytesOf(to));
  await tolerated(() => lchown(bytesOf(to), Number(source.uid), Number(source.gid)));
  await tolerated(() => lutimes(bytesOf(to), seconds(source.atimeNs), seconds(source.mtimeNs)));
  await copyLinkTimes(from, to);
}

/** What the new volume does not keep is no failure here; the verification finds it out. */
async function giveAttributes(
  path: RawPath,
  source: BigIntStats,
  which: 'all' | 'keep-times',
): Promise<void> {
  const at = bytesOf(path);
  // The owner first: a change of it takes set-user-ID bits away.
  await tolerated(() => chown(at, Number(source.uid), Number(source.gid)));
  await tolerated(() => chmod(at, Number(source.mode & 0o7777n)));
  if (which === 'all') await tolerated(() => utimes(at, seconds(source.atimeNs), seconds(source.mtimeNs)));
}

async function tolerated(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (isFatal(error as NodeJS.ErrnoException)) throw error;
  }
}

async function syncDirectory(path: RawPath): Promise<void> {
  const directory = await open(bytesOf(path), 'r');
  try {
    await directory.sync();
  } catch (error) {
    // Some file systems have no such thing for directories; the whole of it is synced at the end.
    if (!['EINVAL', 'ENOSYS', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await directory.close();
  }
}

function remove(path: RawPath): Promise<void> {
  return rm(bytesOf(path), { recursive: true, force: true });
}

function both({ from, to }: Copy, at: RawPath): readonly [RawPath, RawPath] {
  return at === '' ? [from, to] : [`${from}/${at}`, `${to}/${at}`];
}
function seconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e9;
}

/** The volume itself is at its end: not a matter of what it keeps. */
function isFatal({ code }: NodeJS.ErrnoException): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'ENOTCONN', 'ESTALE'].includes(code ?? '');
}

async function about<T>({ volume }: Copy, at: RawPath, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw problem(volume, error as NodeJS.ErrnoException, at);
  }
}

/** Which of the two it is about shows in the path that the system call was made with. */
export function problem(volume: PlanVolume, error: NodeJS.ErrnoException, at: RawPath): CopyError {
  const { source, sourceText, targetText } = volume;
  if (error instanceof CopyError) {
    return error.message.startsWith('volume ') ? error : new CopyError(`${sourceText}: ${error.message}`);
  }
  const where = at === '' ? '' : ` (at ${textOf(at)})`;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new CopyError(
        `${targetText} is full (${error.code})${where}: it must hold what ${sourceText} holds`,
      );
    case 'EROFS':
      return new CopyError(`${targetText} is mounted read-only (EROFS)${where}`);
    default: {
      const inSource = typeof error.path === 'string' && error.path.startsWith(`${source}/`);
      const which = inSource ? `${sourceText} cannot be read` : `the copy to ${targetText} fails`;
      return new CopyError(`${which}${where}: ${error.message}`, { cause: error });
    }
  }
}
