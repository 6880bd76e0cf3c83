/** Unpacks what the fetcher brought: tar (plain or gzip) and zip. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { extract as extractTar } from 'tar';
import { open } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';

const TAR = /\.(tar|tar\.gz|tgz)$/;
const ZIP = /\.zip$/;

export function isArchive(path: string): boolean {
  return TAR.test(path) || ZIP.test(path);
}

/** Entries that point outside of `target` are refused. */
export async function extractArchive(archive: string, target: string): Promise<void> {
  if (TAR.test(archive)) await extractTar({ file: archive, cwd: target });
  else await extractZip(archive, target);
}

async function extractZip(archive: string, target: string): Promise<void> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    open(archive, { lazyEntries: true }, (error, file) => {
      if (error) reject(error);
      else resolve(file);
    });
  });
  await new Promise<void>((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      extractEntry(zip, entry, target).then(() => {
        zip.readEntry();
      }, reject);
    });
    zip.on('end', resolve);
    zip.on('error', reject);
    zip.readEntry();
  });
}

async function extractEntry(zip: ZipFile, entry: Entry, target: string): Promise<void> {
  const path = join(target, entry.fileName);
  if (relative(target, path).startsWith('..'))
    throw new Error(`entry outside of the archive: ${entry.fileName}`);
  if (entry.fileName.endsWith('/')) {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const mode = (entry.externalFileAttributes >>> 16) & 0o777;
  const stream = await promisify(zip.openReadStream.bind(zip))(entry);
  await pipeline(
    stream as NodeJS.ReadableStream,
    createWriteStream(path, { mode: mode === 0 ? 0o644 : mode }),
  );
}
