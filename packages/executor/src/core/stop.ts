/**
 * Letting go, in this order: the process, the volumes (last attached first), what earlier holders left attached
 * here, the lease, and only then the
 * terminal status (design rule 3: the executor's own terminal status means released).
 */
import type { Effect } from './effects.ts';
import type { MachineEvent } from './events.ts';
import { DETACH_TRIES, EXIT_STILL_MOUNTED } from './state.ts';
import type { Held, Migrating, Stopping, StopOrder, Transition, Up, Starting } from './state.ts';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** An attach whose outcome is unknown is tried this often before everything is undone. */
export const ATTACH_TRIES = 3;

/** 1, 2, 4… seconds, at most 30. */
export function retryDelayMs(attempt: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10));
}

/** Leaves the start or the run: nothing of the start is under way any more. */
export function beginStop(from: Starting | Migrating | Up, order: StopOrder): Transition {
  const hard = order.graceMs <= 0;
  const state: Stopping = {
    phase: 'stopping',
    spec: from.spec,
    limits: from.limits,
    safety: from.safety,
    held: from.held,
    ending: order.ending,
    report: from.phase === 'migrating' ? undefined : from.report,
    wentAhead: from.phase === 'up' || (from.phase === 'starting' && from.step === 'go'),
    attempt: 0,
    killed: hard,
  };
  const why: Effect = {
    kind: 'log',
    level: order.ending.state === 'TASK_FAILED' ? 'error' : 'info',
    message: 'stopping',
    fields: { why: order.ending.message, graceMs: order.graceMs },
  };
  const begun = from.safety.mayDetach(from.held) ? letGoNext(state) : { state, effects: [] };
  const stop: Effect[] = hard
    ? [{ kind: 'kill-process' }]
    : [{ kind: 'stop-process' }, { kind: 'start-timer', name: 'grace-over', ms: order.graceMs }];
  return prepend(from.held.process ? [why, ...stop] : [why], begun);
}

export function onStopping(state: Stopping, event: MachineEvent): Transition {
  switch (event.kind) {
    case 'process-gone':
      return state.held.process ? letGoNext(withHeld(state, { process: false })) : stay(state);
    case 'detached':
      return letGoNext(
        withHeld(
          { ...state, attempt: 0 },
          { volumes: state.held.volumes.filter((role) => role !== event.role) },
        ),
      );
    case 'former-detached':
      return letGoNext(withHeld({ ...state, attempt: 0 }, { former: false }));
    case 'step-failed':
      return event.step === 'detach' || event.step === 'detach-former'
        ? onDetachFailed(state, event.message)
        : stay(state);
    case 'lease-given-back':
      return finished(withHeld(state, { lease: false }));
    case 'timer':
      return onTimer(state, event.name);
    case 'kill':
      return shortenGrace(state, event.taskId === state.spec.taskId ? event.graceMs : undefined);
    case 'shutdown':
      return shortenGrace(state, state.limits.shutdownStopMs);
    case 'lease-expired':
      return state.safety.fencesItself(state.spec.lease.policy) ? killNow(state) : stay(state);
    case 'lease-closed':
      return killNow(state);
    default:
      return stay(state);
  }
}

function onTimer(state: Stopping, name: 'grace-over' | 'retry'): Transition {
  switch (name) {
    case 'grace-over':
      return killNow(state);
    case 'retry':
      return state.held.process ? stay(state) : letGoNext(state);
  }
}

function killNow(state: Stopping): Transition {
  if (!state.held.process || state.killed) return stay(state);
  return { state: { ...state, killed: true }, effects: [{ kind: 'kill-process' }] };
}

/** A later order can bring the end nearer, never put it off: the earlier timer still fires. */
function shortenGrace(state: Stopping, graceMs: number | undefined): Transition {
  if (graceMs === undefined || !state.held.process || state.killed) return stay(state);
  if (graceMs <= 0) return killNow(state);
  return { state, effects: [{ kind: 'start-timer', name: 'grace-over', ms: graceMs }] };
}

/**
 * A driver that does not answer for long must not keep the node in between for ever. The executor ends without a word of its
 * own: the agent then says that it terminated, which is "gone, but mounted" and nothing more, and the next
 * epoch on this agent goes on with the unmount. The lease is not given back.
 */
function endStillMounted(state: Stopping, message: string): Transition {
  const said: Effect = {
    kind: 'log',
    level: 'error',
    message:
      'gone but mounted: the process has ended, its volumes are not known to be detached; the executor ends',
    fields: { why: message, attempts: state.attempt + 1 },
  };
  return {
    state: { phase: 'ended', limits: state.limits, safety: state.safety },
    effects: [said, { kind: 'finish', exitCode: EXIT_STILL_MOUNTED }],
  };
}

function onDetachFailed(state: Stopping, message: string): Transition {
  if (state.attempt + 1 >= (state.limits.detachTries ?? DETACH_TRIES)) return endStillMounted(state, message);
  const ms = retryDelayMs(state.attempt);
  return {
    state: { ...state, attempt: state.attempt + 1 },
    effects: [
      {
        kind: 'log',
        level: 'warn',
        message: 'volume not known to be detached: the task is not reported as ended; trying again',
        fields: { why: message, attempt: state.attempt + 1, inMs: ms },
      },
      { kind: 'start-timer', name: 'retry', ms },
    ],
  };
}

function letGoNext(state: Stopping): Transition {
  const role = state.held.volumes.at(-1);
  if (!state.safety.mayReportEnd(state.held)) {
    if (role !== undefined) return { state, effects: [{ kind: 'detach', role }] };
    if (state.held.former) return { state, effects: [{ kind: 'detach-former' }] };
  }
  // A lease that is given back means that the volumes are detached; an isolator unmounts only after the executor.
  const mayGiveBack = state.spec.volumeMounter.kind === 'executor';
  return state.held.lease && mayGiveBack ? { state, effects: [{ kind: 'give-back' }] } : finished(state);
}

/**
 * Where an isolator mounts, the status says so: it is no word about the volumes. That Elasticsearch was never let start
 * is said too: then nothing was acknowledged on these volumes, and a migration may still be taken back.
 */
function finished(state: Stopping): Transition {
  const { report, wentAhead } = state;
  const { message } = state.ending;
  const isolated =
    report?.mountedBy === undefined
      ? {}
      : { report, message: `${message}; unmounting its volumes is left to the ${report.mountedBy}` };
  const unused =
    report === undefined || wentAhead ? {} : { report: { ...report, neverStarted: true as const } };
  return {
    state: { phase: 'ended', limits: state.limits, safety: state.safety },
    effects: [
      { kind: 'send-status', status: { taskId: state.spec.taskId, ...state.ending, ...isolated, ...unused } },
      { kind: 'finish', exitCode: 0 },
    ],
  };
}

function withHeld(state: Stopping, change: Partial<Held>): Stopping {
  return { ...state, held: { ...state.held, ...change } };
}
function stay(state: Stopping): Transition {
  return { state, effects: [] };
}
export function failure(message: string): StopOrder {
  return { ending: { state: 'TASK_FAILED', message }, graceMs: 0 };
}
export function leaseText({ spec }: Starting | Migrating | Up, what: string): string {
  return `the lease of node ${String(spec.nodeId)} in epoch ${String(spec.epoch)} ${what}`;
}
export function prepend(effects: readonly Effect[], next: Transition): Transition {
  return { state: next.state, effects: [...effects, ...next.effects] };
}
