/**
 * The life of a subscription as a pure function: (state, input, context) → (state, effects). The driver
 * (scheduler-session.ts) only executes effects and feeds back what came of them.
 */
import type { SchedulerEvent } from '../types/scheduler-api.ts';
import { exponentialBackoff } from './backoff.ts';
import { errorEventMeaning, subscribeConsequence } from './consequences.ts';
import type {
  SchedulerContext,
  SchedulerEffect,
  SchedulerEnding,
  SchedulerInput,
  SchedulerMachine,
  SchedulerPhase,
  SchedulerStep,
} from './scheduler-state.ts';

/** Silence of this many heartbeat intervals means a dead stream. */
const SILENT_INTERVALS = 5;
const DEFAULT_INTERVAL_SECONDS = 15;
/** A chain of redirects longer than this is two masters pointing at each other. */
const MAX_REDIRECTS = 5;
const SCHEDULER_PATH = '/api/v1/scheduler';

export function initialScheduler(): SchedulerMachine {
  return { phase: { name: 'idle' }, attempt: 0, failures: 0, frameworkId: null };
}

/** When the machine wants a `tick`, or null. */
export function schedulerWakeAt({ phase }: SchedulerMachine): number | null {
  if (phase.name === 'waiting') return phase.until;
  return 'deadline' in phase ? phase.deadline : null;
}

export function stepScheduler(
  state: SchedulerMachine,
  input: SchedulerInput,
  context: SchedulerContext,
): SchedulerStep {
  if (state.phase.name === 'ended') return { state, effects: [] };
  if ('attempt' in input && input.attempt !== state.attempt) return { state, effects: [] };
  switch (input.kind) {
    case 'start':
      return state.phase.name === 'idle' ? find(state) : { state, effects: [] };
    case 'masters':
      return input.urls.length === 0
        ? retry(state, 'no master is known', context)
        : choose(state, input.urls, context);
    case 'masters-failed':
      return retry(state, `cannot find the master: ${input.reason}`, context);
    case 'opened':
      return opened(state, input, context);
    case 'answered':
      return answered(state, input, context);
    case 'event':
      return received(state, input.event, context);
    case 'undecodable':
      return undecodable(state, input.reason, context);
    case 'lost':
      return retry(state, input.reason, context);
    case 'call-answered':
      return callAnswered(state, input, context);
    case 'resubscribe':
      return state.phase.name === 'idle' ? { state, effects: [] } : restart(state, input.reason);
    case 'leader-changed':
      return leaderChanged(state, input.urls);
    case 'tick':
      return tick(state, context);
    case 'close':
      return { state: { ...state, phase: { name: 'ended' } }, effects: [{ kind: 'disconnect' }] };
  }
}

const unchanged = (state: SchedulerMachine): SchedulerStep => ({ state, effects: [] });

/** Leaves whatever there was and asks for the masters anew. */
function find(state: SchedulerMachine): SchedulerStep {
  const attempt = state.attempt + 1;
  return {
    state: { ...state, attempt, phase: { name: 'finding' } },
    effects: [{ kind: 'find-masters', attempt }],
  };
}

/** Several masters are tried in turn; those that do not lead point to the one that does. */
function choose(state: SchedulerMachine, urls: readonly string[], context: SchedulerContext): SchedulerStep {
  if (state.phase.name !== 'finding') return unchanged(state);
  const base = urls[state.failures % urls.length] ?? '';
  if (!URL.canParse(SCHEDULER_PATH, base)) return retry(state, `not a URL of a master: ${base}`, context);
  return connect(state, new URL(SCHEDULER_PATH, base).href, 0, context);
}

function connect(
  state: SchedulerMachine,
  url: string,
  redirects: number,
  context: SchedulerContext,
): SchedulerStep {
  const attempt = state.attempt + 1;
  const deadline = context.now + context.subscribeTimeoutMs;
  return {
    state: { ...state, attempt, phase: { name: 'connecting', url, redirects, deadline } },
    effects: [
      { kind: 'change', change: { state: 'connecting', master: new URL(url).origin } },
      { kind: 'connect', attempt, url, frameworkId: state.frameworkId },
    ],
  };
}

function opened(
  state: SchedulerMachine,
  input: Extract<SchedulerInput, { kind: 'opened' }>,
  context: SchedulerContext,
): SchedulerStep {
  if (state.phase.name !== 'connecting') return unchanged(state);
  const { url } = state.phase;
  if (input.streamId === '') return retry(state, `${url} answered without a Mesos-Stream-Id`, context);
  const deadline = context.now + context.subscribeTimeoutMs;
  return {
    state: { ...state, phase: { name: 'open', url, streamId: input.streamId, deadline } },
    effects: [],
  };
}

/** SUBSCRIBE was answered with something else than a stream. */
function answered(
  state: SchedulerMachine,
  input: Extract<SchedulerInput, { kind: 'answered' }>,
  context: SchedulerContext,
): SchedulerStep {
  if (state.phase.name !== 'connecting') return unchanged(state);
  const { url, redirects } = state.phase;
  const reason = `${url} answered SUBSCRIBE with ${input.status} ${input.body}`.trim();
  if (input.status === 307) {
    const target = redirectTarget(input.location, url);
    if (target === null) return retry(state, `${reason}, and a Location that cannot be followed`, context);
    if (redirects >= MAX_REDIRECTS) return retry(state, `more than ${MAX_REDIRECTS} redirects`, context);
    return connect(state, target, redirects + 1, context);
  }
  return subscribeConsequence(input) === 'fatal'
    ? end(state, 'refused', reason)
    : retry(state, reason, context);
}

/**
 * `Location` is scheme-relative (`//host:port/master/api/v1/scheduler`), so TLS stays TLS. A step from TLS
 * down to plain HTTP would give the credentials away and is not followed.
 */
function redirectTarget(location: string | null, url: string): string | null {
  if (location === null || location === '' || !URL.canParse(location, url)) return null;
  const target = new URL(location, url);
  return target.protocol === new URL(url).protocol ? target.href : null;
}

function received(state: SchedulerMachine, event: SchedulerEvent, context: SchedulerContext): SchedulerStep {
  const { phase } = state;
  if (phase.name !== 'open' && phase.name !== 'subscribed') return unchanged(state);
  if (event.type === 'ERROR') {
    const ended = end(state, errorEventMeaning(event.error.message), event.error.message);
    return { state: ended.state, effects: [{ kind: 'deliver', event }, ...ended.effects] };
  }
  if (event.type === 'SUBSCRIBED') return subscribed(state, phase, event, context);
  if (phase.name === 'open')
    return retry(state, `the first event was ${event.type}, not SUBSCRIBED`, context);
  return {
    state: { ...state, phase: { ...phase, deadline: context.now + phase.silenceMs } },
    effects: [{ kind: 'deliver', event }],
  };
}

function subscribed(
  state: SchedulerMachine,
  { url, streamId }: Extract<SchedulerPhase, { streamId: unknown }>,
  event: Extract<SchedulerEvent, { type: 'SUBSCRIBED' }>,
  { now }: SchedulerContext,
): SchedulerStep {
  const { frameworkId, heartbeatIntervalSeconds } = event.subscribed;
  const interval = heartbeatIntervalSeconds ?? 0;
  const silenceMs = SILENT_INTERVALS * 1000 * (interval > 0 ? interval : DEFAULT_INTERVAL_SECONDS);
  const master = new URL(url).origin;
  return {
    state: {
      ...state,
      frameworkId,
      failures: 0,
      phase: { name: 'subscribed', url, streamId, silenceMs, deadline: now + silenceMs },
    },
    effects: [
      { kind: 'change', change: { state: 'subscribed', master, frameworkId, streamId } },
      { kind: 'deliver', event },
    ],
  };
}

/**
 * One record that cannot be read must not cost the subscription: an update comes again, and the stream is
 * still in step. Before SUBSCRIBED there is nothing to save.
 */
function undecodable(state: SchedulerMachine, reason: string, context: SchedulerContext): SchedulerStep {
  const { phase } = state;
  if (phase.name !== 'subscribed') return retry(state, reason, context);
  return {
    state: { ...state, phase: { ...phase, deadline: context.now + phase.silenceMs } },
    effects: [{ kind: 'ignored', reason }],
  };
}

/** Only an answer to a call of the present subscription says anything about it. */
function callAnswered(
  state: SchedulerMachine,
  input: Extract<SchedulerInput, { kind: 'call-answered' }>,
  context: SchedulerContext,
): SchedulerStep {
  if (state.phase.name !== 'subscribed' || state.phase.streamId !== input.streamId) return unchanged(state);
  switch (input.consequence) {
    case 'replaced':
      return end(state, 'replaced', input.reason);
    case 'fatal':
      return end(state, 'refused', input.reason);
    case 'resubscribe':
      return retry(state, input.reason, context);
    case 'ok':
    case 'retry':
    case 'give-up':
      return unchanged(state);
  }
}

function tick(state: SchedulerMachine, context: SchedulerContext): SchedulerStep {
  const { phase } = state;
  const wakeAt = schedulerWakeAt(state);
  if (wakeAt === null || context.now < wakeAt) return unchanged(state);
  if (phase.name === 'waiting') return find(state);
  if (phase.name === 'subscribed') {
    return retry(state, `nothing came for ${phase.silenceMs / 1000} s, not even a heartbeat`, context);
  }
  return retry(state, `no SUBSCRIBED within ${context.subscribeTimeoutMs / 1000} s`, context);
}

function retry(state: SchedulerMachine, reason: string, { now, random }: SchedulerContext): SchedulerStep {
  if (state.phase.name === 'waiting' || state.phase.name === 'idle') return unchanged(state);
  const failures = state.failures + 1;
  const retryInMs = exponentialBackoff(failures, random);
  return {
    // A new attempt number, so that nothing of the old stream is taken for the next one's.
    state: {
      ...state,
      failures,
      attempt: state.attempt + 1,
      phase: { name: 'waiting', until: now + retryInMs },
    },
    effects: [
      { kind: 'disconnect' },
      { kind: 'change', change: { state: 'disconnected', reason, retryInMs } },
    ],
  };
}

function restart(state: SchedulerMachine, reason: string): SchedulerStep {
  const found = find(state);
  const left: SchedulerEffect[] = [
    { kind: 'disconnect' },
    { kind: 'change', change: { state: 'disconnected', reason, retryInMs: 0 } },
  ];
  return { state: found.state, effects: [...left, ...found.effects] };
}

/**
 * A deposed master may keep its stream open and silent for minutes, and a dead one is waited for with ever longer
 * pauses: neither is any use once the leader is known. Where the stream is the leader's own it stays.
 */
function leaderChanged(state: SchedulerMachine, urls: readonly string[]): SchedulerStep {
  const { phase } = state;
  if (phase.name === 'idle' || urls.length === 0) return unchanged(state);
  const fresh = { ...state, failures: 0 };
  if (!('url' in phase)) return find(fresh);
  const { origin } = new URL(phase.url);
  if (urls.some((url) => URL.canParse(url) && new URL(url).origin === origin)) return unchanged(state);
  return restart(fresh, `${urls[0] ?? ''} leads now, not ${origin}`);
}

function end(state: SchedulerMachine, ending: SchedulerEnding, reason: string): SchedulerStep {
  return {
    state: { ...state, phase: { name: 'ended' } },
    effects: [{ kind: 'disconnect' }, { kind: 'change', change: { state: ending, reason } }],
  };
}
