/** A state directory on file-systems that really are full or read-only, as the scheduler's operator meets them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDirectoryLedger } from './ledger.ts';

const run = promisify(execFile);
const root = process.getuid?.() === 0;
const why = root ? '' : ' (skipped: mounting needs root)';

describe.skipIf(!root)(`a ledger on a file-system that cannot be written${why}`, () => {
  let place: string;
  const mount = (options: string) => run('mount', ['-t', 'tmpfs', '-o', options, 'none', place]);

  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'ledger-'));
  });
  afterEach(async () => {
    await run('umount', [place]);
    await rm(place, { recursive: true });
  });

  it('says that a read-only one is read-only, and what to do', async () => {
    await mount('ro');
    await expect(openDirectoryLedger(place)).rejects.toMatchObject({
      code: 'read-only',
      message: expect.stringContaining('correct its permissions or its mount') as string,
    });
  });

  it('says that a full one is full, and what to do', async () => {
    await mount('size=4k');
    await writeFile(join(place, 'fill'), 'x'.repeat(4096));
    await expect(openDirectoryLedger(place)).rejects.toMatchObject({
      code: 'full',
      message: expect.stringContaining('free some and try again') as string,
    });
  });
});
