/** Unpacks a distribution's archive: checksum first, nothing outside the target, execute bits kept. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import { openPromise, type Entry } from 'yauzl';
import { SetupError } from '../ports.ts';

/** @throws SetupError when the file is missing or is not the one that was promised */
export async function verifySha256(file: string, expected: string): Promise<void> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (cause) {
    throw new SetupError(`the archive ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const found = hash.digest('hex');
  if (found !== expected) {
    throw new SetupError(
      `the archive ${file} has the SHA-256 ${found}, expected ${expected}: it is damaged or another one`,
    );
  }
}

/** Unpacks `.zip` or `.tar.gz` so that `target` is the archive's one top folder. An existing target is kept. */
export async function unpack(file: string, target: string): Promise<void> {
  const temporary = `${target}.unpacking`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  if (file.endsWith('.zip')) await unpackZip(file, temporary);
  else if (/\.(tar\.gz|tgz)$/.test(file)) await unpackTar(file, temporary);
  else throw new SetupError(`the archive ${file} is neither .zip nor .tar.gz`);
  await rename(temporary, target);
}

/** `elasticsearch-8.19.5/bin/x` → `bin/x`; undefined for the top folder itself. */
export function withoutTopFolder(name: string): string | undefined {
  const path = normalize(name);
  if (isAbsolute(path) || path.split('/').includes('..') || name.includes('\\') || name.includes('\0')) {
    throw new SetupError(`the archive has an entry that leaves its folder: ${JSON.stringify(name)}`);
  }
  const inside = path.split('/').slice(1).join('/');
  return inside === '' ? undefined : inside;
}

async function unpackTar(file: string, target: string): Promise<void> {
  // The library itself refuses absolute paths, ".." and links that lead outside.
  await extract({ file, cwd: target, strip: 1, strict: true, preserveOwner: false });
}

async function unpackZip(file: string, target: string): Promise<void> {
  const archive = await openPromise(file, { strictFileNames: true });
  for await (const entry of archive.eachEntry()) {
    const name = withoutTopFolder(entry.fileName);
    if (name === undefined) continue;
    const path = join(target, name);
    if (name.endsWith('/')) {
      await mkdir(path, { recursive: true });
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    const source = await archive.openReadStreamPromise(entry);
    await pipeline(source, createWriteStream(path, { mode: unixMode(entry) }));
  }
}

const SYMBOLIC_LINK = 0o120000;
const FILE_TYPE = 0o170000;

/** Made on Unix, the upper half of the attributes is the mode; write permission for others is dropped. */
function unixMode(entry: Entry): number {
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & FILE_TYPE) === SYMBOLIC_LINK) {
    throw new SetupError(
      `the archive has a symbolic link, which a distribution has no need of: ${entry.fileName}`,
    );
  }
  return mode & 0o111 ? 0o755 : 0o644;
}
