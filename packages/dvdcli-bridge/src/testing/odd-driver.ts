import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import type { MountEntry } from '../mount-table.ts';
import type { Outcome } from '../outcome.ts';
import { mountIdOf } from '../plugin-socket/mount-id.ts';
import {
  pluginSocketVolumes,
  type PluginSocketOptions,
  type VolumeWarning,
} from '../plugin-socket/volumes.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { startScriptedPlugin, type ScriptedAnswer, type ScriptedPlugin } from './scripted-plugin.ts';

/** A scripted driver `odd` and the bridge to it, new for each test of the file. */
export interface OddDriver {
  readonly volume: VolumeSpec;
  readonly task: ConsumerId;
  /** The mount ID of `task`. */
  readonly id: string;
  /** A folder of this test, which is the plugin directory too. */
  home: string;
  /** A directory in it that can be a mountpoint. */
  data: string;
  plugin: ScriptedPlugin;
  /** What is mounted, as the bridge sees it. */
  mounted: string[];
  /** What is mounted in another mount namespace. */
  mountedElsewhere: string[];
  readonly warnings: VolumeWarning[];
  readonly open: (options?: PluginSocketOptions) => Volumes;
  /** An answer to Get: the volume, under these mount IDs. */
  readonly present: (mounts?: readonly string[], mountpoint?: string, name?: string) => ScriptedAnswer;
  /** What was called so far, without the handshake. */
  readonly verbs: () => string[];
}

export const ABSENT: ScriptedAnswer = { status: 500, json: { Err: 'volume not found' } };

export function oddDriver(): OddDriver {
  const task = 'task-1' as ConsumerId;
  const driver: OddDriver = {
    volume: { name: volumeName('elasticsearch1data'), driver: 'odd', options: { size: '1' } },
    task,
    id: mountIdOf(task),
    home: '',
    data: '',
    plugin: undefined as unknown as ScriptedPlugin,
    mounted: [],
    mountedElsewhere: [],
    warnings: [],
    open: (options) =>
      pluginSocketVolumes({
        directories: [driver.home],
        timeLimits: { reachMs: 200, createMs: 150, mountMs: 150, unmountMs: 150, otherMs: 150 },
        mountTable: () => tableOf(driver.mounted, '0'),
        otherMountTables: () => [tableOf(driver.mountedElsewhere, '9')],
        warn: (warning) => driver.warnings.push(warning),
        ...options,
      }),
    present: (mounts, mountpoint = '', name = driver.volume.name) => ({
      json: { Volume: { Name: name, Mountpoint: mountpoint, ...(mounts && { Status: { Mounts: mounts } }) } },
    }),
    verbs: () =>
      driver.plugin.calls
        .map(({ method }) => method.replace('VolumeDriver.', ''))
        .filter((verb) => verb !== 'Plugin.Activate'),
  };
  beforeEach(async () => {
    driver.home = mkdtempSync(join(tmpdir(), 'odd-'));
    driver.data = join(driver.home, driver.volume.name);
    mkdirSync(driver.data);
    driver.plugin = await startScriptedPlugin(driver.home, 'odd');
    driver.plugin.script('Get', driver.present());
  });
  afterEach(async () => {
    await driver.plugin.stop();
    rmSync(driver.home, { recursive: true, force: true });
    driver.mounted = [];
    driver.mountedElsewhere = [];
    driver.warnings.length = 0;
  });
  return driver;
}

/** Each a file system of its own, on top of a root. */
function tableOf(mountPoints: readonly string[], major: string): readonly MountEntry[] {
  const entry = (mountPoint: string, index: number): MountEntry => ({
    device: `${major}:${String(index)}`,
    root: '/',
    mountPoint,
    fileSystem: 'ext4',
  });
  return ['/', ...mountPoints].map(entry);
}

/** `done`, or the kind and the code. */
export function says(outcome: Outcome<unknown>): string {
  return outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}`;
}

export function messageOf(outcome: Outcome<unknown>): string {
  return outcome.kind === 'done' ? '' : outcome.error.message;
}
