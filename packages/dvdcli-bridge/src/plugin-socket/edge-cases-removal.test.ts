/** Volumes that exist already, that are busy, and that are to go. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import { ABSENT, messageOf, oddDriver, says } from '../testing/odd-driver.ts';
import { startScriptedPlugin } from '../testing/scripted-plugin.ts';
import { mountIdOf } from './mount-id.ts';
import type { ConsumerId } from '../volumes.ts';

const odd = oddDriver();

describe('edge case 19: the volume exists already', () => {
  it('no Create is sent, and it is said that nobody knows what it was made with', async () => {
    expect(await odd.open().ensure(odd.volume)).toEqual({
      kind: 'done',
      value: { created: false, optionsUnknown: true },
    });
    expect(odd.verbs()).toEqual(['Get']);
    expect(odd.warnings.map(({ message }) => message)).toEqual([expect.stringContaining('size')]);
  });
  it('no options ask for nothing', async () => {
    expect(await odd.open().ensure({ ...odd.volume, options: {} })).toEqual({
      kind: 'done',
      value: { created: false },
    });
    expect(odd.warnings).toEqual([]);
  });
  it('a Create that leaves no volume behind is not believed', async () => {
    odd.plugin.script('Get', ABSENT);
    expect(says(await odd.open().ensure(odd.volume))).toBe('unknown bad-answer');
  });
});

describe('edge case 26: a detach of what is not attached', () => {
  it.each([
    ['a driver that lists who mounts', []],
    ['a driver that does not', undefined],
  ])('is done at %s', async (_, mounts) => {
    odd.plugin.script('Get', odd.present(mounts));
    odd.plugin.script('Unmount', { status: 500, json: { Err: 'volume is not mounted' } });
    expect(says(await odd.open().detach(odd.volume, odd.task))).toBe('done');
  });
  it('is done where there is no such volume', async () => {
    odd.plugin.script('Get', ABSENT);
    odd.plugin.script('Unmount', ABSENT);
    expect(says(await odd.open().detach(odd.volume, odd.task))).toBe('done');
  });
  it('leaves another consumer’s mount alone', async () => {
    odd.plugin.script('Get', odd.present([mountIdOf('task-2' as ConsumerId)]));
    expect(says(await odd.open().detach(odd.volume, odd.task))).toBe('done');
    expect(odd.verbs()).toEqual(['Get']);
  });
});

describe('edge case 27: an Unmount that fails', () => {
  it('stays attached, is told, and succeeds at a retry', async () => {
    odd.plugin.script('Mount', { json: { Mountpoint: odd.data } });
    odd.plugin.script('Unmount', { status: 500, json: { Err: 'target is busy' } }, { json: {} });
    const volumes = odd.open();
    await volumes.attach(odd.volume, odd.task);
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('not-done in-use');
    expect(says(await volumes.remove(odd.volume))).toBe('not-done in-use');
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('done');
  });
  it('is not believed to have worked while the mount is there', async () => {
    odd.plugin.script('Mount', { json: { Mountpoint: odd.data } });
    odd.mounted = [odd.data];
    const volumes = odd.open();
    await volumes.attach(odd.volume, odd.task);
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('not-done in-use');
    odd.mounted = [];
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('done');
  });
  it('nor while the mount above the folder that the driver names is there', async () => {
    odd.plugin.script('Path', { json: { Mountpoint: join(odd.data, 'data') } });
    odd.mounted = [odd.data];
    expect(says(await odd.open().detach(odd.volume, odd.task))).toBe('not-done in-use');
  });
  it('nor where the driver’s list has lost it', async () => {
    odd.plugin.script('Get', odd.present([]), odd.present([odd.id]), odd.present([]));
    odd.plugin.script('Mount', { json: { Mountpoint: odd.data } });
    odd.mounted = [odd.data];
    const volumes = odd.open();
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    expect(says(await volumes.detach(odd.volume, odd.task))).toBe('not-done in-use');
  });
});

describe('edge case 28: a volume that is mounted is not removed, and the driver is not asked to', () => {
  const refused = async (): Promise<void> => {
    expect(says(await odd.open().remove(odd.volume))).toBe('not-done in-use');
    expect(odd.verbs()).not.toContain('Remove');
  };
  it('by the driver’s own list', async () => {
    odd.plugin.script('Get', odd.present(['somebody']));
    await refused();
  });
  it('by the mountpoint that Get or Path names', async () => {
    odd.mounted = [odd.data];
    odd.plugin.script('Get', odd.present(undefined, odd.data));
    await refused();
    odd.plugin.script('Get', odd.present());
    odd.plugin.script('Path', { json: { Mountpoint: odd.data } });
    await refused();
  });
  it('by its name in the mount table, when the driver names no place at all (REX-Ray)', async () => {
    odd.mounted = ['/var/lib/rexray/volumes/elasticsearch1data'];
    await refused();
    odd.mounted = ['/var/lib/rexray/volumes/elasticsearch11data'];
    odd.plugin.script('Get', odd.present(), ABSENT);
    expect(says(await odd.open().remove(odd.volume))).toBe('done');
  });
  it('by the mount that carries the folder that the driver names (REX-Ray)', async () => {
    odd.mounted = [odd.data];
    odd.plugin.script('Path', { json: { Mountpoint: join(odd.data, 'data') } });
    await refused();
  });
  it('by the mount behind a link in the path that the driver names', async () => {
    symlinkSync(odd.home, join(odd.home, 'link'));
    odd.mounted = [odd.data];
    odd.plugin.script('Path', { json: { Mountpoint: join(odd.home, 'link', odd.volume.name) } });
    await refused();
    odd.plugin.script('Path', { json: { Mountpoint: join(odd.home, 'link', odd.volume.name, 'data') } });
    await refused();
  });
  it('by what is mounted inside it', async () => {
    odd.mounted = [join(odd.data, 'backup')];
    odd.plugin.script('Get', odd.present([], odd.data));
    await refused();
  });
  it.each(['here', 'in a container'])(
    'by a part of its folder that is bound to another place %s',
    async (where) => {
      const root = { device: '8:1', root: '/', mountPoint: '/', fileSystem: 'ext4' };
      const bound = { ...root, root: join(odd.data, 'nodes'), mountPoint: '/usr/share/elasticsearch/data' };
      odd.plugin.script('Get', odd.present(undefined, odd.data), ABSENT);
      const tables = (bind: typeof root) => ({
        mountTable: () => (where === 'here' ? [root, bind] : [root]),
        otherMountTables: () => (where === 'here' ? [] : [[root, bind]]),
      });
      const outcome = await odd.open(tables(bound)).remove(odd.volume);
      expect(says(outcome)).toBe('not-done in-use');
      expect(messageOf(outcome)).toContain('/usr/share/elasticsearch/data');
      expect(odd.verbs()).not.toContain('Remove');
      // Its neighbour of nearly the same name is none of it.
      odd.plugin.script('Get', odd.present(undefined, odd.data), ABSENT);
      const neighbour = { ...bound, root: `${odd.data}2/nodes` };
      expect(says(await odd.open(tables(neighbour)).remove(odd.volume))).toBe('done');
    },
  );
  it('when the driver does not say where it is', async () => {
    odd.plugin.script('Path', 'hang');
    expect(says(await odd.open().remove(odd.volume))).toBe('unknown time-limit');
    expect(odd.verbs()).not.toContain('Remove');
  });
  it('by a mount of the same name at another driver it is not held up', async () => {
    const theirs = { ...odd.volume, driver: 'other' };
    const volumes = odd.open();
    odd.plugin.script('Mount', { json: { Mountpoint: odd.data } });
    expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
    odd.mounted = [odd.data];
    await odd.plugin.stop();
    odd.plugin = await startScriptedPlugin(odd.home, 'other');
    odd.plugin.script('Get', odd.present(), ABSENT);
    expect(says(await volumes.remove(theirs))).toBe('done');
  });
});

describe('edge case 29: the removal of an absent volume', () => {
  it('is done, and no Remove is sent', async () => {
    odd.plugin.script('Get', ABSENT);
    expect(says(await odd.open().remove(odd.volume))).toBe('done');
    expect(odd.verbs()).toEqual(['Get', 'List']);
  });
  it('is done when somebody else was faster', async () => {
    odd.plugin.script('Get', odd.present(), ABSENT);
    odd.plugin.script('Remove', ABSENT);
    expect(says(await odd.open().remove(odd.volume))).toBe('done');
  });
  it('is not believed when the driver still has it', async () => {
    expect(says(await odd.open().remove(odd.volume))).toBe('unknown bad-answer');
  });
});

it('edge case 35: names that differ in case are two volumes here, with a warning where the driver makes them one', async () => {
  const twin = { ...odd.volume, name: volumeName('Elasticsearch1Data') };
  const volumes = odd.open();
  odd.plugin.script('Mount', { json: { Mountpoint: odd.data } });
  expect(says(await volumes.attach(odd.volume, odd.task))).toBe('done');
  expect(odd.warnings).toEqual([]);
  // The driver answers for the twin with the volume that it has.
  expect(says(await volumes.attach(twin, 'task-2' as ConsumerId))).toMatch(/bad-mountpoint$/);
  expect(odd.warnings.map(({ message }) => message)).toEqual([
    expect.stringContaining('differ only in case'),
  ]);
});
