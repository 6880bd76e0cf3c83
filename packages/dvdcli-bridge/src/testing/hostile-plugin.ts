import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MountEntry } from '../mount-table.ts';
import {
  startPluginServer,
  type PluginServer,
  type ReceivedCall,
  type ScriptedAnswer,
} from './scripted-plugin.ts';

/**
 * Before the work, which is then not done: `hang`, `die`, `refuse`, `page` (an HTML page), `gateway` (502).
 * After the work, which is then done: `late` (no answer), `lost` (the connection breaks), `half` (in mid-answer),
 * `denied` (it says that it failed), `accepted` (status 202), `empty` (no fields), `scalars` (wrong types).
 * Lies: `pretend` (the right answer, nothing done), `foreign` (the right work, and another volume in the answer).
 */
export const MISBEHAVIOURS = [
  ...['hang', 'die', 'refuse', 'page', 'gateway'],
  ...['late', 'lost', 'half', 'denied', 'accepted', 'empty', 'scalars'],
  ...['pretend', 'foreign'],
] as const;
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

export interface HostileOptions {
  readonly directory: string;
  /** Whether Get lists the mount IDs. */
  readonly listsMounts: boolean;
}

/** What a driver does and what is true of it, however it is reached. */
export interface HostileDriver {
  /** From now on every call of this verb goes wrong in this way; undefined: all is well again. */
  misbehave(verb?: string, how?: Misbehaviour): void;
  /** The truth. */
  exists(name: string): boolean;
  mountsOf(name: string): readonly string[];
  mountpointOf(name: string): string;
  mountTable(): readonly MountEntry[];
  /** Where a path mounts only for a container: one has the volume from now on, or none any more. */
  hold?(name: string, held: boolean): void;
  /** Volumes that were removed while mounted. */
  readonly removedWhileMounted: readonly string[];
  stop(): Promise<void>;
}

export type HostilePlugin = HostileDriver & PluginServer;

interface World {
  readonly options: HostileOptions;
  /** Name → mount IDs. */
  readonly volumes: Map<string, Set<string>>;
  readonly removedWhileMounted: string[];
  wrong: { readonly verb: string; readonly how: Misbehaviour } | undefined;
}

/** A volume that always exists and is always mounted: whose path a `foreign` answer gives. */
export const NEIGHBOUR = 'neighbour';

/** A driver `hostile` that works as a good one does, until it is told to misbehave at one verb. */
export async function startHostilePlugin(options: HostileOptions): Promise<HostilePlugin> {
  const world: World = { options, volumes: new Map(), removedWhileMounted: [], wrong: undefined };
  world.volumes.set(NEIGHBOUR, new Set(['neighbour']));
  mkdirSync(pathOf(world, NEIGHBOUR), { recursive: true });
  const server = await startPluginServer(options.directory, 'hostile', (call) => answerTo(world, call));
  return {
    ...server,
    misbehave(verb, how) {
      world.wrong = verb === undefined || how === undefined ? undefined : { verb, how };
    },
    exists: (name) => world.volumes.has(name),
    mountsOf: (name) => [...(world.volumes.get(name) ?? [])],
    mountpointOf: (name) => pathOf(world, name),
    mountTable: () => tableOf(world),
    removedWhileMounted: world.removedWhileMounted,
  };
}

function pathOf({ options }: World, name: string): string {
  return join(options.directory, 'mounts', name);
}

function tableOf(world: World): readonly MountEntry[] {
  const mounted = [...world.volumes].filter(([, ids]) => ids.size > 0).map(([name]) => pathOf(world, name));
  return ['/', ...mounted].map((mountPoint) => ({
    device: `0:${mountPoint}`,
    root: '/',
    mountPoint,
    fileSystem: 'fuse',
  }));
}

function answerTo(world: World, call: ReceivedCall): ScriptedAnswer {
  const verb = call.method.replace('VolumeDriver.', '');
  const how = world.wrong?.verb === verb ? world.wrong.how : undefined;
  switch (how) {
    case undefined:
      return act(world, verb, call);
    case 'hang':
    case 'die':
      return how;
    case 'refuse':
      return { json: { Err: 'disk is on fire' } };
    case 'page':
      return 'garbage';
    case 'gateway':
      return { status: 502, text: '<html>Bad Gateway</html>' };
    case 'pretend':
      return pretend(world, verb, call);
    case 'foreign':
      act(world, verb, call);
      return foreign(world);
    default:
      return spoil(act(world, verb, call), how);
  }
}

type Spoiling = 'late' | 'lost' | 'half' | 'denied' | 'accepted' | 'empty' | 'scalars';

/** The answer to work that was done, spoilt. */
export function spoil(answer: ScriptedAnswer, how: Spoiling): ScriptedAnswer {
  switch (how) {
    case 'late':
      return 'hang';
    case 'lost':
      return 'die';
    case 'half':
      return 'half';
    case 'denied':
      return { status: 500, json: { Err: 'backend timeout' } };
    case 'accepted':
      return typeof answer === 'object' ? { ...answer, status: 202 } : answer;
    case 'empty':
      return { json: {} };
    case 'scalars':
      return { json: { Mountpoint: 7, Volume: 7, Volumes: 7, Implements: 7, Capabilities: 7, Err: 7 } };
  }
}

/** A good driver: Create and Mount are repeatable, Unmount of what is not mounted is refused. */
function act(world: World, verb: string, { body }: ReceivedCall): ScriptedAnswer {
  const { Name: name = '', ID: id = '' } = body;
  const ids = world.volumes.get(name);
  const absent: ScriptedAnswer = { status: 500, json: { Err: `volume ${name} not found` } };
  switch (verb) {
    case 'Plugin.Activate':
      return { json: { Implements: ['VolumeDriver'] } };
    case 'Capabilities':
      return { json: { Capabilities: { Scope: 'global' } } };
    case 'List':
      return { json: { Volumes: [...world.volumes.keys()].map((each) => describe(world, each)) } };
    case 'Create':
      if (ids === undefined) world.volumes.set(name, new Set());
      return { json: {} };
    case 'Get':
      return ids === undefined ? absent : { json: { Volume: describe(world, name) } };
    case 'Path':
      return { json: { Mountpoint: (ids?.size ?? 0) > 0 ? pathOf(world, name) : '' } };
    case 'Mount':
      if (ids === undefined) return absent;
      ids.add(id);
      mkdirSync(pathOf(world, name), { recursive: true });
      return { json: { Mountpoint: pathOf(world, name) } };
    case 'Unmount':
      return ids?.delete(id) === true
        ? { json: {} }
        : { status: 500, json: { Err: 'volume is not mounted' } };
    case 'Remove':
      return ids === undefined ? absent : remove(world, name, ids);
    default:
      return { status: 404, text: '404 page not found' };
  }
}

function remove(world: World, name: string, ids: ReadonlySet<string>): ScriptedAnswer {
  if (ids.size > 0) world.removedWhileMounted.push(name);
  world.volumes.delete(name);
  rmSync(pathOf(world, name), { recursive: true, force: true });
  return { json: {} };
}

function describe(world: World, name: string): unknown {
  const ids = [...(world.volumes.get(name) ?? [])];
  return {
    Name: name,
    Mountpoint: ids.length > 0 ? pathOf(world, name) : '',
    ...(world.options.listsMounts ? { Status: { Mounts: ids } } : {}),
  };
}

/** The answer of a driver that has done it. */
function pretend(world: World, verb: string, call: ReceivedCall): ScriptedAnswer {
  if (verb !== 'Mount') return { json: {} };
  const path = pathOf(world, call.body.Name ?? '');
  mkdirSync(path, { recursive: true });
  return { json: { Mountpoint: path } };
}

function foreign(world: World): ScriptedAnswer {
  const volume = describe(world, NEIGHBOUR);
  return { json: { Mountpoint: pathOf(world, NEIGHBOUR), Volume: volume, Volumes: [volume] } };
}
