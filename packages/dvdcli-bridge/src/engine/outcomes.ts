/** What a failed Engine API call means. Pure. */
import { notDone, unknownOutcome, VolumeError, type Outcome, type VolumeErrorCode } from '../outcome.ts';
import { classify } from '../plugin/answers.ts';
import { brokeOff, isTooLate } from '../plugin/broken-off.ts';

export interface EngineCall {
  readonly driver: string;
  readonly volume?: string;
  /** e.g. `creating it`. */
  readonly doing: string;
  readonly limitMs: number;
}

type Failed = Exclude<Outcome<never>, { kind: 'done' }>;

/**
 * The daemon's own text is in `json.message`; `message` is decorated. An error without a status is the
 * connection's: refused, nothing was sent; anything else, the call may have arrived. So it may have where the Engine says
 * that it had no whole answer from the driver, and where somebody else than the Engine answers.
 */
export function engineFailure(call: EngineCall, error: unknown): Failed {
  const { statusCode, json, code } = error as {
    statusCode?: number;
    json?: { message?: unknown } | null;
    code?: string;
  };
  const about = { driver: call.driver, volume: call.volume };
  if (statusCode !== undefined) {
    const spoken = typeof json?.message === 'string' && json.message !== '' ? json.message : undefined;
    const says = spoken ?? `HTTP status ${statusCode}`;
    const open = openBecause(statusCode, spoken);
    if (open !== undefined) {
      const message = `nobody can tell what became of ${call.doing}`;
      return unknownOutcome(new VolumeError(open, { ...about, message, says }, { cause: error }));
    }
    const message = `the Docker Engine refused ${call.doing}`;
    return notDone(new VolumeError(codeOf(statusCode, says), { ...about, message, says }, { cause: error }));
  }
  const says = error instanceof Error ? error.message : String(error);
  if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'EACCES') {
    const message =
      code === 'EACCES' ? 'this user may not use the Docker socket' : 'the Docker Engine cannot be reached';
    const cause = { cause: error };
    const errorCode = code === 'EACCES' ? 'permission' : 'driver-unavailable';
    return notDone(new VolumeError(errorCode, { ...about, message, says }, cause));
  }
  const timedOut = error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
  const message = timedOut
    ? `the Docker Engine did not answer ${call.doing} within ${call.limitMs} ms`
    : `the connection to the Docker Engine broke during ${call.doing}`;
  const errorCode = timedOut ? 'time-limit' : 'driver-unavailable';
  return unknownOutcome(new VolumeError(errorCode, { ...about, message, says }, { cause: error }));
}

/** Why an answer with this status leaves open what happened; undefined: it is a refusal. */
function openBecause(status: number, spoken: string | undefined): VolumeErrorCode | undefined {
  if (status === 504 || (spoken !== undefined && isTooLate(spoken))) return 'time-limit';
  if (status === 502) return 'driver-unavailable';
  // The Engine gives its reasons in JSON, and no other success than the call's own.
  if (status < 400 || (status >= 500 && spoken === undefined)) return 'bad-answer';
  return spoken !== undefined && brokeOff(spoken) ? 'driver-unavailable' : undefined;
}

/** The Engine wraps the driver's words; a missing driver comes as 404 just as a missing volume does. */
function codeOf(status: number, says: string): VolumeErrorCode {
  if (/plugin .*not found|looking up volume plugin/i.test(says)) return 'driver-not-found';
  if (/connection refused/i.test(says)) return 'driver-unavailable';
  if (status === 404) return 'not-found';
  if (status === 409) return /in use/i.test(says) ? 'in-use' : 'conflict';
  if (status === 400) return 'invalid';
  return classify(says);
}
