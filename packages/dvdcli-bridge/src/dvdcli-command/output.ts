import { writeSync } from 'node:fs';

const PAUSE_MS = 5;
/** A log that takes nothing for so long is given up. */
const LOG_PATIENCE_MS = 1_000;

/**
 * All of it, before the process ends: a pipe that is full for the moment is waited for.
 * @param patienceMs how long one that stays full is waited for
 * @throws the system's error where nobody reads any more, or there is no room
 */
export function writeAll(descriptor: 1 | 2, text: string, patienceMs = Infinity): void {
  const bytes = Buffer.from(text);
  let waitedMs = 0;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || waitedMs >= patienceMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      waitedMs += PAUSE_MS;
    }
  }
}

let logIsLost = false;

/** To standard error. A log that cannot be written changes nothing of what the command does, nor its exit code. */
export function writeLog(text: string): void {
  if (logIsLost) return;
  try {
    writeAll(2, text, LOG_PATIENCE_MS);
  } catch {
    logIsLost = true;
  }
}
