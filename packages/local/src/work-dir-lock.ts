/** One running server per work directory: two would each overwrite what the other must not forget. */
import { mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export class WorkDirInUseError extends Error {
  override readonly name = 'WorkDirInUseError';
}

/** A predecessor that was just killed takes a moment to be gone. */
const WAIT_MS = 2_000;
const RETRY_MS = 50;

/**
 * An address of Linux's abstract namespace, named after the directory itself (whatever path leads to it). The
 * kernel gives it to one process, takes it back when that process is gone, however it went, and leaves it to a
 * frozen one. Executors do not inherit it.
 */
function addressOf(directory: string): string {
  const { dev, ino } = statSync(directory);
  return `\0mesos-elasticsearch-work-dir-${dev}-${ino}`;
}

/** Resolves with what closes the address, or undefined if another process has it. */
async function take(address: string): Promise<(() => void) | undefined> {
  const server = createServer((socket) => socket.destroy());
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(address, () => {
      resolve(true);
    });
  });
  server.unref();
  return taken ? () => void server.close() : undefined;
}

/**
 * Makes the directory if it is absent, and takes it for this process. Resolves with what gives it back; rejects
 * with WorkDirInUseError that names it when another process keeps it for `waitMs`.
 */
export async function lockWorkDir(directory: string, waitMs = WAIT_MS): Promise<() => void> {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const address = addressOf(directory);
  const deadline = performance.now() + waitMs;
  for (;;) {
    const release = await take(address);
    if (release !== undefined) return release;
    if (performance.now() >= deadline) {
      throw new WorkDirInUseError(
        `the work directory ${directory} is in use by another agent or master that runs (or is frozen): ` +
          'end that one, or choose another --work_dir',
      );
    }
    await delay(RETRY_MS);
  }
}

/** Starts a server that calls `unlock` at its end; if it does not start, the directory is given back at once. */
export async function startLocked<T>(
  directory: string | undefined,
  start: (unlock: () => void) => Promise<T>,
): Promise<T> {
  const unlock = directory === undefined ? () => undefined : await lockWorkDir(directory);
  try {
    return await start(unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}
