/** The Docker engine: one that runs already is used as it is; otherwise a private one with everything of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Docker from 'dockerode';
import { unmountBelow } from './mounts.ts';
import { findCommand } from './system-packages.ts';
import { SetupError, type Tell } from './setup-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;
const STARTS_WITHIN_MS = 60_000;
const STOPS_WITHIN_MS = 30_000;
const POLL_MS = 200;

export interface DockerEngine {
  readonly docker: Docker;
  /** Path of its unix socket, as executors are told. */
  readonly socket: string;
  readonly private: boolean;
  /**
   * Stops a private engine; an engine that was there before stays.
   * @param keep directory that a private engine's volumes are moved to; absent: they go with it
   */
  stop(keep?: string): Promise<void>;
}

/** Where the user's own engine would answer. @throws SetupError for a DOCKER_HOST that is no unix socket. */
export function usualSocket(environment: Environment): string {
  const host = environment['DOCKER_HOST'];
  if (host === undefined || host === '') return '/var/run/docker.sock';
  const socket = /^unix:\/\/(\/.+)$/.exec(host)?.[1];
  if (socket === undefined) {
    throw new SetupError(
      `DOCKER_HOST=${host} is not a unix socket: executors reach Docker through one (unix:///path)`,
    );
  }
  return socket;
}

/** The engine that runs already; undefined where none answers. */
export async function existingEngine(environment: Environment): Promise<DockerEngine | undefined> {
  const socket = usualSocket(environment);
  const docker = new Docker({ socketPath: socket });
  const answers = await docker.ping().then(
    () => true,
    () => false,
  );
  return answers ? { docker, socket, private: false, stop: () => Promise.resolve() } : undefined;
}

/**
 * Starts an engine with its own socket, data root, exec root and pid file below `directory`.
 * @throws SetupError with the last lines of its log when it does not come up.
 */
export async function startPrivateEngine(
  directory: string,
  environment: Environment,
  tell: Tell,
): Promise<DockerEngine> {
  const program = await findCommand('dockerd', environment);
  if (program === undefined) throw new SetupError('dockerd is missing (package docker.io)');
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const at = (name: string) => join(directory, name);
  tell('Starting a Docker engine of its own (none is running here)');
  // Of the machine's own configuration nothing is meant for this engine.
  await writeFile(at('daemon.json'), '{}\n');
  const log = await open(at('dockerd.log'), 'a');
  const own = ['--host', `unix://${at('d.sock')}`, '--data-root', at('data'), '--exec-root', at('exec')];
  const quiet = ['--pidfile', at('dockerd.pid'), '--bridge=none', '--iptables=false', '--ip6tables=false'];
  const daemon = spawn(
    program,
    [...own, ...quiet, '--config-file', at('daemon.json'), '--live-restore=false'],
    {
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      env: { ...environment, PATH: `${environment['PATH'] ?? ''}:/usr/sbin:/sbin` },
    },
  );
  await log.close();
  const docker = new Docker({ socketPath: at('d.sock') });
  const engine = {
    docker,
    socket: at('d.sock'),
    private: true,
    stop: (keep?: string) => stopDaemon(daemon, directory, keep),
  };
  try {
    await untilItAnswers(docker, daemon);
    return engine;
  } catch (error) {
    const words = (await readFile(at('dockerd.log'), 'utf8').catch(() => ''))
      .trim()
      .split('\n')
      .slice(-4)
      .join('\n  ');
    await engine.stop();
    throw new SetupError(`the Docker engine does not start:\n  ${words}`, { cause: error });
  }
}

async function untilItAnswers(docker: Docker, daemon: ChildProcess): Promise<void> {
  let failure: Error | undefined;
  daemon.once('error', (error) => (failure = error));
  daemon.once('exit', (code) => (failure = new Error(`it ended with code ${code ?? 'none'}`)));
  const deadline = performance.now() + STARTS_WITHIN_MS;
  for (;;) {
    if (failure !== undefined) throw failure;
    const answers = await docker.ping().then(
      () => true,
      () => false,
    );
    if (answers) return;
    if (performance.now() > deadline) throw new Error('it does not answer');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** SIGTERM, so that containers stop and mounts go; SIGKILL to its whole group when that takes too long. */
async function stopDaemon(daemon: ChildProcess, directory: string, keep?: string): Promise<void> {
  if (daemon.pid !== undefined && daemon.exitCode === null && daemon.signalCode === null) {
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    const group = daemon.pid;
    const limit = setTimeout(() => process.kill(-group, 'SIGKILL'), STOPS_WITHIN_MS);
    await ended;
    clearTimeout(limit);
  }
  // It leaves the mount of its network namespace behind.
  await unmountBelow(directory);
  if (keep !== undefined) await rename(join(directory, 'data', 'volumes'), join(keep, 'docker-volumes'));
  await rm(directory, { recursive: true, force: true });
}
