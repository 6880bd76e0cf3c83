/** What becomes of drivers that answer wrongly, late or not at all. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import type { MountEntry } from '../mount-table.ts';
import type { Outcome } from '../outcome.ts';
import { startScriptedPlugin, type ScriptedAnswer, type ScriptedPlugin } from '../testing/scripted-plugin.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { mountIdOf } from './mount-id.ts';
import { pluginSocketVolumes } from './volumes.ts';

const volume: VolumeSpec = { name: volumeName('elasticsearch1data'), driver: 'odd', options: { size: '1' } };
const task = 'task-1' as ConsumerId;
const id = mountIdOf(task);

let home: string;
let data: string;
let plugin: ScriptedPlugin;
let table: MountEntry[];
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'plugin-'));
  data = join(home, 'data');
  mkdirSync(data);
  table = [];
  plugin = await startScriptedPlugin(home, 'odd');
  plugin.script('Get', present());
});
afterEach(async () => {
  await plugin.stop();
  rmSync(home, { recursive: true, force: true });
});

const open = (): Volumes =>
  pluginSocketVolumes({
    directories: [home],
    timeLimits: { reachMs: 200, createMs: 150, mountMs: 150, otherMs: 150 },
    mountTable: () => table,
  });
const present = (mounts?: string[], mountpoint = ''): ScriptedAnswer => ({
  json: {
    Volume: { Name: volume.name, Mountpoint: mountpoint, ...(mounts && { Status: { Mounts: mounts } }) },
  },
});
const absent: ScriptedAnswer = { status: 500, json: { Err: 'volume not found' } };
const verbs = (): string[] =>
  plugin.calls
    .map(({ method }) => method.replace('VolumeDriver.', ''))
    .filter((verb) => verb !== 'Plugin.Activate');
const says = (outcome: Outcome<unknown>): string =>
  outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}`;

describe('a Mount whose end nobody saw', () => {
  it.each([
    ['hang', 'unknown time-limit'],
    ['die', 'unknown driver-unavailable'],
    ['half', 'unknown driver-unavailable'],
    ['garbage', 'unknown bad-answer'],
    [{ status: 201, json: { Mountpoint: '/data' } }, 'unknown bad-answer'],
    [{ json: { Mountpoint: 7 } }, 'unknown bad-answer'],
  ] as const)('after %j is %s, and is neither repeated nor undone', async (answer, outcome) => {
    plugin.script('Mount', answer);
    expect(says(await open().attach(volume, task))).toBe(outcome);
    expect(verbs()).toEqual(['Get', 'Mount']);
  });

  it('is done at the retry when the driver had mounted it after all, without a second Mount', async () => {
    plugin.script('Get', present([]), present([id], data));
    plugin.script('Mount', 'hang');
    plugin.script('Path', { json: { Mountpoint: data } });
    const volumes = open();
    expect(says(await volumes.attach(volume, task))).toBe('unknown time-limit');
    expect(await volumes.attach(volume, task)).toEqual({
      kind: 'done',
      value: { kind: 'host-path', hostPath: data },
    });
    expect(verbs().filter((verb) => verb === 'Mount')).toHaveLength(1);
  });
});

describe('a mountpoint that cannot be used', () => {
  it.each(['', 'relative/path', '/', '/nowhere/at/all'])(
    '%j is refused and unmounted with the same ID',
    async (path) => {
      plugin.script('Mount', { json: { Mountpoint: path } });
      expect(says(await open().attach(volume, task))).toBe('not-done bad-mountpoint');
      const { body } = plugin.calls.at(-1)!;
      expect(verbs().at(-1)).toBe('Unmount');
      expect(body).toEqual({ Name: volume.name, ID: id });
    },
  );
  it('is unknown when it could not be unmounted again', async () => {
    plugin.script('Mount', { json: {} });
    plugin.script('Unmount', { status: 500, json: { Err: 'backend timeout' } });
    expect(says(await open().attach(volume, task))).toBe('unknown bad-mountpoint');
  });
  it('is a file', async () => {
    writeFileSync(join(home, 'file'), '');
    plugin.script('Mount', { json: { Mountpoint: join(home, 'file') } });
    const outcome = await open().attach(volume, task);
    expect(outcome.kind === 'not-done' && outcome.error.message).toContain('not a directory');
  });
});

describe('a refusal', () => {
  it.each([
    [{ json: { Err: 'disk is on fire' } }, 'disk is on fire'],
    [{ status: 500, json: { Error: 'old REX-Ray' } }, 'old REX-Ray'],
    [{ status: 500, text: 'plain words\n' }, 'plain words'],
  ])('%j keeps the driver’s own words', async (answer, words) => {
    plugin.script('Mount', answer);
    const outcome = await open().attach(volume, task);
    expect(says(outcome)).toBe('not-done driver-error');
    expect(outcome.kind !== 'done' && outcome.error.driverMessage).toBe(words);
  });
  it('"already mounted by this id" counts as done only where the mount table agrees', async () => {
    plugin.script('Mount', { status: 500, json: { Err: 'volume is already mounted by this id' } });
    plugin.script('Path', { json: { Mountpoint: data } });
    expect(says(await open().attach(volume, task))).toBe('not-done conflict');
    table = [{ device: '0:1', root: '/', mountPoint: data, fileSystem: 'fuse.rclone' }];
    expect(says(await open().attach(volume, task))).toBe('done');
  });
});

describe('absence', () => {
  it.each([
    { json: {} },
    { json: { Volume: null } },
    { json: { Volume: { Name: '' } } },
    absent,
    { status: 404, json: { Error: 'No volumes returned' } },
  ])('may look like %j', async (answer) => {
    plugin.script('Get', answer);
    expect(await open().inspect(volume)).toEqual({ kind: 'done', value: undefined });
  });
  it('is not concluded from an ill backend that still lists the volume', async () => {
    plugin.script('Get', { status: 500, json: { Err: 'backend timeout' } });
    plugin.script('List', { json: { Volumes: [{ Name: volume.name }] } });
    expect(await open().ensure(volume)).toEqual({ kind: 'done', value: { created: false } });
    plugin.script('List', { status: 500, json: { Err: 'backend timeout' } });
    expect(says(await open().ensure(volume))).toBe('not-done driver-error');
    expect(verbs()).not.toContain('Create');
  });
  it('is not concluded from a volume of another name', async () => {
    plugin.script('Get', { json: { Volume: { Name: 'elasticsearch2data' } } });
    expect(says(await open().ensure(volume))).toBe('unknown bad-answer');
  });
  it('is not concluded from silence', async () => {
    plugin.script('Get', 'hang');
    expect(says(await open().ensure(volume))).toBe('unknown time-limit');
    expect(says(await open().remove(volume))).toBe('unknown time-limit');
    expect(verbs()).toEqual(['Get', 'Get']);
  });
});

describe('a driver that keeps no list of mounts, as REX-Ray', () => {
  it('attaches, is not removed while attached, detaches', async () => {
    const volumes = open();
    plugin.script('Mount', { json: { Mountpoint: data } });
    expect(says(await volumes.attach(volume, task))).toBe('done');
    expect(says(await volumes.attach(volume, task))).toBe('done');
    expect(says(await volumes.remove(volume))).toBe('not-done in-use');
    expect(says(await volumes.detach(volume, task))).toBe('done');
    expect(verbs().filter((verb) => verb === 'Mount')).toHaveLength(1);
    expect(says(await volumes.remove(volume))).toBe('done');
  });
  it('counts "not found" at an Unmount as done only where nothing is mounted', async () => {
    plugin.script('Unmount', { status: 500, json: { Err: 'docker-legacy: failed: resource not found' } });
    plugin.script('Path', { json: { Mountpoint: data } });
    table = [{ device: '8:1', root: '/', mountPoint: data, fileSystem: 'ext4' }];
    expect(says(await open().detach(volume, task))).toBe('not-done not-found');
    table = [];
    expect(says(await open().detach(volume, task))).toBe('done');
  });
});

describe('a detach', () => {
  it('goes on until the driver no longer lists the ID', async () => {
    plugin.script('Get', present([id, id]), present([id]), present([]));
    expect(says(await open().detach(volume, task))).toBe('done');
    expect(verbs()).toEqual(['Get', 'Unmount', 'Get', 'Unmount', 'Get']);
  });
  it('stays unknown when the plugin dies in it', async () => {
    plugin.script('Get', present([id]));
    plugin.script('Unmount', 'die');
    expect(says(await open().detach(volume, task))).toBe('unknown driver-unavailable');
  });
});

describe('a plugin that cannot be used', () => {
  it('is not found, and the places searched are named', async () => {
    const outcome = await open().inspect({ ...volume, driver: 'nosuch' });
    expect(says(outcome)).toBe('not-done driver-not-found');
    expect(outcome.kind !== 'done' && outcome.error.message).toContain(home);
  });
  it('is no volume driver', async () => {
    plugin.script('Plugin.Activate', { json: { Implements: ['NetworkDriver'] } });
    expect(says(await open().attach(volume, task))).toBe('not-done not-a-volume-driver');
    expect(verbs()).toEqual([]);
  });
  it('hangs at the handshake: nothing was sent', async () => {
    plugin.script('Plugin.Activate', 'hang');
    expect(says(await open().attach(volume, task))).toBe('not-done time-limit');
  });
  it('has left its socket behind', async () => {
    writeFileSync(join(home, 'stale.spec'), 'unix:///nonexistent/socket');
    expect(says(await open().attach({ ...volume, driver: 'stale' }, task))).toBe(
      'not-done driver-unavailable',
    );
  });
});
