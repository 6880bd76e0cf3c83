/** What a program says against what this host shows: neither success nor refusal is taken on trust. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import type { MountEntry } from '../mount-table.ts';
import { messageOf, says } from '../testing/odd-driver.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { dvdcliVolumes } from './volumes.ts';

const volume = { name: volumeName('elasticsearch1data'), driver: 'odd', options: {} };
const other = { name: volumeName('elasticsearch2data'), driver: 'odd', options: {} };
const task = 'task-1' as ConsumerId;
const bob = 'task-2' as ConsumerId;
const ABSENT = 'echo \'msg="VolumeDriver.Get: volume not found"\' >&2; exit 1';
const NOT_MOUNTED = 'echo \'msg="VolumeDriver.Unmount: volume is not mounted"\' >&2; exit 1';

let home: string;
let data: string;
/** Mount point → device. */
let mounted: Map<string, string>;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'disbelief-'));
  data = join(home, volume.name);
  mkdirSync(data);
  mounted = new Map();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function mountTable(): readonly MountEntry[] {
  const entry = ([mountPoint, device]: [string, string]): MountEntry => ({
    ...{ device, root: '/', mountPoint, fileSystem: 'fuse' },
  });
  return [['/', '8:1'] as [string, string], ...mounted].map(entry);
}

/** Answers each command as told; a list of scripts is used up one by one, the last one stays. */
function program(commands: Readonly<Record<string, string | readonly string[]>>): void {
  const cases = Object.entries(commands).map(([command, scripts]) => {
    const [first = ':', ...more] = [scripts].flat();
    const turns = more.map((script, index) => `[ $turn -gt ${index} ] && { ${script}; exit; }`).reverse();
    return `${command}) ${[...turns, first].join('\n')} ;;`;
  });
  const count = `turn=$(grep -c "^$1 " ${join(home, 'calls')} 2>/dev/null)`;
  const log = `printf '%s\\n' "$*" >> ${join(home, 'calls')}`;
  const script = `#!/bin/sh\n${count}; turn=\${turn:-0}\n${log}\ncase "$1" in\n${cases.join('\n')}\n*) : ;;\nesac\n`;
  writeFileSync(join(home, 'dvdcli'), script);
  chmodSync(join(home, 'dvdcli'), 0o755);
  rmSync(join(home, 'calls'), { force: true });
}
function open(): Volumes {
  return dvdcliVolumes({
    program: join(home, 'dvdcli'),
    timeLimits: { mountMs: 5_000, createMs: 5_000, otherMs: 500 },
    mountTable,
    otherMountTables: () => [],
  });
}
const called = (command: string): number =>
  readFileSync(join(home, 'calls'), 'utf8')
    .split('\n')
    .filter((call) => call.startsWith(`${command} `)).length;
/** `get` gives the name that it was asked for. */
const GOOD_GET = 'for flag; do case $flag in --volumename=*) echo "${flag#--volumename=}" ;; esac; done';

describe('whether a volume is there', () => {
  it('is not to be known from a get that answers for another one', async () => {
    program({ get: `echo ${other.name}` });
    for (const act of ['ensure', 'inspect', 'remove'] as const)
      expect(says(await open()[act](volume))).toBe('unknown bad-answer');
    expect(says(await open().attach(volume, task))).toBe('unknown bad-answer');
    expect(called('mount') + called('create') + called('remove')).toBe(0);
  });
  it('is so by its name in other case', async () => {
    program({ get: `echo ${volume.name.toUpperCase()}` });
    expect(await open().ensure(volume)).toMatchObject({ value: { created: false } });
  });
  it.each([ABSENT, ':'])('is told by the list after the get %j', async (get) => {
    program({ get, list: `echo ${volume.name}` });
    expect(await open().inspect(volume)).toMatchObject({ value: { name: volume.name } });
    program({ get, list: `echo ${other.name}` });
    expect(await open().inspect(volume)).toEqual({ kind: 'done', value: undefined });
    program({ get, list: 'sleep 300' });
    expect(says(await open().remove(volume))).toBe('unknown time-limit');
  });
  it('is looked at after a create and after a remove', async () => {
    program({ get: ABSENT });
    expect(says(await open().ensure(volume))).toBe('unknown bad-answer');
    program({ get: [ABSENT, GOOD_GET] });
    expect(await open().ensure(volume)).toMatchObject({ value: { created: true } });
    program({ get: GOOD_GET });
    expect(says(await open().remove(volume))).toBe('unknown bad-answer');
    program({ get: [GOOD_GET, ABSENT] });
    expect(says(await open().remove(volume))).toBe('done');
  });
});

describe('a removal', () => {
  const refused = async (outcome: string): Promise<void> => {
    expect(says(await open().remove(volume))).toBe(outcome);
    expect(called('remove')).toBe(0);
  };
  it('is not asked for where the driver does not say where the volume is', async () => {
    program({ get: GOOD_GET, path: 'sleep 300' });
    await refused('unknown time-limit');
  });
  it('is not asked for under a mount that carries the folder, or with one inside it', async () => {
    program({ get: GOOD_GET, path: `echo ${data}/data` });
    mounted.set(data, '0:50');
    await refused('not-done in-use');
    program({ get: GOOD_GET, path: `echo ${data}` });
    mounted = new Map([[join(data, 'backup'), '0:50']]);
    await refused('not-done in-use');
  });
});

describe('a detach', () => {
  const GOOD = { get: GOOD_GET, mount: () => `echo ${data}`, path: () => `echo ${data}` };
  it('does not believe one unmount while the volume is mounted: there may be more', async () => {
    program({ ...GOOD, mount: GOOD.mount(), path: GOOD.path(), unmount: [':', ':', NOT_MOUNTED] });
    mounted.set(data, '0:50');
    const volumes = open();
    expect(says(await volumes.attach(volume, task))).toBe('done');
    expect((await volumes.detach(volume, task)).kind).toBe('not-done');
    expect(called('unmount')).toBe(3);
    expect(says(await volumes.remove(volume))).toBe('not-done in-use');
    mounted.clear();
    expect(says(await volumes.detach(volume, task))).toBe('done');
  });
  it('ends where the driver unmounts for ever', async () => {
    program({ get: GOOD_GET });
    mounted.set(data, '0:50');
    expect(says(await open().detach(volume, task))).toBe('not-done in-use');
  });
  it('is unknown where nobody says where the volume was', async () => {
    program({ get: GOOD_GET, path: 'sleep 300' });
    expect(says(await open().detach(volume, task))).toBe('unknown time-limit');
  });
  it('does not let the original unmount another volume, that of the driver’s answer', async () => {
    program({ get: `echo ${other.name}` });
    expect(says(await open().detach(volume, task))).toBe('unknown bad-answer');
    expect(called('unmount')).toBe(0);
  });
});

describe('an attach', () => {
  it('by the one who has it mounts again where its mount is gone or is another one', async () => {
    program({ get: GOOD_GET, mount: `echo ${data}`, path: `echo ${data}` });
    mounted.set(data, '0:50');
    const volumes = open();
    for (let time = 0; time < 2; time += 1) expect(says(await volumes.attach(volume, task))).toBe('done');
    expect(called('mount')).toBe(1);
    mounted.set(data, '0:51');
    expect(says(await volumes.attach(volume, task))).toBe('done');
    expect(called('mount')).toBe(2);
    mounted.clear();
    expect(says(await volumes.attach(volume, task))).toBe('done');
    expect(called('mount')).toBe(3);
  });
  it('does not give out the path of another volume that we hold, and takes the mount back', async () => {
    const theirs = join(home, other.name);
    mkdirSync(theirs);
    program({ get: GOOD_GET, mount: `echo ${theirs}` });
    const volumes = open();
    expect(says(await volumes.attach(other, bob))).toBe('done');
    const outcome = await volumes.attach(volume, task);
    expect(says(outcome)).toBe('not-done bad-mountpoint');
    expect(messageOf(outcome)).toContain(`volume ${other.name}`);
    expect(called('unmount')).toBe(1);
    expect(says(await volumes.remove(other))).toBe('not-done in-use');
  });
  it('does not give out a path that the driver itself contradicts', async () => {
    const elsewhere = join(home, 'elsewhere');
    mkdirSync(join(elsewhere, 'data'), { recursive: true });
    program({ get: GOOD_GET, mount: `echo ${elsewhere}`, path: `echo ${data}` });
    expect(says(await open().attach(volume, task))).toBe('not-done bad-mountpoint');
    expect(called('unmount')).toBe(1);
    program({ get: GOOD_GET, mount: `echo ${elsewhere}/data`, path: `echo ${elsewhere}` });
    expect(says(await open().attach(volume, task))).toBe('done');
  });
  it('edge case 40: does not give out a directory that is mounted in another namespace only', async () => {
    program({ get: GOOD_GET, mount: `echo ${data}` });
    const elsewhere = [{ device: '0:50', root: '/', mountPoint: data, fileSystem: 'fuse' }];
    const volumes = dvdcliVolumes({
      program: join(home, 'dvdcli'),
      mountTable,
      otherMountTables: () => [elsewhere],
    });
    expect(messageOf(await volumes.attach(volume, task))).toContain('rshared');
  });
});
