import { setTimeout as wait } from 'node:timers/promises';
import { done, notDone, unknownOutcome, VolumeError, type Outcome } from '../outcome.ts';
import * as answers from './answers.ts';
import { DEFAULT_PLUGIN_DIRECTORIES, findPlugin } from './find-plugin.ts';
import { callPlugin, type CallResult } from './http-call.ts';
import type { PluginEndpoint } from './endpoint.ts';

export interface PluginTimeLimits {
  /** How long a plugin that is missing or refuses connections is tried again. */
  readonly reachMs: number;
  readonly createMs: number;
  readonly mountMs: number;
  /** Every other verb, each call. */
  readonly otherMs: number;
}

/** Docker's own limits per verb; 5 s to be reached, where Docker and dvdcli spend 15. */
export const DEFAULT_PLUGIN_TIME_LIMITS: PluginTimeLimits = {
  reachMs: 5_000,
  createMs: 120_000,
  mountMs: 120_000,
  otherMs: 60_000,
};

export interface VolumePluginOptions {
  readonly driver: string;
  readonly directories?: readonly string[];
  readonly timeLimits?: Partial<PluginTimeLimits>;
  /** Ends whatever is under way, as a time limit does. */
  readonly signal?: AbortSignal;
}

/**
 * One volume plugin, verb by verb. No method throws. Outcomes:
 * - not-done: the driver refused in so many words, or the call never reached it.
 * - unknown: the time limit passed, the connection broke after the call was sent, or the answer was garbage.
 * Only calls that never reached the plugin, and lost calls of verbs that change nothing, are tried again here.
 */
export interface VolumePlugin {
  create(name: string, options: Readonly<Record<string, string>>): Promise<Outcome<void>>;
  remove(name: string): Promise<Outcome<void>>;
  /** The mountpoint as the driver gave it, unchecked. Without an ID the key is left out, as dvdcli does. */
  mount(name: string, id: string | undefined): Promise<Outcome<string>>;
  unmount(name: string, id: string | undefined): Promise<Outcome<void>>;
  path(name: string): Promise<Outcome<string>>;
  get(name: string): Promise<Outcome<answers.GetAnswer>>;
  list(): Promise<Outcome<readonly answers.PluginVolume[]>>;
}

interface Call {
  readonly method: string;
  readonly body: unknown;
  readonly limitMs: number;
  /** Changes nothing, so it may be sent again after its connection broke. */
  readonly readOnly: boolean;
  readonly volume: string | undefined;
}

export function volumePlugin(options: VolumePluginOptions): VolumePlugin {
  const { driver } = options;
  const limits = { ...DEFAULT_PLUGIN_TIME_LIMITS, ...options.timeLimits };
  const directories = options.directories ?? DEFAULT_PLUGIN_DIRECTORIES;
  const stopped = options.signal ?? new AbortController().signal;
  let activated: PluginEndpoint | undefined;

  const send = async (endpoint: PluginEndpoint, call: Call): Promise<CallResult> => {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(call.limitMs)]);
    return callPlugin(endpoint, call.method, call.body, signal);
  };
  const failure = (code: VolumeError['code'], call: Call, message: string, says?: string): VolumeError =>
    new VolumeError(code, { driver, volume: call.volume, message, says });

  const toOutcome = <T>(call: Call, answer: answers.Answer<T>): Outcome<T> => {
    if (answer.kind === 'ok') return done(answer.value);
    const garbled = answer.code === 'bad-answer';
    const message = garbled ? `${call.method} got an answer that makes no sense` : `${call.method} failed`;
    const error = failure(answer.code, call, message, answer.says);
    return answer.happened === false ? notDone(error) : unknownOutcome(error);
  };

  /** Finds the plugin and shakes hands, once until it is lost. */
  const reach = async (volume: string | undefined): Promise<Outcome<PluginEndpoint>> => {
    if (activated !== undefined) return done(activated);
    const call = {
      method: 'Plugin.Activate',
      body: undefined,
      limitMs: limits.otherMs,
      readOnly: true,
      volume,
    };
    let endpoint: PluginEndpoint;
    try {
      endpoint = await findPlugin(driver, directories);
    } catch (error) {
      if (error instanceof VolumeError) return notDone(error);
      throw error;
    }
    const result = await send(endpoint, call);
    // Whatever became of the handshake, the call itself was not sent.
    if (result.kind !== 'answered') return notDone(unanswered(call, result).error);
    const answer = answers.readAnswer(result.status, result.body);
    if (answer.kind === 'refused')
      return notDone(failure(answer.code, call, 'the handshake failed', answer.says));
    if (!answers.implementsVolumeDriver(answer.value))
      return notDone(failure('not-a-volume-driver', call, 'the plugin does not implement VolumeDriver'));
    activated = endpoint;
    return done(endpoint);
  };

  const unanswered = (
    call: Call,
    result: Exclude<CallResult, { kind: 'answered' }>,
  ): Exclude<Outcome<never>, { kind: 'done' }> => {
    activated = undefined;
    switch (result.kind) {
      case 'not-sent':
        return notDone(
          failure('driver-unavailable', call, 'the plugin cannot be reached', result.error.message),
        );
      case 'lost':
        return unknownOutcome(
          failure(
            'driver-unavailable',
            call,
            `the connection broke during ${call.method}`,
            result.error.message,
          ),
        );
      case 'time-limit': {
        const error = failure(
          'time-limit',
          call,
          `${call.method} was not answered within ${call.limitMs} ms`,
        );
        return result.sent ? unknownOutcome(error) : notDone(error);
      }
    }
  };

  const perform = async <T>(
    call: Call,
    read: (status: number, body: string) => answers.Answer<T>,
  ): Promise<Outcome<T>> => {
    const once = async (): Promise<{ outcome: Outcome<T>; again: boolean }> => {
      const endpoint = await reach(call.volume);
      if (endpoint.kind !== 'done') return { outcome: endpoint, again: isUnreachable(endpoint.error) };
      const result = await send(endpoint.value, call);
      if (result.kind === 'answered')
        return { outcome: toOutcome(call, read(result.status, result.body)), again: false };
      const again = result.kind === 'not-sent' || (result.kind === 'lost' && call.readOnly);
      return { outcome: unanswered(call, result), again };
    };
    const deadline = performance.now() + limits.reachMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      const { outcome, again } = await once();
      if (!again || stopped.aborted || performance.now() + pauseMs > deadline) return outcome;
      await wait(pauseMs, undefined, { signal: stopped }).catch(() => undefined);
    }
  };

  const changing = (method: string, body: { Name: string }, limitMs = limits.otherMs): Call => ({
    method: `VolumeDriver.${method}`,
    body,
    limitMs,
    readOnly: false,
    volume: body.Name,
  });
  const reading = (method: string, body: { Name?: string }): Call => ({
    method: `VolumeDriver.${method}`,
    body,
    limitMs: limits.otherMs,
    readOnly: true,
    volume: body.Name,
  });
  const withId = (name: string, id: string | undefined): { Name: string; ID?: string } =>
    id === undefined ? { Name: name } : { Name: name, ID: id };
  const acknowledged = (status: number, body: string): answers.Answer<void> => {
    const answer = answers.readAnswer(status, body);
    return answer.kind === 'ok' ? { kind: 'ok', value: undefined } : answer;
  };
  const mountpoint = (status: number, body: string): answers.Answer<string> =>
    answers.readMountpoint(answers.readAnswer(status, body));

  return {
    create: (name, opts) =>
      perform(changing('Create', { Name: name, ...{ Opts: opts } }, limits.createMs), acknowledged),
    remove: (name) => perform(changing('Remove', { Name: name }), acknowledged),
    mount: (name, id) => perform(changing('Mount', withId(name, id), limits.mountMs), mountpoint),
    unmount: (name, id) => perform(changing('Unmount', withId(name, id)), acknowledged),
    path: (name) => perform(reading('Path', { Name: name }), mountpoint),
    get: (name) =>
      perform(reading('Get', { Name: name }), (status, body) => answers.readGet(name, status, body)),
    list: () =>
      perform(reading('List', {}), (status, body) => answers.readList(answers.readAnswer(status, body))),
  };
}

/** Not there yet, or not listening yet: it may be starting. */
function isUnreachable(error: VolumeError): boolean {
  return error.code === 'driver-not-found' || error.code === 'driver-unavailable';
}
