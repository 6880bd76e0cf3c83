/** What one run of dvdcli means. Pure. */
import type { VolumeErrorCode } from '../outcome.ts';
import { classify } from '../plugin/answers.ts';

/** How a process ended. `exitCode` is undefined when a signal or the time limit ended it, or it never started. */
export interface RunResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** The program could not be started. */
  readonly startFailure: string | undefined;
}

export type RunMeaning =
  | { readonly kind: 'ok'; readonly stdout: string }
  | {
      readonly kind: 'failed';
      readonly code: VolumeErrorCode;
      readonly says: string;
      /** Nothing was done; false: nobody can tell. */
      readonly certain: boolean;
    };

/**
 * The original exits 0 for an unknown flag or command and prints its usage, so that is looked for first. A failure
 * is certain when the driver itself refused, the driver was not found or not reached, or the call was wrong.
 */
export function readRun(run: RunResult): RunMeaning {
  if (run.startFailure !== undefined)
    return { kind: 'failed', code: 'driver-unavailable', says: run.startFailure, certain: true };
  if (run.timedOut) return { kind: 'failed', code: 'time-limit', says: '', certain: false };
  if (run.exitCode === 64 || isUsage(run))
    return { kind: 'failed', code: 'invalid', says: firstLine(run.stderr), certain: true };
  if (run.exitCode === 0) return { kind: 'ok', stdout: run.stdout.trim() };
  const says = errorMessage(run.stderr);
  const driver = /plugin not found|not reached|cannot be reached|connection refused/i.exec(says)?.[0];
  if (driver !== undefined) {
    const code = driver.toLowerCase() === 'plugin not found' ? 'driver-not-found' : 'driver-unavailable';
    return { kind: 'failed', code, says, certain: true };
  }
  const refused =
    run.exitCode === 1 && (/^VolumeDriver\.\w+: /.test(says) || classify(says) !== 'driver-error');
  return { kind: 'failed', code: classify(says), says, certain: refused && !isTransport(says) };
}

/** Exactly one line that is an absolute path; the whole trimmed output is what callers take. */
export function readPath(stdout: string): string | undefined {
  return stdout.startsWith('/') && !/[\n\0]/.test(stdout) ? stdout : undefined;
}

function isUsage(run: RunResult): boolean {
  return run.stdout.trim() === '' && /^(Usage:|Error: unknown |unknown (flag|command))/m.test(run.stderr);
}

/** Go's words for a connection that broke after the request was written. */
function isTransport(says: string): boolean {
  return /EOF|ContentLength=|broken pipe|connection reset|deadline exceeded|not answered within|connection broke/i.test(
    says,
  );
}

/** The text of the last error in the log; the whole output where it has another form. */
function errorMessage(stderr: string): string {
  const messages = [...stderr.matchAll(/\bmsg=(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)];
  const last = messages.at(-1);
  if (last === undefined) return stderr.trim();
  return last[1] === undefined ? (last[2] ?? '') : last[1].replace(/\\(["\\])/g, '$1').replace(/\\n/g, '\n');
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
