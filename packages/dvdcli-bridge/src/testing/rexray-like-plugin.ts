/**
 * A plugin that answers as a real REX-Ray did (recording 15), over real mounts of this machine. What makes it hard:
 * - Get never names a mountpoint and Path gives "" while mounted, so only the answer of Mount tells where.
 * - That answer is a folder inside the mount, not the mount itself.
 * - It counts nothing: an Unmount by anybody unmounts for everybody, and the next one is "resource not found".
 * - It removes a volume that is mounted, without a word.
 * - Names that differ in case only are one volume.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';

export interface RexrayLikePlugin {
  /** Removals of a volume that was mounted then: there must never be one. */
  readonly removedWhileMounted: readonly string[];
  readonly mounts: number;
  stop(): Promise<void>;
}

interface Request {
  readonly Name?: string;
  readonly Opts?: Readonly<Record<string, string>> | null;
}
interface Stored {
  readonly name: string;
  mounted: boolean;
}
type Answer = readonly [status: number, body: unknown];

/** Why it cannot run here; `undefined` when it can. */
export function rexrayLikeUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'bind mounts are of Linux';
  return process.getuid?.() === 0 ? undefined : 'mounting needs root';
}

export async function startRexrayLikePlugin(at: {
  readonly pluginDirectory: string;
  /** Volumes and mountpoints are made in it. */
  readonly directory: string;
  readonly name?: string;
}): Promise<RexrayLikePlugin> {
  const plugin = new Rexray(at.directory);
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    request.on('end', () => reply(response, plugin, (request.url ?? '').slice(1), text));
  });
  mkdirSync(at.pluginDirectory, { recursive: true });
  const socket = join(at.pluginDirectory, `${at.name ?? 'rexray'}.sock`);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    removedWhileMounted: plugin.removedWhileMounted,
    get mounts() {
      return plugin.mounts;
    },
    stop: () =>
      new Promise((resolve) => {
        plugin.unmountAll();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(response: ServerResponse, plugin: Rexray, method: string, text: string): void {
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  };
  const verb = method === 'Plugin.Activate' ? 'Activate' : method.replace('VolumeDriver.', '');
  if (!plugin.knows(verb)) {
    send(404, 'text/plain; charset=utf-8', '404 page not found\n');
    return;
  }
  let request: Request;
  try {
    request = text.trim() === '' ? {} : (JSON.parse(text) as Request);
  } catch {
    send(400, 'text/plain; charset=utf-8', 'invalid character looking for beginning of value\n');
    return;
  }
  const [status, body] = plugin.answer(verb, request);
  send(status, 'application/vnd.docker.plugins.v1.1+json', `${JSON.stringify(body)}\n`);
}

class Rexray {
  readonly removedWhileMounted: string[] = [];
  mounts = 0;
  readonly #directory: string;
  readonly #volumes = new Map<string, Stored>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  knows(verb: string): boolean {
    return verb in this.#verbs;
  }

  answer(verb: string, { Name: name = '' }: Request): Answer {
    return this.#verbs[verb]?.(name) ?? [404, {}];
  }

  unmountAll(): void {
    for (const volume of this.#volumes.values()) this.#unmount(volume);
  }

  readonly #verbs: Readonly<Record<string, (name: string) => Answer>> = {
    Activate: () => [200, { Implements: ['VolumeDriver'] }],
    Capabilities: () => [200, { Capabilities: { Scope: 'global' } }],
    List: () => [200, { Volumes: [...this.#volumes.values()].map((volume) => describeVolume(volume)) }],
    Create: (name) => this.#create(name),
    Get: (name) => {
      const volume = this.#find(name);
      return volume === undefined ? missing('Get', name) : [200, { Volume: describeVolume(volume) }];
    },
    Path: (name) => (this.#find(name)?.mounted === true ? [200, { Mountpoint: '' }] : missing('Path', name)),
    Mount: (name) => {
      const volume = this.#find(name);
      return volume === undefined
        ? missing('Mount', name)
        : [200, { Mountpoint: join(this.#mount(volume), 'data') }];
    },
    Unmount: (name) => {
      const volume = this.#find(name);
      if (volume?.mounted !== true) return missing('Unmount', name);
      this.#unmount(volume);
      return [200, {}];
    },
    Remove: (name) => {
      const volume = this.#find(name);
      if (volume === undefined) return missing('Remove', name);
      if (volume.mounted) this.removedWhileMounted.push(volume.name);
      this.#volumes.delete(name.toLowerCase());
      return [200, {}];
    },
  };

  #find(name: string): Stored | undefined {
    return this.#volumes.get(name.toLowerCase());
  }

  #create(name: string): Answer {
    if (name === '') return [500, { Err: 'docker-legacy: Create: : failed: missing volume name or ID' }];
    if (this.#find(name) === undefined) this.#volumes.set(name.toLowerCase(), { name, mounted: false });
    return [200, {}];
  }

  #mount(volume: Stored): string {
    const at = join(this.#directory, 'volumes', volume.name);
    if (volume.mounted) return at;
    const disk = join(this.#directory, 'disks', volume.name);
    mkdirSync(join(disk, 'data'), { recursive: true });
    mkdirSync(at, { recursive: true });
    execFileSync('mount', ['--bind', disk, at]);
    volume.mounted = true;
    this.mounts += 1;
    return at;
  }

  #unmount(volume: Stored): void {
    if (!volume.mounted) return;
    const at = join(this.#directory, 'volumes', volume.name);
    execFileSync('umount', ['--lazy', at]);
    // Never with what is in it: that would be the volume's, were it still mounted.
    rmdirSync(at);
    volume.mounted = false;
  }
}

/** The same whether it is mounted or not. */
function describeVolume({ name }: Stored): unknown {
  const size = { fields: { size: '1' }, size: 1, iops: 0 };
  const place = { availabilityZone: '', server: 'vfs', service: 'vfs', type: '' };
  return { Name: name, Mountpoint: '', Status: { ...place, ...size, name } };
}

function missing(verb: string, name: string): Answer {
  return [500, { Err: `docker-legacy: ${verb}: ${name}: failed: resource not found` }];
}
