import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export class LockBusyError extends Error {
  override readonly name = 'LockBusyError';
}
export class LockLostError extends Error {
  override readonly name = 'LockLostError';
}

export interface FileLock {
  /** @throws LockLostError when the lock was taken from us (its keeper was killed) */
  assertHeld(): void;
  release(): Promise<void>;
}

/** Asked for by number, so that it is told apart from a file that cannot be opened. */
const CONFLICT = 75;

/**
 * flock(2) on the file, which is made when missing and never removed. Node has no such call, so util-linux's flock holds it
 * for us around a `cat` that ends with our end of its pipe: the kernel lets go however we die, whatever the namespaces of
 * those who ask. docs/adr/0007 says why not a file with a pid in it. Two locks of one process exclude each other, too.
 * @throws LockBusyError after `limitMs`; Error where there is no flock, or the file cannot be opened
 */
export async function lockFile(path: string, limitMs: number): Promise<FileLock> {
  const argv = ['--exclusive', '--timeout', String(limitMs / 1000)];
  const child = spawn('flock', [...argv, '--conflict-exit-code', String(CONFLICT), path, 'cat'], {
    // Signals to our group, an interrupt at a terminal for one, are not for it.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  // It may be gone when we write or close.
  child.stdin.on('error', () => undefined);
  const ended = endOf(child);
  let held = true;
  // Node closes the pipe when flock ends, and with that `cat` ends and the lock.
  child.once('exit', () => (held = false));
  // `cat` answers only once flock has the lock.
  child.stdin.write('\n');
  const first = await Promise.race([once(child.stdout, 'data').then(() => 'locked' as const), ended]);
  if (first === 'locked') {
    return {
      assertHeld: () => {
        if (!held) throw new LockLostError(`the lock on ${path} was lost: its keeper has ended`);
      },
      release: async () => {
        child.stdin.end();
        await ended;
      },
    };
  }
  if (first.code === CONFLICT) throw new LockBusyError(`${path} is locked by another process`);
  const words = first.error?.message ?? (said.trim() || `flock ended with ${String(first.code)}`);
  throw new Error(`${path} cannot be locked (flock of util-linux is needed): ${words}`);
}

function endOf(child: ChildProcess): Promise<{ code: number | null; error: Error | undefined }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, error }));
    child.once('close', (code) => resolve({ code, error: undefined }));
  });
}
