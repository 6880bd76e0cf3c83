import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readMountTable, type MountEntry } from '../mount-table.ts';
import {
  startPluginServer,
  type PluginServer,
  type ReceivedCall,
  type ScriptedAnswer,
} from './scripted-plugin.ts';

export interface RexrayLikeOptions {
  /** Volumes get real directories in it. */
  readonly directory: string;
  readonly pluginDirectory: string;
  /** `rexray` unless told. */
  readonly name?: string;
  /** As recorded: every Unmount is a real one. Otherwise Mounts are counted by the volume's name, and the last Unmount counts. */
  readonly ignoreUsedCount?: boolean;
}

export interface RexrayLikePlugin extends PluginServer {
  /** This machine's, and the mounts that this plugin pretends to have made. */
  mountTable(): readonly MountEntry[];
  /** Volumes that were removed while mounted: the harm that this driver does without a word. */
  readonly removedWhileMounted: readonly string[];
  /** Names of the volumes, one for each: a Create of what exists makes another one. */
  names(): readonly string[];
}

interface Volume {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  used: number;
}

/**
 * A plugin that answers as REX-Ray was recorded to (HEAD, vfs storage): no mountpoint in Get or Path whether mounted
 * or not, `/data` appended to Mount's answer, no word of who mounts, any option taken, a second volume of the same
 * name made by a second Create, a mounted volume removed when asked, and names without regard to case.
 */
export async function startRexrayLikePlugin(options: RexrayLikeOptions): Promise<RexrayLikePlugin> {
  const storage: Storage = { options, volumes: [], removedWhileMounted: [] };
  const server = await startPluginServer(options.pluginDirectory, options.name ?? 'rexray', (call) =>
    answerTo(storage, call),
  );
  return {
    ...server,
    removedWhileMounted: storage.removedWhileMounted,
    names: () => storage.volumes.map(({ name }) => name),
    mountTable: () => [...readMountTable(), ...mountsOf(storage)],
  };
}

interface Storage {
  readonly options: RexrayLikeOptions;
  readonly volumes: Volume[];
  readonly removedWhileMounted: string[];
}

function mountPointOf({ options }: Storage, name: string): string {
  return join(options.directory, 'volumes', name);
}

function mountsOf(storage: Storage): readonly MountEntry[] {
  return storage.volumes
    .filter(({ used }) => used > 0)
    .map(({ name }, index) => ({
      device: `rexray:${String(index)}`,
      root: '/',
      mountPoint: mountPointOf(storage, name),
      fileSystem: 'ext4',
    }));
}

const PAGE_NOT_FOUND: ScriptedAnswer = { status: 404, text: '404 page not found\n' };

function answerTo(storage: Storage, { method, body }: ReceivedCall): ScriptedAnswer {
  const name = body.Name ?? '';
  const verb = method.replace('VolumeDriver.', '');
  const volume = storage.volumes.find((other) => other.name.toLowerCase() === name.toLowerCase());
  const fault = (says: string): ScriptedAnswer => ({
    status: 500,
    json: { Err: `docker-legacy: ${verb}: ${name}: failed: ${says}` },
  });
  switch (verb) {
    case 'Plugin.Activate':
      return { json: { Implements: ['VolumeDriver'] } };
    case 'Capabilities':
      return { json: { Capabilities: { Scope: 'global' } } };
    case 'List':
      return { json: { Volumes: storage.volumes.map(describe) } };
    case 'Create':
      return name === '' ? fault('missing volume name or ID') : create(storage, name, body.Opts ?? {});
    case 'Remove':
      return volume === undefined ? fault('resource not found') : remove(storage, volume);
    case 'Get':
      return volume === undefined ? fault('resource not found') : { json: { Volume: describe(volume) } };
    case 'Path':
      return (volume?.used ?? 0) > 0 ? { json: { Mountpoint: '' } } : fault('resource not found');
    case 'Mount':
      return volume === undefined ? fault('resource not found') : mount(storage, volume);
    case 'Unmount':
      return (volume?.used ?? 0) > 0 ? unmount(storage, volume!) : fault('resource not found');
    default:
      return PAGE_NOT_FOUND;
  }
}

function describe({ name, options }: Volume): unknown {
  const size = options['size'] ?? '16';
  return {
    Name: name,
    Mountpoint: '',
    Status: {
      ...{ availabilityZone: '', fields: { size }, iops: 0, name },
      ...{ server: 'vfs', service: 'vfs', size: Number(size), type: '' },
    },
  };
}

function create(storage: Storage, name: string, options: Readonly<Record<string, string>>): ScriptedAnswer {
  storage.volumes.push({ name, options, used: 0 });
  return { json: {} };
}

function remove(storage: Storage, volume: Volume): ScriptedAnswer {
  if (volume.used > 0) storage.removedWhileMounted.push(volume.name);
  storage.volumes.splice(storage.volumes.indexOf(volume), 1);
  rmSync(mountPointOf(storage, volume.name), { recursive: true, force: true });
  return { json: {} };
}

function mount(storage: Storage, volume: Volume): ScriptedAnswer {
  volume.used += 1;
  const path = join(mountPointOf(storage, volume.name), 'data');
  mkdirSync(path, { recursive: true });
  return { json: { Mountpoint: path } };
}

function unmount(storage: Storage, volume: Volume): ScriptedAnswer {
  volume.used = storage.options.ignoreUsedCount === false ? volume.used - 1 : 0;
  return { json: {} };
}
