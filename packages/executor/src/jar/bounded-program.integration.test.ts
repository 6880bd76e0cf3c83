/** Programs that hang in a file system that is mounted and does not answer. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandTimeLimitError } from '../ports.ts';
import {
  hungFileSystemUnavailable,
  mountHungFileSystem,
  type HungFileSystem,
} from '../testing/hung-file-system.ts';
import { abandonedPrograms, MOST_ABANDONED, onAbandoned, runBounded } from './bounded-program.ts';
import { lookByProgram } from './local-commands.ts';

const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin' };
const missing = hungFileSystemUnavailable();

describe('a program in good order', () => {
  it('gives back what it said, and what it was given', async () => {
    const told = await runBounded({ argv: ['cat'], input: 'text', limitMs: 5_000, environment });
    expect([told.exitCode, told.stdout.toString()]).toEqual([0, 'text']);
    const failed = await runBounded({ argv: ['ls', '/proc/none'], limitMs: 5_000, environment });
    expect(failed.exitCode).toBe(2);
    expect(failed.stderr).toContain('/proc/none');
  });

  it('is killed at its limit', async () => {
    const slow = runBounded({ argv: ['sleep', '60'], limitMs: 100, environment });
    await expect(slow).rejects.toThrow(CommandTimeLimitError);
    expect(abandonedPrograms()).toEqual([]);
  });
});

describe.skipIf(missing !== undefined)(
  `a file system that hangs${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let root: string;
    let mountpoint: string;
    let hung: HungFileSystem | undefined;
    const told: string[] = [];

    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), 'hung-'));
      mountpoint = join(root, 'volume');
      hung = await mountHungFileSystem(mountpoint);
      onAbandoned((message) => told.push(message));
    });
    afterEach(async () => {
      await hung?.end();
      await expect.poll(() => abandonedPrograms(), { timeout: 10_000 }).toEqual([]);
      await rm(root, { recursive: true });
    });
    const look = () => runBounded({ argv: ['stat', mountpoint], limitMs: 200, environment });

    it('keeps a program that not even SIGKILL ends; nobody waits for it, and it is counted', async () => {
      const started = performance.now();
      await expect(look()).rejects.toThrow('did not end within 200 ms');
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(abandonedPrograms()).toEqual([expect.stringMatching(/^stat \(pid \d+\)$/)]);
      const pid = /\d+/.exec(abandonedPrograms()[0] ?? '')?.[0] ?? '';
      expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(/^State:\tD/m);
      expect(told.at(-1)).toContain('hangs in the kernel');
      await hung?.end();
      hung = undefined;
      await expect.poll(() => abandonedPrograms(), { timeout: 10_000 }).toEqual([]);
      expect(told.at(-1)).toContain('has ended');
    });

    it('does not slow down the files of everybody else, and does not collect programs without end', async () => {
      const looks = await Promise.allSettled(Array.from({ length: MOST_ABANDONED }, look));
      expect(looks.every(({ status }) => status === 'rejected')).toBe(true);
      expect(abandonedPrograms()).toHaveLength(MOST_ABANDONED);
      const started = performance.now();
      await Promise.all(Array.from({ length: 8 }, () => readFile('/proc/uptime')));
      expect(performance.now() - started).toBeLessThan(1_000);
      await expect(look()).rejects.toThrow('is not started');
    });

    it('is "no answer" to who asks for a mountpoint, not "bad"', async () => {
      expect(await lookByProgram(environment, 200)(mountpoint)).toBe('no-answer');
      expect(await lookByProgram(environment)(root)).toBe('directory');
      expect(await lookByProgram(environment)('/proc/uptime')).toBe('something-else');
      await expect(lookByProgram(environment)('/proc/none')).rejects.toThrow('No such file');
    });
  },
);
