/**
 * When tasks are reconciled with the master: after each SUBSCRIBED, every 15 minutes, and when a hint says so;
 * explicitly (with the stored agent IDs, or an unreachable task answers UNKNOWN) and implicitly (to discover
 * tasks that no record knows). Suspects are asked for all the time: masters before 1.5 send nothing when an
 * unreachable agent returns with its tasks. A task that got no answer is asked for again, with truncated exponential
 * back-off: a recovering master stays silent (mesos-v1 1.6, RECONCILE row 2).
 */
import type { Timing } from '../options.ts';

export interface Reconciliation {
  /** Task IDs that were not answered yet. */
  readonly unanswered: ReadonlySet<string>;
  /** Explicit requests sent in this round. */
  readonly attempt: number;
  readonly nextAtMs: number;
  /** When anything was asked for last. */
  readonly askedAtMs: number;
  /** A list of no tasks is to be sent along: the implicit form. */
  readonly implicitDue: boolean;
  /** When the next whole round begins. */
  readonly roundAtMs: number;
}

export const NOTHING_TO_RECONCILE: Reconciliation = {
  unanswered: new Set(),
  attempt: 0,
  nextAtMs: 0,
  askedAtMs: Number.NEGATIVE_INFINITY,
  implicitDue: false,
  roundAtMs: Number.POSITIVE_INFINITY,
};

export function beginRound(taskIds: readonly string[], nowMs: number, timing: Timing): Reconciliation {
  return {
    unanswered: new Set(taskIds),
    attempt: 0,
    nextAtMs: nowMs,
    askedAtMs: Number.NEGATIVE_INFINITY,
    implicitDue: true,
    roundAtMs: nowMs + timing.reconcileEveryMs,
  };
}

/** A hint (agent lost, executor exited, call failed): these tasks are asked for soon. */
export function askAlso(state: Reconciliation, taskIds: readonly string[], nowMs: number): Reconciliation {
  if (taskIds.length === 0) return state;
  return { ...state, unanswered: new Set([...state.unanswered, ...taskIds]), attempt: 0, nextAtMs: nowMs };
}

export function answered(state: Reconciliation, taskId: string): Reconciliation {
  if (!state.unanswered.has(taskId)) return state;
  return { ...state, unanswered: new Set([...state.unanswered].filter((id) => id !== taskId)) };
}

export function sent(state: Reconciliation, nowMs: number, timing: Timing): Reconciliation {
  const pause = Math.min(timing.reconcileFirstMs * 2 ** state.attempt, timing.reconcileMaxMs);
  return {
    ...state,
    implicitDue: false,
    attempt: state.attempt + 1,
    askedAtMs: nowMs,
    nextAtMs: nowMs + pause,
  };
}

export function isRoundDue(state: Reconciliation, nowMs: number): boolean {
  return nowMs >= state.roundAtMs;
}

export function isAskingDue(state: Reconciliation, nowMs: number): boolean {
  return state.implicitDue || (state.unanswered.size > 0 && nowMs >= state.nextAtMs);
}
