/** What becomes of programs that hang, print nonsense or are not there. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import { processStat } from '../hostdir/processes.ts';
import type { Outcome } from '../outcome.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { dvdcliVolumes } from './volumes.ts';

const volume: VolumeSpec = {
  name: volumeName('elasticsearch1data'),
  driver: 'odd',
  options: { a: 'b=c', d: 'e f' },
};
const task = 'task-1' as ConsumerId;

let home: string;
beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'dvdcli-'))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A program that writes down its arguments, and answers each command as told. */
function program(commands: Readonly<Record<string, string>>): Volumes {
  const path = join(home, 'dvdcli');
  const cases = Object.entries(commands).map(([command, script]) => `${command}) ${script} ;;`);
  const log = `printf '%s\\n' "$*" >> ${join(home, 'calls')}`;
  writeFileSync(path, `#!/bin/sh\n${log}\ncase "$1" in\n${cases.join('\n')}\n*) : ;;\nesac\n`);
  chmodSync(path, 0o755);
  return dvdcliVolumes({ program: path, timeLimits: { mountMs: 400, createMs: 5_000, otherMs: 5_000 } });
}
const calls = (): string[] => readFileSync(join(home, 'calls'), 'utf8').trim().split('\n');
const says = (outcome: Outcome<unknown>): string =>
  outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}`;
const THERE = `echo ${volume.name}`;

describe('the dvdcli path', () => {
  it('gives every option in a flag of its own, unchanged', async () => {
    const volumes = program({ get: 'echo \'msg="volume not found"\' >&2; exit 1' });
    expect(says(await volumes.ensure(volume))).toBe('done');
    expect(calls().at(-1)).toBe(
      'create --volumedriver=odd --volumename=elasticsearch1data --volumeopts=a=b=c --volumeopts=d=e f',
    );
  });
  it('kills what hangs, its children too, and does not know what became of the mount', async () => {
    const volumes = program({ get: THERE, mount: `sleep 300 & echo $! > ${join(home, 'child')}; wait` });
    expect(says(await volumes.attach(volume, task))).toBe('unknown time-limit');
    const child = Number(readFileSync(join(home, 'child'), 'utf8'));
    // Until whoever inherits it has buried it, a killed child is still listed, as a zombie.
    await vi.waitFor(() => expect(processStat(child)?.state ?? 'Z').toBe('Z'));
  });
  it.each([
    ['prints its usage and exits 0', 'echo "Usage: dvdcli mount" >&2', 'not-done invalid'],
    ['prints an empty line and exits 0', 'echo', 'not-done bad-mountpoint'],
    ['prints a relative path', 'echo some/where', 'not-done bad-mountpoint'],
    ['prints two lines', 'echo /tmp; echo /tmp', 'unknown bad-answer'],
    ['crashes', 'echo "panic: nil" >&2; exit 2', 'unknown driver-error'],
  ])('does not take it for a mount when the program %s', async (_, script, outcome) => {
    const volumes = program({ get: THERE, mount: script });
    expect(says(await volumes.attach(volume, task))).toBe(outcome);
    expect(calls().some((call) => call.startsWith('unmount'))).toBe(outcome === 'not-done bad-mountpoint');
  });
  it('says that the program is missing', async () => {
    const volumes = dvdcliVolumes({ program: join(home, 'nowhere') });
    const outcome = await volumes.ensure(volume);
    expect(says(outcome)).toBe('not-done driver-unavailable');
    expect(outcome.kind !== 'done' && outcome.error.message).toContain(join(home, 'nowhere'));
  });
});
