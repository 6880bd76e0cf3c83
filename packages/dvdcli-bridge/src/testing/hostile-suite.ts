/**
 * Every verb of the protocol, gone wrong in every way that a driver can go wrong in, through any path: no operation says
 * `done` when the truth is otherwise, each ends within its limit, a mounted volume is never removed, and when the driver
 * is good again the same operations succeed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import type { Outcome } from '../outcome.ts';
import type { Attachment, ConsumerId, Volumes } from '../volumes.ts';
import { NEIGHBOUR, startHostilePlugin, type HostileDriver, type Misbehaviour } from './hostile-plugin.ts';

export const HOSTILE_VERBS = [
  ...['Plugin.Activate', 'Create', 'Remove', 'Mount', 'Unmount', 'Path', 'Get', 'List', 'Capabilities'],
] as const;

export const HOSTILE_TASK = 'task' as ConsumerId;
const volume = { name: volumeName('elasticsearch1data'), driver: 'hostile', options: {} };
const neighbour = { name: volumeName(NEIGHBOUR), driver: 'hostile' };

/** A path to the volumes of a hostile driver. */
export interface HostilePath {
  /** The driver, where it is no plugin. */
  readonly start?: (directory: string) => Promise<HostileDriver>;
  /** A bridge that remembers nothing, to the driver in this plugin directory. */
  readonly open: (directory: string, plugin: () => HostileDriver) => Volumes;
  /** Under which `HOSTILE_TASK` mounts. */
  readonly mountId: string;
  /** How long an operation may take at most, on a machine that has other things to do. */
  readonly longestMs: number;
  /** The faults to be tried, one test for each. */
  readonly faults: readonly { readonly verb: string; readonly how: Misbehaviour }[];
  /** At a driver that lists who mounts, at one that does not, or at both. */
  readonly drivers: readonly ('lists who mounts' | 'does not')[];
  /** From the start; also again with the volume attached. */
  readonly rounds: 1 | 2;
  /** What no caller could see on this path. */
  readonly invisible: (fault: {
    verb: string;
    how: Misbehaviour;
    what: string;
    listsMounts: boolean;
  }) => boolean;
}

interface Trial {
  readonly path: HostilePath;
  readonly plugin: () => HostileDriver;
  readonly open: () => Volumes;
}

/** What was said, with the driver's truth at that moment where it contradicts. */
async function check(
  trial: Trial,
  what: string,
  operation: Promise<Outcome<unknown>>,
): Promise<string | undefined> {
  const before = performance.now();
  const outcome = await operation;
  const took = performance.now() - before;
  if (took > trial.path.longestMs) return `${what} took ${Math.round(took)} ms`;
  const lie = outcome.kind === 'done' ? contradiction(trial, what, outcome.value) : undefined;
  return lie === undefined ? undefined : `${what} said done, but ${lie}`;
}

function contradiction({ path, plugin }: Trial, what: string, value: unknown): string | undefined {
  const { name } = volume;
  const isMounted = plugin().mountsOf(name).includes(path.mountId);
  switch (what) {
    case 'ensure':
      return plugin().exists(name) ? undefined : 'there is no such volume';
    case 'attach': {
      const attachment = value as Attachment;
      const place = attachment.kind === 'host-path' ? attachment.hostPath : attachment.source;
      if (place !== plugin().mountpointOf(name)) return `gave ${place}`;
      if (attachment.kind === 'container-mount')
        return plugin().exists(name) ? undefined : 'there is no such volume';
      return isMounted ? undefined : 'nothing is mounted';
    }
    case 'detach':
      return isMounted ? 'it is still mounted' : undefined;
    case 'remove':
      return plugin().exists(name) ? 'it is still there' : undefined;
    case 'inspect':
      return (value !== undefined) === plugin().exists(name) ? undefined : 'the opposite is true';
    default:
      return undefined;
  }
}

/** A life of the volume, in which any step may fail. */
async function life(trial: Trial, volumes: Volumes): Promise<readonly string[]> {
  const wrong: (string | undefined)[] = [];
  const step = async (what: string, act: () => Promise<Outcome<unknown>>): Promise<void> => {
    wrong.push(await check(trial, what, act()));
  };
  await step('describe', () => volumes.describe(volume.driver));
  await step('ensure', () => volumes.ensure(volume));
  await step('inspect', () => volumes.inspect(volume));
  await step('attach', () => volumes.attach(volume, HOSTILE_TASK));
  trial.plugin().hold?.(volume.name, true);
  await step('attach', () => volumes.attach(volume, HOSTILE_TASK));
  await step('remove', () => volumes.remove(volume));
  await step('detach', () => volumes.detach(volume, HOSTILE_TASK));
  trial.plugin().hold?.(volume.name, false);
  await step('detach', () => volumes.detach(volume, HOSTILE_TASK));
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

async function recovers({ plugin }: Trial, volumes: Volumes): Promise<void> {
  const done = async (operation: () => Promise<Outcome<unknown>>): Promise<void> => {
    expect(await answered(operation)).toMatchObject({ kind: 'done' });
  };
  await done(() => volumes.ensure(volume));
  await done(() => volumes.attach(volume, HOSTILE_TASK));
  plugin().hold?.(volume.name, true);
  expect(await answered(() => volumes.remove(volume))).toMatchObject({
    kind: 'not-done',
    error: { code: 'in-use' },
  });
  plugin().hold?.(volume.name, false);
  await done(() => volumes.detach(volume, HOSTILE_TASK));
  expect(plugin().mountsOf(volume.name)).toEqual([]);
  await done(() => volumes.remove(volume));
  expect(plugin().exists(volume.name)).toBe(false);
}

async function survives(
  trial: Trial,
  fault: HostilePath['faults'][number],
  listsMounts: boolean,
): Promise<void> {
  const { path, plugin, open } = trial;
  const volumes = open();
  for (const attached of [false, true].slice(0, path.rounds)) {
    plugin().misbehave();
    if (attached) {
      await answered(() => volumes.ensure(volume));
      await answered(() => volumes.attach(volume, HOSTILE_TASK));
    }
    plugin().misbehave(fault.verb, fault.how);
    const wrong = await life(trial, volumes);
    expect(wrong.filter((what) => !path.invisible({ ...fault, what, listsMounts }))).toEqual([]);
    expect(plugin().removedWhileMounted).toEqual([]);
    expect(plugin().exists(NEIGHBOUR)).toBe(true);
    expect(plugin().mountsOf(NEIGHBOUR)).toEqual([NEIGHBOUR]);
  }
  plugin().misbehave();
  await recovers(trial, volumes);
  // A bridge that remembers nothing finds nothing left behind.
  if (path.rounds === 2) await recovers(trial, open());
}

export function hostileSuite(title: string, path: HostilePath): void {
  describe.each(path.drivers)(`${title}: a driver that %s`, (driver) => {
    const listsMounts = driver === 'lists who mounts';
    let home: string;
    let plugin: HostileDriver;
    const start = (): Promise<HostileDriver> =>
      path.start?.(home) ?? startHostilePlugin({ directory: home, listsMounts });
    const trial: Trial = { path, plugin: () => plugin, open: () => path.open(home, () => plugin) };
    beforeEach(async () => {
      home = mkdtempSync(join(tmpdir(), 'hostile-'));
      plugin = await start();
    });
    afterEach(async () => {
      await plugin.stop();
      rmSync(home, { recursive: true, force: true });
    });

    it('is well when it is good', async () => {
      expect(await life(trial, trial.open())).toEqual([]);
      await recovers(trial, trial.open());
    });

    it.each(path.faults)('and goes wrong at $verb by $how', (fault) => survives(trial, fault, listsMounts));

    // The Engine gives no path.
    it.skipIf(path.start !== undefined)(
      'gives the path of a volume that we hold: neither is it taken for ours, nor let go',
      async () => {
        const volumes = trial.open();
        expect(await answered(() => volumes.attach(neighbour, HOSTILE_TASK))).toMatchObject({ kind: 'done' });
        await answered(() => volumes.ensure(volume));
        plugin.misbehave('Mount', 'foreign');
        expect(await answered(() => volumes.attach(volume, HOSTILE_TASK))).toMatchObject({
          error: { code: 'bad-mountpoint' },
        });
        plugin.misbehave();
        expect(plugin.mountsOf(NEIGHBOUR)).toHaveLength(2);
        await recovers(trial, volumes);
      },
    );

    it.skipIf(path.start !== undefined)('dies in the middle and comes back without its mounts', async () => {
      const volumes = trial.open();
      await answered(() => volumes.ensure(volume));
      expect(await answered(() => volumes.attach(volume, HOSTILE_TASK))).toMatchObject({ kind: 'done' });
      await plugin.stop();
      expect((await volumes.attach(volume, HOSTILE_TASK)).kind).not.toBe('done');
      expect((await volumes.detach(volume, HOSTILE_TASK)).kind).not.toBe('done');
      plugin = await start();
      await recovers(trial, volumes);
    });
  });
}
