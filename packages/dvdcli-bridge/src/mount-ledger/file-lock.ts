import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lockHolders } from './lock-holders.ts';

export class LockBusyError extends Error {
  override readonly name = 'LockBusyError';
}
export class LockLostError extends Error {
  override readonly name = 'LockLostError';
}

export interface FileLock {
  /** @throws LockLostError when the lock was taken from us: its keeper was killed, or its file removed */
  assertHeld(): void;
  release(): Promise<void>;
}

/** Asked for by number, so that it is told apart from a file that cannot be opened. */
const CONFLICT = 75;
/** How much longer than flock's own limit we wait for its word, and how long the keeper may take to end. */
const GRACE_MS = 2_000;

/**
 * flock(2) on the file, which is made when missing and never removed. Node has no such call, so util-linux's flock holds it
 * for us around a `cat` that ends with our end of its pipe: the kernel lets go however we die, whatever the namespaces of
 * those who ask. docs/adr/0007 says why not a file with a pid in it. Two locks of one process exclude each other, too.
 * A keeper that is frozen (SIGSTOP) holds up neither who waits for the lock nor who gives it back.
 * @throws LockBusyError after `limitMs`, naming who has it; Error where there is no flock, or the file cannot be opened
 */
export async function lockFile(path: string, limitMs: number): Promise<FileLock> {
  const argv = ['--exclusive', '--timeout', String(limitMs / 1000)];
  const child = spawn('flock', [...argv, '--conflict-exit-code', String(CONFLICT), path, 'cat'], {
    // Signals to our group, an interrupt at a terminal for one, are not for it; and we can end it with its `cat`.
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
  const locked = once(child.stdout, 'data').then(() => 'locked' as const);
  const first = await within(Promise.race([locked, ended]), limitMs + GRACE_MS);
  if (first === 'locked') {
    if (!isFileOf(child, path)) {
      await end(child, ended);
      throw new LockBusyError(`${path} was removed and made anew while its lock was waited for`);
    }
    return {
      assertHeld: () => {
        if (!held) throw new LockLostError(`the lock on ${path} was lost: its keeper has ended`);
        if (!isFileOf(child, path)) throw new LockLostError(`the lock on ${path} was lost: it was removed`);
      },
      release: async () => {
        child.stdin.end();
        if ((await within(ended, GRACE_MS)) === undefined) await end(child, ended);
      },
    };
  }
  if (first === undefined) {
    await end(child, ended);
    const keeper = `its keeper flock (pid ${String(child.pid)}) did not answer, and was killed`;
    throw new Error(`${path} could not be locked within ${String(limitMs)} ms: ${keeper}`);
  }
  if (first.code === CONFLICT) throw new LockBusyError(`${path} is locked by ${whoHas(path)}`);
  const words = first.error?.message ?? (said.trim() || `flock ended with ${String(first.code)}`);
  throw new Error(`${path} cannot be locked (flock of util-linux is needed): ${words}`);
}

/** A lock on a file that was removed (by who cleans /tmp, for one) keeps nobody from locking the next one of its name. */
function isFileOf(child: ChildProcess, path: string): boolean {
  try {
    const wanted = statSync(path);
    const open = `/proc/${String(child.pid)}/fd`;
    return readdirSync(open).some((descriptor) => {
      const found = statSync(join(open, descriptor), { throwIfNoEntry: false });
      return found?.ino === wanted.ino && found.dev === wanted.dev;
    });
  } catch {
    return false;
  }
}

function whoHas(path: string): string {
  const holders = lockHolders(path);
  return holders.length === 0 ? 'a process that cannot be seen from here' : holders.join(' and ');
}

interface End {
  readonly code: number | null;
  readonly error: Error | undefined;
}

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, error }));
    child.once('close', (code) => resolve({ code, error: undefined }));
  });
}

/** Frozen or not. It is of our own making, and nothing of ours goes on under its lock. */
async function end(child: ChildProcess, ended: Promise<End>): Promise<void> {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
  await within(ended, GRACE_MS);
}

/** Undefined: not in time. */
async function within<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
