/** From flags to a way to reach a driver. */
import {
  dvdcliVolumes,
  engineEndpointFrom,
  engineForManagedPlugins,
  engineVolumes,
  pluginDirectoriesFrom,
  pluginSocketVolumes,
  unknownOutcome,
  VolumeError,
  type LookAt,
  type Outcome,
  type PluginEndpoint,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import Docker from 'dockerode';
import { UsageError } from '../commands/exit-code.ts';
import { inChild } from './child-work.ts';

export const REACH_PATHS = ['plugin-socket', 'dvdcli', 'engine'] as const;
export type ReachPath = (typeof REACH_PATHS)[number];
type Environment = Readonly<Record<string, string | undefined>>;

export interface ReachOptions {
  readonly driver: string;
  /** Absent: engine for Docker's `local`, else plugin-socket. */
  readonly path?: ReachPath;
  readonly dvdcli: string;
  readonly dockerHost?: string;
  /** Of the whole command; absent: the path's own limits per call. */
  readonly timeoutMs?: number;
}

export function pathOf({ path, driver }: Pick<ReachOptions, 'path' | 'driver'>): ReachPath {
  return path ?? (driver === 'local' ? 'engine' : 'plugin-socket');
}

/** @throws UsageError for a Docker host that cannot be dialled */
export function reach(options: ReachOptions, environment: Environment): Volumes {
  const ms = options.timeoutMs;
  switch (pathOf(options)) {
    case 'plugin-socket':
      return pluginSocketVolumes({
        directories: pluginDirectoriesFrom(environment),
        engine: engineFor(options.dockerHost, environment),
        lookAt,
        ...(ms === undefined
          ? {}
          : { timeLimits: { reachMs: Math.min(ms, 5_000), createMs: ms, mountMs: ms, otherMs: ms } }),
      });
    case 'dvdcli':
      return dvdcliVolumes({
        program: options.dvdcli,
        lookAt,
        ...(ms === undefined ? {} : { timeLimits: { createMs: ms, mountMs: ms, otherMs: ms } }),
      });
    case 'engine':
      return engineVolumes({
        docker: dockerAt(options.dockerHost, environment),
        ...(ms === undefined ? {} : { limitMs: ms }),
      });
  }
}

/** The drivers of this host by their sockets, where nothing else is said. */
export function volumesOfThisHost(environment: Environment): Volumes {
  return pluginSocketVolumes({
    directories: pluginDirectoriesFrom(environment),
    engine: engineFor(undefined, environment),
    lookAt,
  });
}

/** Asked for a plugin that it manages itself. */
function engineFor(given: string | undefined, environment: Environment): PluginEndpoint | undefined {
  if (given === undefined)
    return engineForManagedPlugins(environment, (message) => void process.stderr.write(`${message}\n`));
  try {
    return engineEndpointFrom({ ...environment, DOCKER_HOST: given });
  } catch (error) {
    throw new UsageError(`--docker-host cannot be dialled: ${(error as Error).message}`);
  }
}

/** `unix:///path`, `tcp://host:port` or `http://host:port`; absent: DOCKER_HOST, then Docker's usual socket. */
export function dockerAt(given: string | undefined, environment: Environment): Docker {
  const host = given ?? (environment['DOCKER_HOST'] || 'unix:///var/run/docker.sock');
  const socketPath = /^unix:\/\/(\/.+)$/.exec(host)?.[1];
  if (socketPath !== undefined) return new Docker({ socketPath });
  const [, name, port] = /^(?:tcp|http):\/\/([^/:]+|\[[^\]]+\]):(\d{1,5})\/?$/.exec(host) ?? [];
  if (name !== undefined && port !== undefined)
    return new Docker({ protocol: 'http', host: name, port: Number(port) });
  throw new UsageError(
    `--docker-host ${host} cannot be dialled: wanted unix:///path/to/docker.sock or tcp://host:port without TLS`,
  );
}

/** Ends with `unknown` when all the calls of one verb together take longer. */
export async function within<T>(
  { timeoutMs, driver }: ReachOptions,
  volume: string | undefined,
  work: Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  if (timeoutMs === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Outcome<T>>((resolve) => {
    const message = `it did not end within ${timeoutMs} ms (--timeout)`;
    const error = new VolumeError('time-limit', { driver, volume, message });
    timer = setTimeout(() => resolve(unknownOutcome(error)), timeoutMs);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

const LOOK_LIMIT_MS = 10_000;

/** In a child: a dead file system would keep this process from ending, exit code and all. */
const lookAt: LookAt = async (path) => {
  const script = `return fs.statSync(args[0]).isDirectory() ? 'directory' : 'something-else';`;
  const answer = await inChild<'directory' | 'something-else'>(script, [path], LOOK_LIMIT_MS);
  switch (answer.kind) {
    case 'answered':
      return answer.value;
    case 'no-answer':
      return 'no-answer';
    case 'failed':
      throw Object.assign(new Error(answer.why), { code: answer.why.split(':')[0] });
  }
};
