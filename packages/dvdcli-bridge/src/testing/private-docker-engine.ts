import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Docker from 'dockerode';
import { execa } from 'execa';
import { programInPath } from './availability.ts';

export interface PrivateDockerEngine {
  /** Path of its socket. */
  readonly socket: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Why no engine of our own can be started here; `undefined` when it can. */
export function dockerEngineUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'starting a Docker engine needs root';
  if (programInPath('dockerd') === undefined) return 'dockerd is not installed (Debian package docker.io)';
  return existsSync('/sys/fs/cgroup') ? undefined : 'this machine shows no cgroups';
}

/**
 * Starts a Docker engine beside whatever Docker the machine has: own socket, data root, exec root and pid file under
 * `dir`, no bridge network, no packet filter rules. Plugins are found where every engine looks for them.
 * @throws Error with the engine's last output when it does not answer in time
 */
export async function startPrivateDockerEngine(options: {
  dir: string;
  readyWithinMs?: number;
}): Promise<PrivateDockerEngine> {
  const at = (name: string): string => join(options.dir, name);
  await mkdir(options.dir, { recursive: true });
  const socket = at('docker.sock');
  // Its own, so that the machine's /etc/docker/daemon.json does not reach in here.
  await writeFile(at('daemon.json'), '{}\n');
  const child = execa(
    programInPath('dockerd') ?? 'dockerd',
    [
      ...['--host', `unix://${socket}`, '--data-root', at('data'), '--exec-root', at('exec')],
      ...['--pidfile', at('docker.pid'), '--config-file', at('daemon.json')],
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--storage-driver', 'vfs'],
    ],
    { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe', reject: false, cleanup: true, maxBuffer: 1 << 22 },
  );
  const ended = new AbortController();
  void child.then(() => ended.abort());
  const docker = new Docker({ socketPath: socket });
  const deadline = performance.now() + (options.readyWithinMs ?? 60_000);
  while (!ended.signal.aborted && performance.now() < deadline) {
    const ready = await docker.ping().then(
      () => true,
      () => false,
    );
    if (ready && child.pid !== undefined)
      return { socket, pid: child.pid, stop: () => stop(child, options.dir) };
    await wait(100);
  }
  child.kill('SIGKILL');
  const { stderr } = await child;
  throw new Error(`the Docker engine did not start: ${stderr.split('\n').slice(-8).join('\n')}`);
}

async function stop(
  child: { kill(signal: NodeJS.Signals): boolean } & PromiseLike<unknown>,
  directory: string,
): Promise<void> {
  child.kill('SIGTERM');
  await child;
  await rm(join(directory, 'docker.sock'), { force: true });
}
