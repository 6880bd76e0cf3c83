import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';

export async function checksumOf(file: string, algorithm: 'sha256' | 'sha512'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** @throws Error naming the file, what was wanted and what it is. */
export async function expectChecksum(
  file: string,
  algorithm: 'sha256' | 'sha512',
  wanted: string,
): Promise<void> {
  const found = await checksumOf(file, algorithm);
  if (found !== wanted) {
    throw new Error(`${basename(file)} has the ${algorithm} ${found}, wanted ${wanted}: it is not used`);
  }
}
