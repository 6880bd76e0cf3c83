import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LedgerError } from '../ledger-store.ts';
import { explain } from './explain.ts';
import { systemCode } from './files.ts';

/** The right to be the one writer of a state directory. */
export interface WriterLock {
  /** False once the lock file is no longer the one that was locked: then another writer may be at work. */
  isHeld(): boolean;
  release(): void;
}

/** A predecessor that was just killed takes a moment to be gone. */
const WAIT_MS = 2_000;
const RETRY_MS = 50;
/** What flock answers when another process has the lock. */
const BUSY = 1;

/**
 * Takes the writer's lock of a directory: flock(2) on its file `lock`. Node has no such call, so the program
 * `flock` (util-linux) is handed our open file: the lock belongs to the open file, not to that program, and
 * the kernel drops it when this process is gone, however it went. So it is never stale, and a frozen writer
 * keeps it.
 * @throws LedgerError `in-use` naming the holder; `read-only`, `unavailable`.
 */
export async function takeWriterLock(root: string, waitMs = WAIT_MS): Promise<WriterLock> {
  const path = join(root, 'lock');
  const file = openLockFile(path);
  try {
    const deadline = performance.now() + waitMs;
    while ((await runFlock(file)) === BUSY) {
      if (performance.now() >= deadline) throw inUse(root, path);
      await delay(RETRY_MS);
    }
    sign(path, file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return heldLock(path, file);
}

function heldLock(path: string, file: number): WriterLock {
  let open = true;
  return {
    isHeld() {
      if (!open) return false;
      const ours = fstatSync(file);
      const there = statSync(path, { throwIfNoEntry: false });
      return there?.ino === ours.ino && there.dev === ours.dev;
    },
    release() {
      if (open) closeSync(file);
      open = false;
    },
  };
}

function openLockFile(path: string): number {
  try {
    return openSync(path, 'a+', 0o644);
  } catch (cause) {
    throw explain(path, cause);
  }
}

async function runFlock(file: number): Promise<number> {
  const child = spawn('flock', ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'pipe', file] });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (words += chunk));
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code === 0 || code === BUSY) return code;
    throw new LedgerError(
      'unavailable',
      `flock failed (${signal ?? `exit code ${String(code)}`}): ${words.trim()}; ` +
        'the state directory must lie on a file-system with file locks',
    );
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw cause;
    throw new LedgerError(
      'unavailable',
      'the program flock was not found; it keeps a second scheduler out of the state directory: ' +
        'install util-linux and see that flock is on the PATH',
      { cause },
    );
  }
}

/** Who holds the lock, for people to read; the lock itself does not depend on it. */
function sign(path: string, file: number): void {
  try {
    ftruncateSync(file, 0);
    writeSync(file, `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`);
  } catch (cause) {
    throw explain(path, cause);
  }
}

function inUse(root: string, path: string): LedgerError {
  let holder = 'another process';
  try {
    const { pid, host } = JSON.parse(readFileSync(path, 'utf8')) as { pid: unknown; host: unknown };
    holder = `process ${String(pid)} on host ${String(host)}`;
  } catch {
    // Locked and not signed yet: it is in use all the same.
  }
  return new LedgerError(
    'in-use',
    `the state directory ${root} is in use by ${holder}; stop that scheduler first, or give this one a state directory of its own`,
  );
}
