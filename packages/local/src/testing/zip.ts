/** The least of a zip archive, uncompressed, so that tests need no program that makes one. */
import { crc32 } from 'node:zlib';

export interface ZipEntry {
  /** Ends with a slash: a directory. */
  readonly name: string;
  readonly text: string;
  /** Permission bits, for example 0o755; 0: made where there are none. */
  readonly mode: number;
}

const VERSION = 20;
const MADE_ON_UNIX = 3 << 8;

function sizes(entry: ZipEntry): number[] {
  return [crc32(entry.text), Buffer.byteLength(entry.text), Buffer.byteLength(entry.text)];
}

function words(width: 2 | 4, ...values: number[]): Buffer {
  const buffer = Buffer.alloc(width * values.length);
  values.forEach((value, at) => buffer.writeUIntLE(value, at * width, width));
  return buffer;
}

function localEntry(entry: ZipEntry): Buffer {
  return Buffer.concat([
    words(4, 0x04034b50),
    words(2, VERSION, 0, 0, 0, 0),
    words(4, ...sizes(entry)),
    words(2, Buffer.byteLength(entry.name), 0),
    Buffer.from(entry.name + entry.text),
  ]);
}

function directoryEntry(entry: ZipEntry, offset: number): Buffer {
  return Buffer.concat([
    words(4, 0x02014b50),
    words(2, MADE_ON_UNIX | VERSION, VERSION, 0, 0, 0, 0),
    words(4, ...sizes(entry)),
    words(2, Buffer.byteLength(entry.name), 0, 0, 0, 0),
    words(4, entry.mode * 0x10000, offset),
    Buffer.from(entry.name),
  ]);
}

/** Bytes of an archive of these entries, in order. */
export function zipArchive(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const local = localEntry(entry);
    directory.push(directoryEntry(entry, offset));
    locals.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.concat([
    words(4, 0x06054b50),
    words(2, 0, 0, entries.length, entries.length),
    words(4, listed.length, offset),
    words(2, 0),
  ]);
  return Buffer.concat([...locals, listed, end]);
}
