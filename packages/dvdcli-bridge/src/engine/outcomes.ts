/** What a failed Engine API call means. Pure. */
import { notDone, unknownOutcome, VolumeError, type Outcome, type VolumeErrorCode } from '../outcome.ts';
import { classify } from '../plugin/answers.ts';

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
 * connection's: refused, nothing was sent; anything else, the call may have arrived.
 */
export function engineFailure(call: EngineCall, error: unknown): Failed {
  const { statusCode, json, code } = error as {
    statusCode?: number;
    json?: { message?: unknown } | null;
    code?: string;
  };
  const about = { driver: call.driver, volume: call.volume };
  if (statusCode !== undefined) {
    const says = typeof json?.message === 'string' ? json.message : `HTTP status ${statusCode}`;
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

/** The Engine wraps the driver's words; a missing driver comes as 404 just as a missing volume does. */
function codeOf(status: number, says: string): VolumeErrorCode {
  if (/plugin .*not found|looking up volume plugin/i.test(says)) return 'driver-not-found';
  if (status === 404) return 'not-found';
  if (status === 409) return /in use/i.test(says) ? 'in-use' : 'conflict';
  if (status === 400) return 'invalid';
  return classify(says);
}
