/**
 * Every verb of the protocol, gone wrong in every way that a driver can go wrong in: no operation says `done` when the
 * truth is otherwise, each ends within its limit, a mounted volume is never removed, and when the driver is good again
 * the same operations succeed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import type { Outcome } from '../outcome.ts';
import {
  MISBEHAVIOURS,
  NEIGHBOUR,
  startHostilePlugin,
  type HostilePlugin,
  type Misbehaviour,
} from '../testing/hostile-plugin.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { mountIdOf } from './mount-id.ts';
import { pluginSocketVolumes } from './volumes.ts';

const VERBS = [
  'Plugin.Activate',
  'Create',
  'Remove',
  'Mount',
  'Unmount',
  'Path',
  'Get',
  'List',
  'Capabilities',
];
const volume = { name: volumeName('elasticsearch1data'), driver: 'hostile', options: {} };
const neighbour = { name: volumeName(NEIGHBOUR), driver: 'hostile' };
const task = 'task' as ConsumerId;
/** So short that a busy machine may miss it with a good driver too; what is unknown is then retried, as by any caller. */
const LIMIT_MS = 20;
/** An operation takes a few calls at most; a machine that is busy may take its time. */
const OPERATION_MS = 600;

let home: string;
let plugin: HostilePlugin;

const open = (): Volumes =>
  pluginSocketVolumes({
    directories: [home],
    timeLimits: {
      ...{ reachMs: LIMIT_MS, createMs: LIMIT_MS, mountMs: LIMIT_MS, unmountMs: LIMIT_MS, otherMs: LIMIT_MS },
      operationMs: OPERATION_MS,
    },
    mountTable: () => plugin.mountTable(),
    otherMountTables: () => [],
  });

/** What was said, with the driver's truth at that moment where it contradicts. */
async function check(what: string, operation: Promise<Outcome<unknown>>): Promise<string | undefined> {
  const before = performance.now();
  const outcome = await operation;
  const took = performance.now() - before;
  if (took > OPERATION_MS + 1_000) return `${what} took ${Math.round(took)} ms`;
  const lie = outcome.kind === 'done' ? contradiction(what, outcome.value) : undefined;
  return lie === undefined ? undefined : `${what} said done, but ${lie}`;
}

function contradiction(what: string, value: unknown): string | undefined {
  const { name } = volume;
  switch (what) {
    case 'ensure':
      return plugin.exists(name) ? undefined : 'there is no such volume';
    case 'attach': {
      const { hostPath } = value as { hostPath: string };
      if (hostPath !== plugin.mountpointOf(name)) return `gave ${hostPath}`;
      return plugin.mountsOf(name).includes(mountIdOf(task)) ? undefined : 'nothing is mounted';
    }
    case 'detach':
      return plugin.mountsOf(name).includes(mountIdOf(task)) ? 'it is still mounted' : undefined;
    case 'remove':
      return plugin.exists(name) ? 'it is still there' : undefined;
    case 'inspect':
      return (value !== undefined) === plugin.exists(name) ? undefined : 'the opposite is true';
    default:
      return undefined;
  }
}

/** A life of the volume, in which any step may fail. */
async function life(volumes: Volumes): Promise<readonly string[]> {
  const wrong: (string | undefined)[] = [];
  const step = async (what: string, act: () => Promise<Outcome<unknown>>): Promise<void> => {
    wrong.push(await check(what, act()));
  };
  await step('describe', () => volumes.describe(volume.driver));
  await step('ensure', () => volumes.ensure(volume));
  await step('inspect', () => volumes.inspect(volume));
  await step('attach', () => volumes.attach(volume, task));
  await step('attach', () => volumes.attach(volume, task));
  await step('remove', () => volumes.remove(volume));
  await step('detach', () => volumes.detach(volume, task));
  await step('remove', () => volumes.remove(volume));
  await step('inspect', () => volumes.inspect(volume));
  return wrong.filter((what) => what !== undefined);
}

/** Until it is answered at all. */
async function answered<T>(operation: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  for (let left = 100; ; left -= 1) {
    const outcome = await operation();
    if (left === 0 || outcome.kind === 'done' || outcome.error.code !== 'time-limit') return outcome;
  }
}

async function recovers(volumes: Volumes): Promise<void> {
  const done = async (operation: () => Promise<Outcome<unknown>>): Promise<void> => {
    expect(await answered(operation)).toMatchObject({ kind: 'done' });
  };
  await done(() => volumes.ensure(volume));
  await done(() => volumes.attach(volume, task));
  expect(await answered(() => volumes.remove(volume))).toMatchObject({
    kind: 'not-done',
    error: { code: 'in-use' },
  });
  await done(() => volumes.detach(volume, task));
  expect(plugin.mountsOf(volume.name)).toEqual([]);
  await done(() => volumes.remove(volume));
  expect(plugin.exists(volume.name)).toBe(false);
}

describe.each([
  ['lists who mounts', true],
  ['does not', false],
])('a driver that %s', (_, listsMounts) => {
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'hostile-'));
    plugin = await startHostilePlugin({ directory: home, listsMounts });
  });
  afterEach(async () => {
    await plugin.stop();
    rmSync(home, { recursive: true, force: true });
  });

  /** What no caller could see from here. */
  const invisible = (verb: string, how: Misbehaviour, what: string): boolean => {
    // A driver that has no way to tell who mounts, and gives a directory, may be one whose volumes are directories. The
    // marker on the volume is what finds it out (docs/safety.md).
    return !listsMounts && verb === 'Mount' && how === 'pretend' && what.startsWith('attach');
  };

  it('is well when it is good', async () => {
    expect(await life(open())).toEqual([]);
    await recovers(open());
  });

  describe.each(VERBS)('and goes wrong at %s', (verb) => {
    it.each(MISBEHAVIOURS)('by %s', async (how) => {
      const volumes = open();
      // From the start, and again with the volume attached.
      for (const attached of [false, true]) {
        plugin.misbehave();
        if (attached) {
          await answered(() => volumes.ensure(volume));
          await answered(() => volumes.attach(volume, task));
        }
        plugin.misbehave(verb, how);
        const wrong = await life(volumes);
        expect(wrong.filter((what) => !invisible(verb, how, what))).toEqual([]);
        expect(plugin.removedWhileMounted).toEqual([]);
        expect(plugin.exists(NEIGHBOUR)).toBe(true);
        expect(plugin.mountsOf(NEIGHBOUR)).toEqual(['neighbour']);
      }
      plugin.misbehave();
      await recovers(volumes);
      // A bridge that remembers nothing finds nothing left behind.
      await recovers(open());
    });
  });

  it('gives the path of a volume that we hold: neither is it taken for ours, nor let go', async () => {
    const volumes = open();
    expect(await answered(() => volumes.attach(neighbour, task))).toMatchObject({ kind: 'done' });
    await answered(() => volumes.ensure(volume));
    plugin.misbehave('Mount', 'foreign');
    expect(await answered(() => volumes.attach(volume, task))).toMatchObject({
      error: { code: 'bad-mountpoint' },
    });
    plugin.misbehave();
    expect(plugin.mountsOf(NEIGHBOUR)).toHaveLength(2);
    await recovers(volumes);
  });

  it('dies in the middle and comes back without its mounts', async () => {
    const volumes = open();
    await answered(() => volumes.ensure(volume));
    expect(await answered(() => volumes.attach(volume, task))).toMatchObject({ kind: 'done' });
    await plugin.stop();
    expect((await volumes.attach(volume, task)).kind).not.toBe('done');
    expect((await volumes.detach(volume, task)).kind).not.toBe('done');
    plugin = await startHostilePlugin({ directory: home, listsMounts });
    await recovers(volumes);
  });
});
