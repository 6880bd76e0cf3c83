/** Content of regular files, streamed: at no time more than two buffers a file. */
import { constants } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { bytesOf, type RawPath } from './raw-paths.ts';

const CHUNK = 1024 * 1024;
/** The unit in which file systems have holes. */
const BLOCK = 4096;
const ZEROS = Buffer.alloc(CHUNK);

export type OnBytes = (bytes: number) => void;

/** Holes stay holes where `sparse`. Durable when it returns. @throws the file system's error, with `syscall` */
export async function copyContent(
  from: RawPath,
  to: RawPath,
  options: { sparse: boolean; onBytes: OnBytes },
): Promise<void> {
  const source = await open(bytesOf(from), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const target = await open(bytesOf(to), flags, 0o600);
    try {
      await stream(source, target, options);
      await syncOrRemove(target, to);
    } catch (error) {
      await target.close().catch(() => undefined);
      throw error;
    }
    // A file system may keep an error until now.
    await target.close().catch((error: unknown) => removed(to, error));
  } finally {
    await source.close();
  }
}

/** Of a file whose content was compared: it may have been written by somebody who was ended before he had synced it. */
export async function makeDurable(path: RawPath): Promise<void> {
  const file = await open(bytesOf(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await syncOrRemove(file, path);
  } finally {
    await file.close();
  }
}

/**
 * After a sync that failed the kernel may show the whole content from memory, call it clean, and let the next sync
 * succeed: such a file would look copied. So it is removed, and the next try writes it anew. See fsync(2) on EIO.
 */
async function syncOrRemove(file: FileHandle, path: RawPath): Promise<void> {
  await file.sync().catch((error: unknown) => removed(path, error));
}
async function removed(path: RawPath, error: unknown): Promise<never> {
  await rm(bytesOf(path), { force: true }).catch(() => undefined);
  throw error;
}

async function stream(
  source: FileHandle,
  target: FileHandle,
  { sparse, onBytes }: { sparse: boolean; onBytes: OnBytes },
): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let position = 0;
  let written = 0;
  for (;;) {
    const length = await fill(source, buffer, position);
    const chunk = buffer.subarray(0, length);
    const pieces = sparse ? piecesWithData(chunk) : [{ start: 0, end: length }];
    for (const { start, end } of pieces) {
      await writeAll(target, chunk.subarray(start, end), position + start);
      written = position + end;
    }
    position += length;
    onBytes(length);
    if (length < CHUNK) break;
  }
  // The hole at the end.
  if (written < position) await target.truncate(position);
}

/** What of a chunk is to be written: runs of blocks that are not all zeros. */
export function piecesWithData(chunk: Buffer): readonly { start: number; end: number }[] {
  if (chunk.equals(ZEROS.subarray(0, chunk.length))) return [];
  const pieces: { start: number; end: number }[] = [];
  for (let start = 0; start < chunk.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, chunk.length);
    const block = chunk.subarray(start, end);
    if (block.length === BLOCK && block.equals(ZEROS.subarray(0, BLOCK))) continue;
    const last = pieces.at(-1);
    if (last?.end === start) last.end = end;
    else pieces.push({ start, end });
  }
  return pieces;
}

/** Where the two differ first; undefined where they do not. */
export async function firstDifference(
  one: RawPath,
  other: RawPath,
  onBytes: OnBytes,
): Promise<number | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  const left = await open(bytesOf(one), flags);
  try {
    const right = await open(bytesOf(other), flags);
    try {
      return await compare(left, right, onBytes);
    } finally {
      await right.close();
    }
  } finally {
    await left.close();
  }
}

async function compare(left: FileHandle, right: FileHandle, onBytes: OnBytes): Promise<number | undefined> {
  const [a, b] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
  for (let position = 0; ; position += CHUNK) {
    const [inLeft, inRight] = await Promise.all([fill(left, a, position), fill(right, b, position)]);
    const length = Math.min(inLeft, inRight);
    if (!a.subarray(0, length).equals(b.subarray(0, length))) {
      return position + a.findIndex((byte, index) => byte !== b[index]);
    }
    onBytes(length);
    if (inLeft !== inRight) return position + length;
    if (inLeft < CHUNK) return undefined;
  }
}

/** As much as the buffer takes or the file has: a short read is not yet the end. */
async function fill(file: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await file.write(data, done, data.length - done, position + done);
    done += bytesWritten;
  }
}
