/** Files that the Mesos fetcher gets from us, each under a path that holds its checksum. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Artifact, Artifacts } from '../core/model.ts';
import type { ExecutorOptions } from '../options.ts';

export interface ServedFile {
  readonly sha256: string;
  /** Name on the agent. */
  readonly file: string;
  readonly path: string;
}

export interface ArtifactFiles {
  readonly executor: ServedFile;
  /** Served by us. */
  readonly archive?: ServedFile;
}

/** @throws Error naming the option whose file cannot be read. */
export async function readArtifacts(options: ExecutorOptions): Promise<ArtifactFiles> {
  const executor = await served('executor bundle', options.bundleFile, 'executor.mjs');
  if (options.archive?.kind !== 'file') return { executor };
  const { file } = options.archive;
  return { executor, archive: await served('Elasticsearch archive', file, basename(file)) };
}

async function served(what: string, path: string, file: string): Promise<ServedFile> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    throw new Error(`the ${what} cannot be read at ${path}; build it first or name another file`, { cause });
  }
  return { sha256: hash.digest('hex'), file, path };
}

export function artifactPath({ sha256, file }: ServedFile): string {
  return `/artifacts/${sha256}/${encodeURIComponent(file)}`;
}

/** What a launch tells the fetcher. @param baseUrl of our own server, as the agents reach it */
export function describeArtifacts(
  options: ExecutorOptions,
  files: ArtifactFiles,
  baseUrl: string,
): Artifacts {
  const ours = (file: ServedFile): Artifact => ({
    url: `${baseUrl}${artifactPath(file)}`,
    file: file.file,
    sha256: file.sha256,
  });
  const executor = ours(files.executor);
  if (files.archive !== undefined) return { executor, archive: ours(files.archive) };
  if (options.archive?.kind !== 'url') return { executor };
  const { url, sha256 } = options.archive;
  return { executor, archive: { url, sha256, file: basename(new URL(url).pathname) } };
}
