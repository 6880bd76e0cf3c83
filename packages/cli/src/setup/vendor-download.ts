/** The vendor's own archive, verified against the checksum published beside it. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expectChecksum } from './checksum.ts';
import { messageOf } from './setup-error.ts';
import type { FetchArchive } from './distribution.ts';

const VENDOR = 'https://artifacts.elastic.co/downloads/elasticsearch';
const TIME_LIMIT_MS = 20 * 60_000;
const MACHINES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' };

export const downloadFromVendor: FetchArchive = async (version, directory) => {
  const machine = MACHINES[process.arch];
  if (machine === undefined) throw new Error(`there is no archive for ${process.arch}`);
  const name = `elasticsearch-${version}-linux-${machine}.tar.gz`;
  const published = await (await get(`${VENDOR}/${name}.sha512`)).text();
  const wanted = /^[0-9a-f]{128}/.exec(published)?.[0];
  if (wanted === undefined) throw new Error(`${name}.sha512 holds no checksum`);
  const archive = join(directory, name);
  const response = await get(`${VENDOR}/${name}`);
  if (response.body === null) throw new Error(`${name}: empty answer`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(archive));
  await expectChecksum(archive, 'sha512', wanted);
  return archive;
};

async function get(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIME_LIMIT_MS) });
  } catch (error) {
    const { cause } = error as Error;
    throw new Error(`${url}: ${messageOf(cause ?? error)}`, { cause: error });
  }
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return response;
}
