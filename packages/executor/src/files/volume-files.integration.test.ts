import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MARKER_FILE } from '@mesos-elasticsearch/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localCommands } from '../jar/local-commands.ts';
import { emptyVolume } from './volume-files.ts';

describe('the wipe of a volume', () => {
  let volume: string;
  const commands = localCommands(undefined, { PATH: process.env.PATH ?? '/usr/bin:/bin' });

  beforeEach(async () => {
    volume = await mkdtemp(join(tmpdir(), 'volume-files-'));
    await mkdir(join(volume, 'nodes/0/indices'), { recursive: true });
    await mkdir(join(volume, 'lost+found'));
    await writeFile(join(volume, 'nodes/0/indices/segment'), 'old');
    await writeFile(join(volume, '.hidden'), 'old');
    await writeFile(join(volume, '-rf'), 'a name like an option');
    await writeFile(join(volume, MARKER_FILE), '{}');
  });
  afterEach(() => rm(volume, { recursive: true }));

  it('leaves the marker and what mkfs has made, and nothing else', async () => {
    await emptyVolume(commands, volume, () => Number.POSITIVE_INFINITY);
    expect((await readdir(volume)).sort()).toEqual([MARKER_FILE, 'lost+found'].sort());
    await emptyVolume(commands, volume, () => 5);
  });

  it('is not begun on a lease that has run out', async () => {
    await expect(emptyVolume(commands, volume, () => 0.5)).rejects.toThrow('not renewed in time');
    expect(await readdir(join(volume, 'nodes/0/indices'))).toEqual(['segment']);
  });
});
