import { monotonicMs, pause } from '../monotonic.ts';
import {
  done,
  notDone,
  unknownOutcome,
  VolumeError,
  type Outcome,
  type VolumeErrorCode,
} from '../outcome.ts';
import { implementsVolumeDriver, readAnswer, type Answer } from './answers.ts';
import type { PluginEndpoint } from './endpoint.ts';
import { findPlugin } from './find-plugin.ts';
import { callPlugin, type CallResult } from './http-call.ts';

/** One verb to be performed. */
export interface PluginCall {
  /** e.g. `VolumeDriver.Mount`. */
  readonly method: string;
  readonly body: unknown;
  readonly limitMs: number;
  /** Changes nothing, so it may be sent again after its connection broke. */
  readonly readOnly: boolean;
  readonly volume: string | undefined;
}

/** What is known of one driver from call to call. */
export interface PluginSession {
  readonly driver: string;
  readonly directories: readonly string[];
  /** How long a plugin that is missing or refuses connections is tried again. */
  readonly reachMs: number;
  readonly handshakeMs: number;
  /** Ends whatever is under way. */
  readonly stopped: AbortSignal;
  /** Where it shook hands; undefined until then, and again once it was lost. */
  activated: PluginEndpoint | undefined;
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
  read: (status: number, body: string) => Answer<T>,
): Promise<Outcome<T>> {
  const deadline = monotonicMs() + session.reachMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const { outcome, again } = await attempt(session, call, read);
    if (!again || session.stopped.aborted || monotonicMs() + pauseMs > deadline) return outcome;
    await pause(pauseMs, session.stopped);
  }
}

async function attempt<T>(
  session: PluginSession,
  call: PluginCall,
  read: (status: number, body: string) => Answer<T>,
): Promise<Attempt<T>> {
  const endpoint = await reach(session, call.volume);
  // It may be starting: not there yet, or not listening yet.
  if (endpoint.kind !== 'done')
    return { outcome: endpoint, again: /^driver-(not-found|unavailable)$/.test(endpoint.error.code) };
  const result = await send(session, endpoint.value, call);
  if (result.kind === 'answered')
    return { outcome: toOutcome(session, call, read(result.status, result.body)), again: false };
  const again = result.kind === 'not-sent' || (result.kind === 'lost' && call.readOnly);
  return { outcome: unanswered(session, call, result), again };
}

/** Finds the plugin and shakes hands, once until it is lost. */
async function reach(session: PluginSession, volume: string | undefined): Promise<Outcome<PluginEndpoint>> {
  if (session.activated !== undefined) return done(session.activated);
  const call = {
    method: 'Plugin.Activate',
    body: undefined,
    limitMs: session.handshakeMs,
    readOnly: true,
    volume,
  };
  let endpoint: PluginEndpoint;
  try {
    endpoint = await findPlugin(session.driver, session.directories);
  } catch (error) {
    if (error instanceof VolumeError) return notDone(error);
    throw error;
  }
  const result = await send(session, endpoint, call);
  // Whatever became of the handshake, the call itself was not sent.
  if (result.kind !== 'answered') return notDone(unanswered(session, call, result).error);
  const answer = readAnswer(result.status, result.body);
  if (answer.kind === 'refused')
    return notDone(failure(session, call, answer.code, 'the handshake failed', answer.says));
  if (!implementsVolumeDriver(answer.value)) {
    const message = 'the plugin does not implement VolumeDriver';
    return notDone(failure(session, call, 'not-a-volume-driver', message));
  }
  session.activated = endpoint;
  return done(endpoint);
}

function send(session: PluginSession, endpoint: PluginEndpoint, call: PluginCall): Promise<CallResult> {
  const signal = AbortSignal.any([session.stopped, AbortSignal.timeout(call.limitMs)]);
  return callPlugin(endpoint, call.method, call.body, signal);
}

function unanswered(session: PluginSession, call: PluginCall, result: Unanswered): Failed {
  session.activated = undefined;
  switch (result.kind) {
    case 'not-sent': {
      const message = 'the plugin cannot be reached';
      return notDone(failure(session, call, 'driver-unavailable', message, result.error.message));
    }
    case 'lost': {
      const message = `the connection broke during ${call.method}`;
      return unknownOutcome(failure(session, call, 'driver-unavailable', message, result.error.message));
    }
    case 'time-limit': {
      const message = `${call.method} was not answered within ${call.limitMs} ms`;
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
