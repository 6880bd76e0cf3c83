/**
 * The life of an executor's subscription as a pure function: (state, input, context) → (state, effects).
 * What must never be forgotten lives here: unacknowledged tasks and updates, in order, across connections.
 */
import type { ExecutorEvent } from '../types/executor-api.ts';
import type { TaskInfo } from '../types/messages.ts';
import { subscribeConsequence } from './consequences.ts';
import type {
  ExecutorContext,
  ExecutorEffect,
  ExecutorEnding,
  ExecutorInput,
  ExecutorMachine,
  ExecutorStep,
} from './executor-state.ts';

type Input<K extends ExecutorInput['kind']> = Extract<ExecutorInput, { kind: K }>;

export function initialExecutor(): ExecutorMachine {
  return {
    phase: { name: 'idle' },
    attempt: 0,
    lostSince: null,
    tasks: [],
    updates: [],
    received: [],
    sending: null,
    resendAt: null,
  };
}

/** When the machine wants a `tick`, or null. */
export function executorWakeAt({ phase, resendAt }: ExecutorMachine): number | null {
  if (phase.name === 'waiting') return phase.until;
  if (phase.name === 'subscribed') return resendAt;
  return 'deadline' in phase ? phase.deadline : null;
}

export function stepExecutor(
  state: ExecutorMachine,
  input: ExecutorInput,
  context: ExecutorContext,
): ExecutorStep {
  if (state.phase.name === 'ended') return unchanged(state);
  if ('attempt' in input && input.attempt !== state.attempt) return unchanged(state);
  switch (input.kind) {
    case 'start':
      return state.phase.name === 'idle' ? connect(state, context) : unchanged(state);
    case 'opened':
      return opened(state);
    case 'answered':
      return answered(state, input, context);
    case 'event':
      return received(state, input.event, context);
    case 'undecodable':
      return undecodable(state, input.reason, context);
    case 'lost':
      return retry(state, input.reason, context);
    case 'send-update':
      return sendNext({ ...state, updates: [...state.updates, input.update] });
    case 'update-answered':
      return updateAnswered(state, input, context);
    case 'tick':
      return tick(state, context);
    case 'close':
      return { state: { ...state, phase: { name: 'ended' } }, effects: [{ kind: 'disconnect' }] };
  }
}

const unchanged = (state: ExecutorMachine): ExecutorStep => ({ state, effects: [] });

function connect(state: ExecutorMachine, context: ExecutorContext): ExecutorStep {
  const { now } = context;
  const attempt = state.attempt + 1;
  const lostSince = state.lostSince ?? now;
  const deadline = Math.min(now + context.attemptTimeoutMs, lostSince + context.recoveryTimeoutMs);
  const { tasks, updates } = state;
  const carried = updates.flatMap(({ status }) => status.uuid ?? []);
  return {
    state: {
      ...state,
      attempt,
      lostSince,
      received: [],
      sending: null,
      resendAt: null,
      phase: { name: 'connecting', deadline, carried },
    },
    effects: [
      { kind: 'change', change: { state: 'connecting' } },
      { kind: 'connect', attempt, tasks, updates },
    ],
  };
}

function opened(state: ExecutorMachine): ExecutorStep {
  if (state.phase.name !== 'connecting') return unchanged(state);
  return { state: { ...state, phase: { ...state.phase, name: 'open' } }, effects: [] };
}

/** SUBSCRIBE was answered with something else than a stream; 503 while the agent recovers. */
function answered(state: ExecutorMachine, input: Input<'answered'>, context: ExecutorContext): ExecutorStep {
  if (state.phase.name !== 'connecting') return unchanged(state);
  const reason = `the agent answered SUBSCRIBE with ${input.status} ${input.body}`.trim();
  if (subscribeConsequence(input) === 'fatal') return end(state, 'refused', reason);
  return retry(state, reason, context);
}

/** The first event is SUBSCRIBED, or SHUTDOWN where the agent wants us gone. */
function received(state: ExecutorMachine, event: ExecutorEvent, context: ExecutorContext): ExecutorStep {
  const { phase } = state;
  if (phase.name !== 'open' && phase.name !== 'subscribed') return unchanged(state);
  const deliver: ExecutorEffect = { kind: 'deliver', event };
  switch (event.type) {
    case 'SUBSCRIBED':
    case 'SHUTDOWN': {
      if (phase.name === 'subscribed') return { state, effects: [deliver] };
      const now: ExecutorMachine = {
        ...state,
        lostSince: null,
        received: phase.carried,
        phase: { name: 'subscribed' },
      };
      const change: ExecutorEffect = { kind: 'change', change: { state: 'subscribed' } };
      return followedBy([change, deliver], sendNext(now));
    }
    case 'ERROR': {
      return followedBy([deliver], end(state, 'refused', event.error.message));
    }
    default:
      break;
  }
  if (phase.name === 'open')
    return retry(state, `the first event was ${event.type}, not SUBSCRIBED`, context);
  return followedBy([deliver], sendNext(remembered(state, event)));
}

/** Keeps the two lists that every SUBSCRIBE takes along. */
function remembered(state: ExecutorMachine, event: ExecutorEvent): ExecutorMachine {
  switch (event.type) {
    case 'LAUNCH':
      return { ...state, tasks: withTask(state.tasks, event.launch.task) };
    case 'LAUNCH_GROUP':
      return { ...state, tasks: (event.launchGroup.taskGroup.tasks ?? []).reduce(withTask, state.tasks) };
    case 'ACKNOWLEDGED': {
      const { taskId, uuid } = event.acknowledged;
      return {
        ...state,
        tasks: state.tasks.filter((task) => task.taskId !== taskId),
        updates: state.updates.filter(({ status }) => status.uuid !== uuid),
        received: state.received.filter((other) => other !== uuid),
      };
    }
    default:
      return state;
  }
}

function withTask(tasks: readonly TaskInfo[], task: TaskInfo): readonly TaskInfo[] {
  return [...tasks.filter(({ taskId }) => taskId !== task.taskId), task];
}

/** Sends the oldest update that the agent has not received, unless one is on its way or has to wait. */
function sendNext(state: ExecutorMachine): ExecutorStep {
  if (state.phase.name !== 'subscribed' || state.sending !== null || state.resendAt !== null) {
    return unchanged(state);
  }
  const update = state.updates.find(({ status }) => status.uuid && !state.received.includes(status.uuid));
  if (update?.status.uuid === undefined) return unchanged(state);
  return {
    state: { ...state, sending: update.status.uuid },
    effects: [{ kind: 'send', attempt: state.attempt, update }],
  };
}

function updateAnswered(
  state: ExecutorMachine,
  { uuid, consequence, reason }: Input<'update-answered'>,
  context: ExecutorContext,
): ExecutorStep {
  if (state.phase.name !== 'subscribed' || state.sending !== uuid) return unchanged(state);
  const idle: ExecutorMachine = { ...state, sending: null };
  switch (consequence) {
    case 'ok':
      // The acknowledgement may have come before the answer; then there is nothing left to remember.
      return sendNext({
        ...idle,
        received: isUnacknowledged(state, uuid) ? [...state.received, uuid] : state.received,
      });
    case 'retry':
      return unchanged({
        ...idle,
        resendAt: context.now + Math.max(100, context.random * context.backoffMaxMs),
      });
    case 'resubscribe':
      return retry(idle, reason, context);
    case 'fatal':
    case 'replaced':
      return end(idle, 'refused', reason);
    case 'give-up':
      return dropUpdate(idle, uuid, reason);
  }
}

function isUnacknowledged(state: ExecutorMachine, uuid: string): boolean {
  return state.updates.some(({ status }) => status.uuid === uuid);
}

/** Kept, it would make the agent refuse the next SUBSCRIBE as well. */
function dropUpdate(state: ExecutorMachine, uuid: string, reason: string): ExecutorStep {
  const refused = state.updates.filter(({ status }) => status.uuid === uuid);
  const kept = { ...state, updates: state.updates.filter(({ status }) => status.uuid !== uuid) };
  const dropped = refused.map((update): ExecutorEffect => ({ kind: 'dropped', update, reason }));
  return followedBy(dropped, sendNext(kept));
}

/** The stream is still in step; but a first event that cannot be read leaves nothing to go on with. */
function undecodable(state: ExecutorMachine, reason: string, context: ExecutorContext): ExecutorStep {
  if (state.phase.name !== 'subscribed') return retry(state, reason, context);
  return { state, effects: [{ kind: 'ignored', reason }] };
}

function tick(state: ExecutorMachine, context: ExecutorContext): ExecutorStep {
  const wakeAt = executorWakeAt(state);
  if (wakeAt === null || context.now < wakeAt) return unchanged(state);
  if (state.phase.name === 'subscribed') return sendNext({ ...state, resendAt: null });
  if (state.phase.name !== 'waiting') {
    return retry(state, `the agent did not answer within ${context.attemptTimeoutMs / 1000} s`, context);
  }
  return isTooLate(state, context) ? giveUp(state, 'no attempt succeeded', context) : connect(state, context);
}

function retry(state: ExecutorMachine, reason: string, context: ExecutorContext): ExecutorStep {
  if (state.phase.name === 'waiting' || state.phase.name === 'idle') return unchanged(state);
  const lost = { ...state, lostSince: state.lostSince ?? context.now };
  if (!context.checkpoint || isTooLate(lost, context)) return giveUp(lost, reason, context);
  const givingUpAt = lost.lostSince + context.recoveryTimeoutMs;
  const until = Math.min(givingUpAt, context.now + context.random * context.backoffMaxMs);
  const change = { state: 'disconnected', reason, retryInMs: until - context.now } as const;
  return {
    // A new attempt number, so that nothing of the old stream is taken for the next one's.
    state: { ...lost, attempt: state.attempt + 1, sending: null, phase: { name: 'waiting', until } },
    effects: [{ kind: 'disconnect' }, { kind: 'change', change }],
  };
}

function isTooLate({ lostSince }: ExecutorMachine, { now, recoveryTimeoutMs }: ExecutorContext): boolean {
  return lostSince !== null && now - lostSince >= recoveryTimeoutMs;
}

function giveUp(state: ExecutorMachine, reason: string, context: ExecutorContext): ExecutorStep {
  const why = context.checkpoint
    ? `the agent did not come back within ${context.recoveryTimeoutMs / 1000} s`
    : 'the agent was lost, and the framework does not checkpoint';
  return end(state, 'agent-lost', `${why}: ${reason}`);
}

function end(state: ExecutorMachine, ending: ExecutorEnding, reason: string): ExecutorStep {
  return {
    state: { ...state, phase: { name: 'ended' } },
    effects: [{ kind: 'disconnect' }, { kind: 'change', change: { state: ending, reason } }],
  };
}

function followedBy(before: ExecutorEffect[], step: ExecutorStep): ExecutorStep {
  return { state: step.state, effects: [...before, ...step.effects] };
}
