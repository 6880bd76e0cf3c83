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
  options: { a: 'b', d: 'e f' },
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
/** There is nothing before the create, and the volume after it. */
const ABSENT_AT_FIRST = (): Record<string, string> => ({
  get: 'echo \'msg="volume not found"\' >&2; exit 1',
  list: `grep -q ^create ${join(home, 'calls')} && echo ${volume.name}; :`,
});
const callOf = (command: string): string | undefined => calls().findLast((call) => call.startsWith(command));
const calls = (): string[] => readFileSync(join(home, 'calls'), 'utf8').trim().split('\n');
const says = (outcome: Outcome<unknown>): string =>
  outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}`;
const THERE = `echo ${volume.name}`;

describe('the dvdcli path', () => {
  it('gives every option in a flag of its own, unchanged', async () => {
    const volumes = program(ABSENT_AT_FIRST());
    expect(says(await volumes.ensure(volume))).toBe('done');
    expect(callOf('create')).toBe(
      'create --volumedriver=odd --volumename=elasticsearch1data --volumeopts=a=b --volumeopts=d=e f',
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
    ['edge case 34: prints its usage and exits 0', 'echo "Usage: dvdcli mount" >&2', 'not-done invalid'],
    ['prints an empty line and exits 0', 'echo', 'not-done bad-mountpoint'],
    ['prints a relative path', 'echo some/where', 'not-done bad-mountpoint'],
    ['prints two lines', 'echo /tmp; echo /tmp', 'unknown bad-answer'],
    ['crashes', 'echo "panic: nil" >&2; exit 2', 'unknown driver-error'],
  ])('does not take it for a mount when the program %s', async (_, script, outcome) => {
    const volumes = program({ get: THERE, mount: script });
    expect(says(await volumes.attach(volume, task))).toBe(outcome);
    expect(calls().some((call) => call.startsWith('unmount'))).toBe(outcome === 'not-done bad-mountpoint');
  });
  it('finds what left the process group, and kills it too', async () => {
    const left = join(home, 'left');
    const volumes = program({ get: THERE, mount: `setsid sh -c 'echo $$ > ${left}; sleep 300' & sleep 300` });
    expect(says(await volumes.attach(volume, task))).toBe('unknown time-limit');
    const pid = Number(readFileSync(left, 'utf8'));
    await vi.waitFor(() => expect(processStat(pid)?.state ?? 'Z').toBe('Z'));
  });
  it('asks what the program is once, and uses none that is too old', async () => {
    const old = program({ version: 'echo "Binary: x\nSemVer: 0.1.0"', get: THERE });
    for (let time = 0; time < 2; time += 1)
      expect(says(await old.ensure(volume))).toBe('not-done unsupported');
    expect(calls()).toEqual(['version']);
  });
  it('edge case 20: gives no option to the original that it would cut, and every one to ours', async () => {
    const risky = { ...volume, options: { url: 'a=b' } };
    expect(says(await program(ABSENT_AT_FIRST()).ensure(risky))).toBe('not-done invalid');
    const ours = program({ version: 'echo "SemVer: 0.2.2+mesos-elasticsearch.1"', ...ABSENT_AT_FIRST() });
    expect(says(await ours.ensure(risky))).toBe('done');
    expect(callOf('create')).toContain('--volumeopts=url=a=b');
    expect(says(await ours.ensure({ ...volume, options: { a: 'b,c' } }))).toBe('not-done invalid');
  });
  it('mounts what is there, and forbids the program to make what is not', async () => {
    await program({ get: THERE, mount: 'echo /tmp' }).attach(volume, task);
    expect(callOf('mount')).toMatch(/^mount .* --explicitcreate$/);
  });
  it('finds the path between lines of a log on standard output', async () => {
    const log = 'time="2026-11-22T11:01:42Z" level=info msg=x';
    const volumes = program({ get: THERE, mount: `echo '${log}'; echo /tmp; echo 'INFO[0000] x'` });
    expect(says(await volumes.attach(volume, task))).toBe('done');
  });
  it('does not read for ever what a program prints for ever', async () => {
    const volumes = program({ get: THERE, mount: 'exec cat /dev/zero' });
    expect((await volumes.attach(volume, task)).kind).toBe('unknown');
  });
  it('says that the program is missing', async () => {
    const volumes = dvdcliVolumes({ program: join(home, 'nowhere') });
    const outcome = await volumes.ensure(volume);
    expect(says(outcome)).toBe('not-done driver-unavailable');
    expect(outcome.kind !== 'done' && outcome.error.message).toContain(join(home, 'nowhere'));
  });
});
