import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import type { RunningPlugin } from '../hostdir/start.ts';

export interface RclonePluginOptions {
  /** Its own, one per agent: mountpoints, cache and state lie in it. */
  readonly directory: string;
  /** `NAME.sock` is made in it. */
  readonly pluginDirectory: string;
  /** Driver name; `rclone` unless told. */
  readonly name?: string;
  /** `rclone` from PATH unless told. */
  readonly program?: string;
  readonly readyWithinMs?: number;
}

/** Starts `rclone serve docker` and waits until it serves. @throws Error with its output */
export async function startRclonePlugin(options: RclonePluginOptions): Promise<RunningPlugin> {
  const mountpoints = join(options.directory, 'mounts');
  const cache = join(options.directory, 'cache');
  const socketPath = join(options.pluginDirectory, `${options.name ?? 'rclone'}.sock`);
  for (const directory of [mountpoints, cache, options.pluginDirectory])
    await mkdir(directory, { recursive: true });
  const child = execa(
    options.program ?? 'rclone',
    [
      ...['serve', 'docker', '--socket-addr', socketPath, '--base-dir', mountpoints],
      // An empty configuration: remotes are given in full with each volume.
      ...['--cache-dir', cache, '--config', '/dev/null', '--forget-state'],
    ],
    { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe', reject: false, cleanup: false },
  );
  const ended = new AbortController();
  void child.then(() => ended.abort());
  const deadline = performance.now() + (options.readyWithinMs ?? 10_000);
  while (!ended.signal.aborted && performance.now() < deadline) {
    if (child.pid !== undefined && (await answers(socketPath)))
      return { pid: child.pid, socketPath, stop: () => stopped(child) };
    await wait(25);
  }
  child.kill('SIGKILL');
  const result = await child;
  throw new Error(
    `rclone serve docker did not start (${result.shortMessage ?? 'it ended'}): ${result.stderr}`,
  );
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** rclone unmounts everything when it ends in good order. */
async function stopped(
  child: { kill(signal: NodeJS.Signals): boolean } & PromiseLike<unknown>,
): Promise<void> {
  child.kill('SIGTERM');
  await child;
}

/**
 * Options for a volume that lives in a directory of the machine. Lucene fails without a write cache; a non-root
 * user sees nothing without allow-other; and what is written reaches the directory this long after it is closed.
 */
export function rcloneVolumeOptions(at: {
  /** Where the volume's files lie, absolute. */
  readonly directory: string;
  /** Owner of what the mount shows. */
  readonly uid?: number;
  readonly gid?: number;
  readonly writeBackMs?: number;
}): Record<string, string> {
  return {
    remote: `:local:${at.directory}`,
    'vfs-cache-mode': 'writes',
    'vfs-write-back': `${at.writeBackMs ?? 100}ms`,
    'allow-other': 'true',
    ...(at.uid === undefined ? {} : { uid: String(at.uid) }),
    ...(at.gid === undefined ? {} : { gid: String(at.gid) }),
  };
}
