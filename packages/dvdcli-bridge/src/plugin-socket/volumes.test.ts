/** What becomes of drivers that answer wrongly, late or not at all. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ABSENT, says, oddDriver } from '../testing/odd-driver.ts';

const driver = oddDriver();
const { volume, task, id, open, present, verbs } = driver;

describe('a Mount whose end nobody saw', () => {
  it.each([
    ['hang', 'unknown time-limit'],
    ['die', 'unknown driver-unavailable'],
    ['half', 'unknown driver-unavailable'],
    ['garbage', 'unknown bad-answer'],
    [{ status: 201, json: { Mountpoint: '/data' } }, 'unknown bad-answer'],
    [{ json: { Mountpoint: 7 } }, 'unknown bad-answer'],
  ] as const)('after %j is %s, and is neither repeated nor undone', async (answer, outcome) => {
    driver.plugin.script('Mount', answer);
    expect(says(await open().attach(volume, task))).toBe(outcome);
    expect(verbs()).toEqual(['Get', 'Mount']);
  });

  it('is done at the retry when the driver had mounted it after all, without a second Mount', async () => {
    driver.plugin.script('Get', present([]), present([id], driver.data));
    driver.plugin.script('Mount', 'hang');
    driver.plugin.script('Path', { json: { Mountpoint: driver.data } });
    const volumes = open();
    expect(says(await volumes.attach(volume, task))).toBe('unknown time-limit');
    expect(await volumes.attach(volume, task)).toEqual({
      kind: 'done',
      value: { kind: 'host-path', hostPath: driver.data },
    });
    expect(verbs().filter((verb) => verb === 'Mount')).toHaveLength(1);
  });
});

describe('a mountpoint that cannot be used', () => {
  it.each(['', 'relative/path', '/', '/nowhere/at/all'])(
    '%j is refused and unmounted with the same ID',
    async (path) => {
      driver.plugin.script('Mount', { json: { Mountpoint: path } });
      expect(says(await open().attach(volume, task))).toBe('not-done bad-mountpoint');
      const unmounts = driver.plugin.calls.filter(({ method }) => method === 'VolumeDriver.Unmount');
      expect(unmounts.map(({ body }) => body)).toEqual([{ Name: volume.name, ID: id }]);
    },
  );
  it('is unknown when it could not be unmounted again', async () => {
    driver.plugin.script('Mount', { json: {} });
    driver.plugin.script('Unmount', { status: 500, json: { Err: 'backend timeout' } });
    expect(says(await open().attach(volume, task))).toBe('unknown bad-mountpoint');
  });
  it('is a file', async () => {
    writeFileSync(join(driver.home, 'file'), '');
    driver.plugin.script('Mount', { json: { Mountpoint: join(driver.home, 'file') } });
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
    driver.plugin.script('Mount', answer);
    const outcome = await open().attach(volume, task);
    expect(says(outcome)).toBe('not-done driver-error');
    expect(outcome.kind !== 'done' && outcome.error.driverMessage).toBe(words);
  });
  it('"already mounted by this id" counts as done only where the mount table agrees', async () => {
    driver.plugin.script('Mount', { status: 500, json: { Err: 'volume is already mounted by this id' } });
    driver.plugin.script('Path', { json: { Mountpoint: driver.data } });
    expect(says(await open().attach(volume, task))).toBe('not-done conflict');
    driver.mounted = [driver.data];
    expect(says(await open().attach(volume, task))).toBe('done');
  });
});

describe('absence', () => {
  it.each([
    { json: {} },
    { json: { Volume: null } },
    { json: { Volume: { Name: '' } } },
    ABSENT,
    { status: 404, json: { Error: 'No volumes returned' } },
  ])('may look like %j', async (answer) => {
    driver.plugin.script('Get', answer);
    expect(await open().inspect(volume)).toEqual({ kind: 'done', value: undefined });
  });
  it('is not concluded from an ill backend that still lists the volume', async () => {
    driver.plugin.script('Get', { status: 500, json: { Err: 'backend timeout' } });
    driver.plugin.script('List', { json: { Volumes: [{ Name: volume.name }] } });
    expect(await open().ensure(volume)).toMatchObject({ kind: 'done', value: { created: false } });
    driver.plugin.script('List', { status: 500, json: { Err: 'backend timeout' } });
    expect(says(await open().ensure(volume))).toBe('not-done driver-error');
    expect(verbs()).not.toContain('Create');
  });
  it.each([ABSENT, { json: {} }, { json: { Volume: null } }, { json: { Err: 'no such volume' } }])(
    'is not concluded from %j while the volume is in the list',
    async (answer) => {
      driver.plugin.script('Get', answer);
      driver.plugin.script('List', { json: { Volumes: [{ Name: volume.name }] } });
      expect(await open().inspect(volume)).toMatchObject({ value: { name: volume.name } });
      expect(await open().ensure(volume)).toMatchObject({ value: { created: false } });
      driver.plugin.script('List', 'hang');
      expect(says(await open().remove(volume))).toBe('unknown time-limit');
      driver.plugin.script('List', { json: { Volumes: 7 } });
      expect(says(await open().remove(volume))).toBe('unknown bad-answer');
      expect(verbs()).not.toContain('Create');
    },
  );
  it('is concluded from Get alone only at a driver without List', async () => {
    driver.plugin.script('List', { status: 404, text: '404 page not found' });
    driver.plugin.script('Get', ABSENT);
    expect(await open().inspect(volume)).toEqual({ kind: 'done', value: undefined });
    driver.plugin.script('Get', { json: { Err: 'backend timeout' } });
    expect(says(await open().inspect(volume))).toBe('not-done unsupported');
  });
  it('is not concluded from a volume of another name', async () => {
    driver.plugin.script('Get', { json: { Volume: { Name: 'elasticsearch2data' } } });
    expect(says(await open().ensure(volume))).toBe('unknown bad-answer');
  });
  it('is not concluded from silence', async () => {
    driver.plugin.script('Get', 'hang');
    expect(says(await open().ensure(volume))).toBe('unknown time-limit');
    expect(says(await open().remove(volume))).toBe('unknown time-limit');
    expect(verbs()).toEqual(['Get', 'Get']);
  });
});

describe('a driver that keeps no list of mounts, as REX-Ray', () => {
  it('attaches, is not removed while attached, detaches', async () => {
    const volumes = open();
    driver.plugin.script('Mount', { json: { Mountpoint: driver.data } });
    expect(says(await volumes.attach(volume, task))).toBe('done');
    expect(says(await volumes.attach(volume, task))).toBe('done');
    expect(says(await volumes.remove(volume))).toBe('not-done in-use');
    expect(says(await volumes.detach(volume, task))).toBe('done');
    expect(verbs().filter((verb) => verb === 'Mount')).toHaveLength(1);
    driver.plugin.script('Get', present(), ABSENT);
    expect(says(await volumes.remove(volume))).toBe('done');
  });
  it('counts "not found" at an Unmount as done only where nothing is mounted', async () => {
    driver.plugin.script('Unmount', {
      status: 500,
      json: { Err: 'docker-legacy: failed: resource not found' },
    });
    driver.plugin.script('Path', { json: { Mountpoint: driver.data } });
    driver.mounted = [driver.data];
    expect(says(await open().detach(volume, task))).toBe('not-done not-found');
    driver.mounted = [];
    expect(says(await open().detach(volume, task))).toBe('done');
  });
});

describe('a detach', () => {
  it('goes on until the driver no longer lists the ID', async () => {
    driver.plugin.script('Get', present([id, id]), present([id]), present([]));
    expect(says(await open().detach(volume, task))).toBe('done');
    expect(verbs()).toEqual(['Get', 'Unmount', 'Get', 'Unmount', 'Get']);
  });
  it('stays unknown when the plugin dies in it', async () => {
    driver.plugin.script('Get', present([id]));
    driver.plugin.script('Unmount', 'die');
    expect(says(await open().detach(volume, task))).toBe('unknown driver-unavailable');
  });
});

describe('a plugin that cannot be used', () => {
  it('is not found, and the places searched are named', async () => {
    const outcome = await open().inspect({ ...volume, driver: 'nosuch' });
    expect(says(outcome)).toBe('not-done driver-not-found');
    expect(outcome.kind !== 'done' && outcome.error.message).toContain(driver.home);
  });
  it('is no volume driver', async () => {
    driver.plugin.script('Plugin.Activate', { json: { Implements: ['NetworkDriver'] } });
    expect(says(await open().attach(volume, task))).toBe('not-done not-a-volume-driver');
    expect(verbs()).toEqual([]);
  });
  it('hangs at the handshake: nothing was sent', async () => {
    driver.plugin.script('Plugin.Activate', 'hang');
    expect(says(await open().attach(volume, task))).toBe('not-done time-limit');
  });
  it('has left its socket behind', async () => {
    writeFileSync(join(driver.home, 'stale.spec'), 'unix:///nonexistent/socket');
    expect(says(await open().attach({ ...volume, driver: 'stale' }, task))).toBe(
      'not-done driver-unavailable',
    );
  });
});
