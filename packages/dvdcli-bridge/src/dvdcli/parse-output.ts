/** What one run of dvdcli means. Pure. */
import type { VolumeErrorCode } from '../outcome.ts';
import { classify } from '../plugin/answers.ts';
import { brokeOff } from '../plugin/broken-off.ts';

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
 * is certain when the driver itself refused, the driver was not found or not reached, or the call was wrong; never where
 * an answer broke off or was none, whatever words are in it.
 */
export function readRun(run: RunResult): RunMeaning {
  if (run.startFailure !== undefined)
    return { kind: 'failed', code: 'driver-unavailable', says: run.startFailure, certain: true };
  if (run.timedOut) return { kind: 'failed', code: 'time-limit', says: '', certain: false };
  if (run.exitCode === 64 || isUsage(run))
    return {
      kind: 'failed',
      code: 'invalid',
      says: firstLine(run.stderr) || firstLine(run.stdout),
      certain: true,
    };
  if (run.exitCode === 0) return { kind: 'ok', stdout: withoutLog(run.stdout) };
  const messages = logMessages(run.stderr);
  const lookup = messages.find((message) => message.startsWith(LOOKUP));
  const says = lookup ?? messages.at(-1) ?? run.stderr.trim();
  if (run.exitCode !== 1) return { kind: 'failed', code: classify(says), says, certain: false };
  if (lookup !== undefined) return { kind: 'failed', code: lookupCode(says), says, certain: true };
  // Before any other words: those of a page, or of half an answer, may be anybody's.
  if (brokeOff(says)) return { kind: 'failed', code: 'driver-error', says, certain: false };
  if (/cannot be reached|connection refused/i.test(says))
    return { kind: 'failed', code: 'driver-unavailable', says, certain: true };
  const refused = /^VolumeDriver\.\w+: \S/.test(says) || classify(says) !== 'driver-error';
  return { kind: 'failed', code: classify(says), says, certain: refused };
}

const LOOKUP = 'Error looking up volume plugin ';

/** The driver was not asked anything. */
function lookupCode(says: string): VolumeErrorCode {
  if (/plugin not found/i.test(says)) return 'driver-not-found';
  // In our command's words; the original takes all of these for a missing plugin.
  if (/is disabled; run: docker plugin enable/.test(says)) return 'driver-disabled';
  if (/this user may not|may not be read by this user/.test(says)) return 'permission';
  return /not implement/i.test(says) ? 'not-a-volume-driver' : 'driver-unavailable';
}

/** Exactly one line that is an absolute path; the whole trimmed output is what callers take. */
export function readPath(stdout: string): string | undefined {
  return stdout.startsWith('/') && !/[\n\r\0]/.test(stdout) ? stdout : undefined;
}

/** Programs that write their log to standard output too: logrus, with and without a terminal. */
const LOG_LINE =
  /^(?:time="[^"]*" level=\w+ msg=|(?:\x1b\[\d+m)?(?:DEBU|INFO|WARN|ERRO|FATA)(?:\x1b\[0m)?\[\d+\] )/;

function withoutLog(stdout: string): string {
  const lines = stdout.split('\n').filter((line) => !LOG_LINE.test(line));
  return lines.join('\n').trim();
}

/** How the original's usage begins, and what it says before it. No volume, path or log line looks so. */
const USAGE =
  /^(?:Usage:[ \t]*(?:\n[ \t]+\S|\S*dvdcli\b)|(?:Error: )?(?:unknown (?:shorthand )?(?:flag|command)|invalid argument "|flag needs an argument:|bad flag syntax:))/m;

/** On either output; on standard error only where standard output has no result beside it. */
function isUsage({ stdout, stderr }: RunResult): boolean {
  return USAGE.test(stdout) || (withoutLog(stdout) === '' && USAGE.test(stderr));
}

/** The texts of the log's lines, in order. */
function logMessages(stderr: string): readonly string[] {
  const lines = stderr.matchAll(/\bmsg=(?:"((?:[^"\\]|\\.)*)"|(\S+))/g);
  return [...lines].map(([, text, bare]) =>
    text === undefined ? (bare ?? '') : text.replace(/\\(["\\])/g, '$1').replace(/\\n/g, '\n'),
  );
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
