import { monotonicMs, pause } from '../monotonic.ts';
import {
  done,
  notDone,
  unknownOutcome,
  VolumeError,
  type Outcome,
  type VolumeErrorCode,
} from '../outcome.ts';
import { within } from '../time-limit.ts';
import { implementsVolumeDriver, readAnswer, type Answer } from './answers.ts';
import type { PluginEndpoint } from './endpoint.ts';
import { callPlugin, type CallResult } from './http-call.ts';
import { locatePlugin, type PluginLocation, type PluginPlaces } from './locate-plugin.ts';

/** One verb to be performed. */
export interface PluginCall {
  /** e.g. `VolumeDriver.Mount`. */
  readonly method: string;
  readonly body: unknown;
  readonly limitMs: number;
  /** Changes nothing, so it may be sent again after its connection broke. */
  readonly readOnly: boolean;
  readonly volume: string | undefined;
  /** Any of them ends it, whatever is left of its own limit. */
  readonly stopped: readonly AbortSignal[];
}

/** Reads an answer; the paths in it are the plugin's own, and `toHostPath` says where they are on this host. */
export type ReadAnswer<T> = (status: number, body: string, toHostPath: (path: string) => string) => Answer<T>;

/** What is known of one driver from call to call. */
export interface PluginSession {
  readonly driver: string;
  readonly places: PluginPlaces;
  /** How long a plugin that is missing or refuses connections is tried again. */
  readonly reachMs: number;
  readonly handshakeMs: number;
  /** Where it shook hands; undefined until then, and again once it was lost. */
  activated: PluginLocation | undefined;
}

interface Attempt<T> {
  readonly outcome: Outcome<T>;
  /** Nothing can have happened, or nothing that matters: another attempt is safe. */
  readonly again: boolean;
}

type Unanswered = Exclude<CallResult, { kind: 'answered' }>;
type Failed = Exclude<Outcome<never>, { kind: 'done' }>;

/** Finds the plugin, shakes hands and calls it; tries again only where that is safe, for `reachMs` at most. */
export async function perform<T>(
  session: PluginSession,
  call: PluginCall,
  read: ReadAnswer<T>,
): Promise<Outcome<T>> {
  const deadline = monotonicMs() + session.reachMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const { outcome, again } = await attempt(session, call, read);
    if (!again || isStopped(call) || monotonicMs() + pauseMs > deadline) return outcome;
    await within(pauseMs, call.stopped, (signal) => pause(pauseMs, signal));
  }
}

function isStopped(call: PluginCall): boolean {
  return call.stopped.some((signal) => signal.aborted);
}

async function attempt<T>(
  session: PluginSession,
  call: PluginCall,
  read: ReadAnswer<T>,
): Promise<Attempt<T>> {
  const reached = await reach(session, call);
  // It may be starting: not there yet, or not listening yet.
  if (reached.kind !== 'done')
    return { outcome: reached, again: /^driver-(not-found|unavailable)$/.test(reached.error.code) };
  const { endpoint, toHostPath } = reached.value;
  const result = await send(endpoint, call);
  if (result.kind === 'answered')
    return { outcome: toOutcome(session, call, read(result.status, result.body, toHostPath)), again: false };
  const again = result.kind === 'not-sent' || (result.kind === 'lost' && call.readOnly);
  return { outcome: unanswered(session, call, result), again };
}

/** Finds the plugin and shakes hands, once until it is lost. */
async function reach(
  session: PluginSession,
  { volume, stopped }: PluginCall,
): Promise<Outcome<PluginLocation>> {
  if (session.activated !== undefined) return done(session.activated);
  const limitMs = session.handshakeMs;
  const call = { method: 'Plugin.Activate', body: undefined, limitMs, readOnly: true, volume, stopped };
  let location: PluginLocation;
  try {
    location = await within(locateMs(session), stopped, (signal) =>
      locatePlugin(session.driver, session.places, signal),
    );
  } catch (error) {
    if (error instanceof VolumeError) return notDone(error);
    throw error;
  }
  const result = await send(location.endpoint, call);
  // Whatever became of the handshake, the call itself was not sent.
  if (result.kind !== 'answered') return notDone(unanswered(session, call, result).error);
  const answer = readAnswer(result.status, result.body);
  if (answer.kind === 'refused')
    return notDone(failure(session, call, answer.code, 'the handshake failed', answer.says));
  if (!implementsVolumeDriver(answer.value)) {
    const message = 'the plugin does not implement VolumeDriver';
    return notDone(failure(session, call, 'not-a-volume-driver', message));
  }
  session.activated = location;
  return done(location);
}

/** An Engine that hangs must not cost more than a plugin that is missing. One that is tried only once gets a second. */
function locateMs({ reachMs, handshakeMs }: PluginSession): number {
  return Math.min(handshakeMs, Math.max(reachMs, 1_000));
}

function send(endpoint: PluginEndpoint, call: PluginCall): Promise<CallResult> {
  return within(call.limitMs, call.stopped, (signal) => callPlugin(endpoint, call.method, call.body, signal));
}

function unanswered(session: PluginSession, call: PluginCall, result: Unanswered): Failed {
  session.activated = undefined;
  switch (result.kind) {
    case 'not-sent': {
      const denied = (result.error as NodeJS.ErrnoException).code === 'EACCES';
      const message = denied
        ? "this user may not use the plugin's socket; run as root, or as a user that may"
        : 'the plugin cannot be reached';
      const code = denied ? 'permission' : 'driver-unavailable';
      return notDone(failure(session, call, code, message, result.error.message));
    }
    case 'lost': {
      const message = `the connection broke during ${call.method}`;
      return unknownOutcome(failure(session, call, 'driver-unavailable', message, result.error.message));
    }
    case 'time-limit': {
      const limit = isStopped(call) ? 'the limit of the whole operation' : `${call.limitMs} ms`;
      const message = `${call.method} was not answered within ${limit}`;
      const error = failure(session, call, 'time-limit', message);
      return result.sent ? unknownOutcome(error) : notDone(error);
    }
  }
}

function toOutcome<T>(session: PluginSession, call: PluginCall, answer: Answer<T>): Outcome<T> {
  if (answer.kind === 'ok') return done(answer.value);
  const garbled = answer.code === 'bad-answer';
  const message = garbled ? `${call.method} got an answer that makes no sense` : `${call.method} failed`;
  const error = failure(session, call, answer.code, message, answer.says);
  return answer.happened === false ? notDone(error) : unknownOutcome(error);
}

function failure(
  session: PluginSession,
  call: PluginCall,
  code: VolumeErrorCode,
  message: string,
  says?: string,
): VolumeError {
  return new VolumeError(code, { driver: session.driver, volume: call.volume, message, says });
}
