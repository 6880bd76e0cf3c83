/** What a driver says about where a volume is, against what this host shows. */
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import { messageOf, oddDriver, says } from '../testing/odd-driver.ts';
import type { ConsumerId } from '../volumes.ts';
import { mountIdOf } from './mount-id.ts';

const odd = oddDriver();
const other = { name: volumeName('elasticsearch2data'), driver: 'odd', options: {} };
const bob = 'task-2' as ConsumerId;
const mountsAt = (path: string): void => odd.plugin.script('Mount', { json: { Mountpoint: path } });
const sent = (verb: string): unknown[] =>
  odd.plugin.calls.filter(({ method }) => method === `VolumeDriver.${verb}`).map(({ body }) => body);

describe('edge case 13: a mountpoint that cannot be used', () => {
  it.each(['relative/path', '/', '//', '/nowhere/at/all', '/proc/self/mem'])(
    '%j is refused, and unmounted with the same ID',
    async (path) => {
      mountsAt(path);
      expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('not-done bad-mountpoint');
      expect(sent('Unmount')).toEqual([{ Name: odd.volume.name, ID: odd.id }]);
    },
  );
  it('that is empty is asked for, and refused when there is none', async () => {
    mountsAt('');
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('not-done bad-mountpoint');
    expect(sent('Unmount')).toEqual([{ Name: odd.volume.name, ID: odd.id }]);
    odd.plugin.script('Path', { json: { Mountpoint: odd.data } });
    expect(await odd.open().attach(odd.volume, odd.task)).toMatchObject({ value: { hostPath: odd.data } });
  });
  it('is unknown when it could not be unmounted again', async () => {
    mountsAt('relative');
    odd.plugin.script('Unmount', { status: 500, json: { Err: 'backend timeout' } });
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('unknown bad-mountpoint');
  });
});

describe('edge case 14: Get names a mountpoint although nothing is mounted (rclone)', () => {
  it('which spares no Mount and stops no removal', async () => {
    odd.plugin.script('Get', odd.present([], odd.data), odd.present([odd.id], odd.data));
    mountsAt(odd.data);
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('done');
    expect(sent('Mount')).toHaveLength(1);
    odd.plugin.script('Get', odd.present([], odd.data), { json: {} });
    expect(says(await odd.open().remove(odd.volume))).toBe('done');
  });
  it('and where something is mounted the volume is not removed', async () => {
    odd.plugin.script('Get', odd.present([], odd.data));
    odd.mounted = [odd.data];
    expect(says(await odd.open().remove(odd.volume))).toBe('not-done in-use');
    expect(odd.verbs()).not.toContain('Remove');
  });
});

it('edge case 15: Mount’s answer is the path for the life of the mount, whatever Get says (REX-Ray)', async () => {
  const inside = join(odd.data, 'data');
  mkdirSync(inside);
  mountsAt(inside);
  odd.plugin.script('Get', odd.present(undefined, odd.data));
  odd.mounted = [odd.data];
  const volumes = odd.open();
  const first = await volumes.attach(odd.volume, odd.task);
  expect(first).toEqual({ kind: 'done', value: { kind: 'host-path', hostPath: inside } });
  expect(await volumes.attach(odd.volume, odd.task)).toEqual(first);
  expect(sent('Mount')).toHaveLength(1);
});

describe('edge case 16: the same volume twice', () => {
  it('by one consumer is one Mount, under an ID that a restart does not change', async () => {
    odd.plugin.script('Get', odd.present([]), odd.present([odd.id], odd.data));
    mountsAt(odd.data);
    const volumes = odd.open();
    const first = await volumes.attach(odd.volume, odd.task);
    expect(await volumes.attach(odd.volume, odd.task)).toEqual(first);
    odd.plugin.script('Path', { json: { Mountpoint: odd.data } });
    expect(await odd.open().attach(odd.volume, odd.task)).toEqual(first);
    expect(sent('Mount')).toEqual([{ Name: odd.volume.name, ID: odd.id }]);
  });
  it('by two consumers is one Mount each, at a driver that lists who mounts', async () => {
    const theirs = mountIdOf(bob);
    odd.plugin.script(
      'Get',
      odd.present([]),
      odd.present([odd.id]),
      odd.present([odd.id]),
      odd.present([odd.id, theirs]),
    );
    mountsAt(odd.data);
    const volumes = odd.open();
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(says(await volumes.attach(odd.volume, bob))).toBe('done');
    expect(sent('Mount')).toHaveLength(2);
    odd.plugin.script('Get', odd.present([odd.id, theirs]), odd.present([odd.id]));
    expect(says(await volumes.detach(odd.volume, bob))).toBe('done');
    expect(sent('Unmount')).toEqual([{ Name: odd.volume.name, ID: theirs }]);
  });
  it('by two consumers is one Mount for both at any other driver, undone with the last', async () => {
    mountsAt(odd.data);
    const volumes = odd.open();
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(says(await volumes.attach(odd.volume, bob))).toBe('done');
    expect(sent('Mount')).toHaveLength(1);
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('done');
    expect(sent('Unmount')).toEqual([]);
    expect(says(await volumes.remove(odd.volume))).toBe('not-done in-use');
    expect(says(await volumes.detach(odd.volume, bob))).toBe('done');
    // Under the ID that it was mounted with: a driver that keeps IDs and does not show them knows no other.
    expect(sent('Unmount')).toEqual([{ Name: odd.volume.name, ID: odd.id }]);
  });
});

describe('edge case 17: somebody else on this host mounts the same volume in another way', () => {
  it('is warned of where the driver tells: an orphan of our own looks the same, so it is not refused', async () => {
    odd.plugin.script('Get', odd.present(['d0c4e4']), odd.present(['d0c4e4', odd.id]));
    mountsAt(odd.data);
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('done');
    expect(odd.warnings.map(({ message }) => message)).toEqual([expect.stringContaining('d0c4e4')]);
    odd.plugin.script('Get', odd.present(['', odd.id]));
    odd.plugin.script('Path', { json: { Mountpoint: odd.data } });
    await odd.open().attach(odd.volume, odd.task);
    expect(odd.warnings.at(-1)?.message).toContain('dvdcli');
  });
});

it('edge case 18: first attaches of one volume at once are one Mount', async () => {
  mountsAt(odd.data);
  const volumes = odd.open();
  const answers = await Promise.all(Array.from({ length: 8 }, () => volumes.attach(odd.volume, odd.task)));
  expect(new Set(answers.map(says))).toEqual(new Set(['done']));
  expect(sent('Mount')).toHaveLength(1);
});

it('edge case 18: a Create that finds the volume made by somebody faster is done', async () => {
  odd.plugin.script('Get', { json: {} }, odd.present());
  odd.plugin.script('Create', { status: 500, json: { Err: 'volume already exists' } });
  expect(await odd.open().ensure(odd.volume)).toMatchObject({ value: { created: false } });
});

describe('edge case 33: the plugin was restarted and has forgotten its mounts', () => {
  it('an attach mounts again under the same ID', async () => {
    mountsAt(odd.data);
    odd.mounted = [odd.data];
    const volumes = odd.open();
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    odd.mounted = [];
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(sent('Mount')).toEqual([
      { Name: odd.volume.name, ID: odd.id },
      { Name: odd.volume.name, ID: odd.id },
    ]);
  });
  it('an attach mounts again where another file system lies at the old place', async () => {
    mountsAt(odd.data);
    let device = '0:50';
    const root = { device: '8:1', root: '/', mountPoint: '/', fileSystem: 'ext4' };
    const volumes = odd.open({
      mountTable: () => [root, { device, root: '/', mountPoint: odd.data, fileSystem: 'fuse' }],
    });
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(sent('Mount')).toHaveLength(1);
    device = '0:51';
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(sent('Mount')).toHaveLength(2);
  });
  it('an attach mounts again when the driver’s own list has lost it', async () => {
    odd.plugin.script('Get', odd.present([]), odd.present([odd.id]), odd.present([]), odd.present([odd.id]));
    mountsAt(odd.data);
    const volumes = odd.open();
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(sent('Mount')).toHaveLength(2);
  });
  it('"not mounted" lets go of it, where nothing is', async () => {
    mountsAt(odd.data);
    odd.mounted = [odd.data];
    const volumes = odd.open();
    await volumes.attach(odd.volume, odd.task);
    odd.plugin.script('Unmount', { status: 500, json: { Err: 'volume is not mounted' } });
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('not-done driver-error');
    odd.mounted = [];
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('done');
  });
});

describe('edge case 40: a mount that this namespace does not see', () => {
  it('is refused: the directory is there, and empty', async () => {
    mountsAt(odd.data);
    odd.mountedElsewhere = [odd.data];
    const outcome = await odd.open().attach(odd.volume, odd.task);
    expect(says(outcome)).toBe('not-done bad-mountpoint');
    expect(messageOf(outcome)).toContain('rshared');
    odd.mounted = [odd.data];
    expect(says(await odd.open().attach(odd.volume, odd.task))).toBe('done');
  });
  it('is none where another namespace has bound the same directory', async () => {
    mountsAt(odd.data);
    const here = [{ device: '8:1', root: '/', mountPoint: '/', fileSystem: 'ext4' }];
    const bound = { device: '8:1', root: odd.data, mountPoint: odd.data, fileSystem: 'ext4' };
    const volumes = odd.open({ mountTable: () => here, otherMountTables: () => [[...here, bound]] });
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
  });
});

it('edge case 41: nobody’s mode and owner are changed', async () => {
  writeFileSync(join(odd.data, 'document'), '');
  chmodSync(odd.data, 0o751);
  if (process.getuid?.() === 0) chownSync(odd.data, 4711, 4712);
  const look = (path: string): unknown => {
    const { mode, uid, gid, ctimeMs } = statSync(path);
    return { mode, uid, gid, ctimeMs };
  };
  const before = [look(odd.data), look(join(odd.data, 'document'))];
  mountsAt(odd.data);
  const volumes = odd.open();
  expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
  expect(says(await volumes.detach(odd.volume, odd.task))).toBe('done');
  expect([look(odd.data), look(join(odd.data, 'document'))]).toEqual(before);
});

describe('a path that is another volume’s', () => {
  const presentAs = (name: string) => odd.present(undefined, '', name);
  it('that we hold is refused, as is one inside it or above it', async () => {
    const theirs = join(odd.home, other.name);
    mkdirSync(join(theirs, odd.volume.name), { recursive: true });
    const volumes = odd.open();
    odd.plugin.script('Get', presentAs(other.name));
    mountsAt(theirs);
    expect(says(await volumes.attach(other, bob))).toBe('done');
    odd.plugin.script('Get', presentAs(odd.volume.name));
    for (const path of [theirs, join(theirs, odd.volume.name), odd.home]) {
      mountsAt(path);
      const outcome = await volumes.attach(odd.volume, odd.task);
      expect(says(outcome)).toBe('not-done bad-mountpoint');
      expect(messageOf(outcome)).toContain(`volume ${other.name}`);
    }
    mountsAt(odd.data);
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
  });
  it('that we hold is known behind a link', async () => {
    const theirs = join(odd.home, other.name);
    mkdirSync(theirs);
    symlinkSync(odd.home, join(odd.home, 'link'));
    const volumes = odd.open();
    odd.plugin.script('Get', presentAs(other.name));
    mountsAt(theirs);
    expect(says(await volumes.attach(other, bob))).toBe('done');
    odd.plugin.script('Get', presentAs(odd.volume.name));
    mountsAt(join(odd.home, 'link', other.name));
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('not-done bad-mountpoint');
  });
  it('that we hold is known under another path too', async () => {
    const theirs = join(odd.home, other.name);
    mkdirSync(theirs);
    const device = { device: '8:9', root: '/', fileSystem: 'ext4' };
    const table = [theirs, odd.data].map((mountPoint) => ({ ...device, mountPoint }));
    const volumes = odd.open({ mountTable: () => table });
    odd.plugin.script('Get', presentAs(other.name));
    mountsAt(theirs);
    expect(says(await volumes.attach(other, bob))).toBe('done');
    odd.plugin.script('Get', presentAs(odd.volume.name));
    mountsAt(odd.data);
    expect(says(await volumes.attach(odd.volume, odd.task))).toMatch(/bad-mountpoint$/);
  });
  it('that the driver itself lists for another is refused', async () => {
    const theirs = join(odd.home, other.name);
    mkdirSync(theirs);
    mountsAt(theirs);
    odd.plugin.script('List', { json: { Volumes: [{ Name: other.name, Mountpoint: theirs }] } });
    const outcome = await odd.open().attach(odd.volume, odd.task);
    expect(says(outcome)).toBe('not-done bad-mountpoint');
    expect(messageOf(outcome)).toContain(`volume ${other.name}`);
  });
});
