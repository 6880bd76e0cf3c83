/** Brings the URIs of a command into the sandbox, as the Mesos fetcher does. */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, copyFile, mkdir, rename, stat } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { CommandUri } from '@mesos-elasticsearch/mesos-v1';
import { extractArchive, isArchive } from './extract.ts';

export class FetchError extends Error {
  override readonly name = 'FetchError';
}

async function download(url: string, target: string): Promise<void> {
  if (/^https?:/.test(url)) {
    const response = await fetch(url);
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(target));
    return;
  }
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  if (!isAbsolute(path)) throw new Error('only http, https and file URIs and absolute paths can be fetched');
  await copyFile(path, target);
}

/** The name a URI gets in the sandbox: the last part of its path, query included. */
function nameOf(uri: CommandUri): string {
  return uri.outputFile ?? basename(uri.value);
}

async function cached(url: string, cacheDir: string): Promise<string> {
  const entry = join(cacheDir, createHash('sha256').update(url).digest('hex'));
  const present = await stat(entry).then(
    () => true,
    () => false,
  );
  if (present) return entry;
  await mkdir(cacheDir, { recursive: true });
  const partial = `${entry}.${randomUUID()}`;
  await download(url, partial);
  await rename(partial, entry);
  return entry;
}

async function fetchOne(uri: CommandUri, sandbox: string, cacheDir: string): Promise<void> {
  const target = join(sandbox, nameOf(uri));
  await mkdir(join(target, '..'), { recursive: true });
  if (uri.cache === true) await copyFile(await cached(uri.value, cacheDir), target);
  else await download(uri.value, target);
  if (uri.executable === true) await chmod(target, 0o755);
  else {
    await chmod(target, 0o644);
    if (uri.extract !== false && isArchive(target)) await extractArchive(target, sandbox);
  }
}

/** Throws FetchError that names the URI which could not be had. */
export async function fetchUris(
  uris: readonly CommandUri[],
  sandbox: string,
  cacheDir: string,
): Promise<void> {
  for (const uri of uris) {
    try {
      await fetchOne(uri, sandbox, cacheDir);
    } catch (cause) {
      throw new FetchError(`cannot fetch ${uri.value}: ${(cause as Error).message}`, { cause });
    }
  }
}
