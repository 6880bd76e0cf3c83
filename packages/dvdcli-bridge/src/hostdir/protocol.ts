import type { HostdirStore, StoredVolume } from './store.ts';

export interface PluginAnswer {
  readonly status: number;
  readonly body: string;
  readonly type: 'json' | 'text';
}

/** Docker's volume plugin protocol over a store. Errors come as HTTP 500 with `Err`, as plugin helpers send them. */
export function answerCall(store: HostdirStore, method: string, body: string): PluginAnswer {
  const verb = VERBS[method];
  if (verb === undefined) return { status: 404, body: '404 page not found\n', type: 'text' };
  let request: PluginRequest;
  try {
    request = parseRequest(body);
  } catch (error) {
    return { status: 400, body: `${(error as Error).message}\n`, type: 'text' };
  }
  try {
    return json(200, verb(store, request));
  } catch (error) {
    return json(500, { Err: error instanceof Error ? error.message : String(error) });
  }
}

interface PluginRequest {
  readonly name: string;
  readonly id: string;
  readonly options: Readonly<Record<string, string>>;
}

const VERBS: Readonly<
  Record<string, ((store: HostdirStore, request: PluginRequest) => unknown) | undefined>
> = {
  'Plugin.Activate': () => ({ Implements: ['VolumeDriver'] }),
  'VolumeDriver.Capabilities': () => ({ Capabilities: { Scope: 'global' } }),
  'VolumeDriver.Create': (store, { name, options }) => {
    store.create(name, options);
    return {};
  },
  'VolumeDriver.Remove': (store, { name }) => {
    store.remove(name);
    return {};
  },
  'VolumeDriver.Mount': (store, { name, id }) => ({ Mountpoint: store.mount(name, id) }),
  'VolumeDriver.Unmount': (store, { name, id }) => {
    store.unmount(name, id);
    return {};
  },
  'VolumeDriver.Path': (store, { name }) => ({ Mountpoint: store.get(name).mountpoint }),
  'VolumeDriver.Get': (store, { name }) => ({ Volume: describeVolume(store.get(name)) }),
  'VolumeDriver.List': (store) => ({ Volumes: store.list().map(describeVolume) }),
};

function describeVolume(volume: StoredVolume): unknown {
  return {
    Name: volume.name,
    Mountpoint: volume.mountpoint,
    CreatedAt: volume.createdAt,
    Status: { Mounts: volume.mounts, Options: volume.options, AttachedTo: volume.attachedTo },
  };
}

/** An empty body is a call without arguments; `Opts` may be null; the keys of older callers' IDs are absent. */
function parseRequest(body: string): PluginRequest {
  const value: unknown = body.trim() === '' ? {} : JSON.parse(body);
  if (typeof value !== 'object' || value === null) throw new Error('the request is not a JSON object');
  const { Name: name = '', ID: id = '', Opts: options } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof id !== 'string') throw new Error('Name and ID are strings');
  const pairs = Object.entries(options ?? {});
  if (!pairs.every((pair): pair is [string, string] => typeof pair[1] === 'string'))
    throw new Error('every value of Opts is a string');
  return { name, id, options: Object.fromEntries(pairs) };
}

function json(status: number, value: unknown): PluginAnswer {
  return { status, body: `${JSON.stringify(value)}\n`, type: 'json' };
}
