import { createServer } from 'node:http';
import { join } from 'node:path';
import type { MountEntry } from '../mount-table.ts';
import { NEIGHBOUR, spoil, type HostileDriver, type Misbehaviour } from './hostile-plugin.ts';
import { play, type ScriptedAnswer } from './scripted-plugin.ts';

export const ENGINE_VERBS = ['Create', 'Remove', 'Get', 'List', 'Containers'] as const;

export interface HostileEngine extends HostileDriver {
  readonly socket: string;
}

interface World {
  /** Name → whether a running container has it. */
  readonly volumes: Map<string, boolean>;
  readonly removedWhileMounted: string[];
  wrong: { readonly verb: string; readonly how: Misbehaviour } | undefined;
}

/** A Docker Engine as far as volumes go, which misbehaves at one verb when it is told to. Its containers run by `hold`. */
export async function startHostileEngine(directory: string): Promise<HostileEngine> {
  const world: World = { volumes: new Map([[NEIGHBOUR, true]]), removedWhileMounted: [], wrong: undefined };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    request.on('end', () =>
      play(response, answerTo(world, { method: request.method ?? '', url: request.url ?? '', text })),
    );
  });
  const socket = join(directory, 'engine.sock');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    misbehave(verb, how) {
      world.wrong = verb === undefined || how === undefined ? undefined : { verb, how };
    },
    exists: (name) => world.volumes.has(name),
    mountsOf: (name) => (world.volumes.get(name) === true ? [name] : []),
    mountpointOf: (name) => name,
    mountTable: (): readonly MountEntry[] => [],
    hold(name, held) {
      if (world.volumes.has(name)) world.volumes.set(name, held);
    },
    removedWhileMounted: world.removedWhileMounted,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly text: string;
}

function answerTo(world: World, asked: Asked): ScriptedAnswer {
  const { pathname: path, searchParams } = new URL(asked.url, 'http://engine');
  const verb = verbOf(asked.method, path);
  const { volume = [] } = JSON.parse(searchParams.get('filters') ?? '{}') as { volume?: string[] };
  const name = verb === 'Containers' ? (volume[0] ?? '') : (path.split('/')[2] ?? '');
  const how = world.wrong?.verb === verb ? world.wrong.how : undefined;
  const act = (): ScriptedAnswer => actOn(world, verb, name, asked.text);
  switch (how) {
    case undefined:
      return act();
    case 'hang':
    case 'die':
      return how;
    case 'refuse':
      return { status: 500, json: { message: 'disk is on fire' } };
    case 'page':
      return 'garbage';
    case 'gateway':
      return { status: 502, text: '<html>Bad Gateway</html>' };
    case 'pretend':
      return { status: verb === 'Create' ? 201 : 204, json: {} };
    case 'foreign':
      act();
      return { status: verb === 'Create' ? 201 : 200, json: foreign(verb) };
    case 'denied':
      act();
      return { status: 500, json: { message: 'context deadline exceeded' } };
    default:
      return spoil(act(), how);
  }
}

function verbOf(method: string, path: string): string {
  if (path === '/containers/json') return 'Containers';
  if (method === 'POST') return 'Create';
  if (method === 'DELETE') return 'Remove';
  return path === '/volumes' ? 'List' : 'Get';
}

function actOn(world: World, verb: string, name: string, text: string): ScriptedAnswer {
  const { volumes } = world;
  const absent: ScriptedAnswer = { status: 404, json: { message: `get ${name}: no such volume` } };
  switch (verb) {
    case 'Create': {
      const { Name: made } = JSON.parse(text) as { Name: string };
      if (!volumes.has(made)) volumes.set(made, false);
      return { status: 201, json: describe(made) };
    }
    case 'Remove':
      if (!volumes.has(name)) return absent;
      if (volumes.get(name) === true) world.removedWhileMounted.push(name);
      volumes.delete(name);
      return { status: 204, text: '' };
    case 'Get':
      return volumes.has(name) ? { json: describe(name) } : absent;
    case 'List':
      return { json: { Volumes: [...volumes.keys()].map(describe), Warnings: null } };
    default:
      return { json: volumes.get(name) === true ? [container(name)] : [] };
  }
}

function describe(name: string): object {
  return { Name: name, Driver: 'hostile', Mountpoint: '', Scope: 'global', Options: {} };
}

function container(volume: string): object {
  return { Id: `of-${volume}`, Names: [`/of-${volume}`], State: 'running', Mounts: [{ Name: volume }] };
}

function foreign(verb: string): unknown {
  if (verb === 'List') return { Volumes: [describe(NEIGHBOUR)], Warnings: null };
  return verb === 'Containers' ? [container(NEIGHBOUR)] : describe(NEIGHBOUR);
}
