/** A scripted plugin for each test, and the plugin-socket path to it with short time limits and a mount table of the test's own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import type { MountEntry } from '../mount-table.ts';
import type { Outcome } from '../outcome.ts';
import { mountIdOf } from '../plugin-socket/mount-id.ts';
import { pluginSocketVolumes } from '../plugin-socket/volumes.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { startScriptedPlugin, type ScriptedAnswer, type ScriptedPlugin } from './scripted-plugin.ts';

export interface ScriptedDriver {
  readonly volume: VolumeSpec;
  readonly consumer: ConsumerId;
  /** The consumer's mount ID. */
  readonly id: string;
  /** Folder of the test; the plugin's socket is in it. */
  readonly home: string;
  /** A directory that a Mount may answer with. */
  readonly data: string;
  readonly plugin: ScriptedPlugin;
  /** What the bridge takes for the mount table. */
  table: MountEntry[];
  /** A bridge that remembers nothing yet. */
  readonly open: () => Volumes;
  /** The answer to Get of a volume that is there; `mounts`: from a driver that tells who mounts. */
  readonly present: (mounts?: readonly string[], mountpoint?: string) => ScriptedAnswer;
  /** What the plugin was asked, without the handshake and without `VolumeDriver.`. */
  readonly verbs: () => string[];
}

export const ABSENT: ScriptedAnswer = { status: 500, json: { Err: 'volume not found' } };

/** Registers its own hooks: call it once at the top of a test file. The volume is there unless told otherwise. */
export function scriptedDriver(): ScriptedDriver {
  const volume: VolumeSpec = {
    name: volumeName('elasticsearch1data'),
    driver: 'odd',
    options: { size: '1' },
  };
  const consumer = 'task-1' as ConsumerId;
  const here: { home: string; plugin?: ScriptedPlugin; table: MountEntry[] } = { home: '', table: [] };
  const plugin = (): ScriptedPlugin => {
    if (here.plugin === undefined) throw new Error('the scripted plugin runs in tests only');
    return here.plugin;
  };
  const driver: ScriptedDriver = {
    volume,
    consumer,
    id: mountIdOf(consumer),
    get home() {
      return here.home;
    },
    get data() {
      return join(here.home, 'data');
    },
    get plugin() {
      return plugin();
    },
    table: [],
    open: () =>
      pluginSocketVolumes({
        directories: [here.home],
        timeLimits: { reachMs: 200, createMs: 150, mountMs: 150, otherMs: 150 },
        mountTable: () => driver.table,
      }),
    present: (mounts, mountpoint = '') => ({
      json: {
        Volume: {
          Name: volume.name,
          Mountpoint: mountpoint,
          ...(mounts && { Status: { Mounts: mounts } }),
        },
      },
    }),
    verbs: () =>
      plugin()
        .calls.map(({ method }) => method.replace('VolumeDriver.', ''))
        .filter((verb) => verb !== 'Plugin.Activate'),
  };
  beforeEach(async () => {
    here.home = mkdtempSync(join(tmpdir(), 'plugin-'));
    mkdirSync(driver.data);
    driver.table = [];
    here.plugin = await startScriptedPlugin(here.home, volume.driver);
    here.plugin.script('Get', driver.present());
  });
  afterEach(async () => {
    await here.plugin?.stop();
    rmSync(here.home, { recursive: true, force: true });
  });
  return driver;
}

/** `done`, or kind and code: `not-done in-use`. */
export function says(outcome: Outcome<unknown>): string {
  return outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}`;
}

export function mountedAt(path: string): MountEntry {
  return { device: '8:1', root: '/', mountPoint: path, fileSystem: 'ext4' };
}
