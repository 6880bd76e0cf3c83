/**
 * Keeping one lease, as a pure machine: when to renew, what an answer is worth, and when the holder must have
 * stopped (design rule 4). `nowMs` is the kernel's uptime, the clock that the guard reads.
 */
import type { LeaseRecord } from '@mesos-elasticsearch/contract';
import { EXECUTOR_SAFETY, type ExecutorSafety } from './safety.ts';
import { giveUpAtMs, guardDeadlineSeconds, renewalIntervalMs } from './lease-timing.ts';

export interface Keeping {
  /** With the last number that was sent. */
  readonly lease: LeaseRecord;
  /** When the last renewal that was answered (or the `take`) was sent. */
  readonly answeredSentMs: number;
  /** When the renewal under way was sent. */
  readonly sentMs: number | undefined;
  readonly lastTrouble: string;
  /** Closed or given up: nothing is sent any more. */
  readonly over: boolean;
  readonly safety: ExecutorSafety;
}

export type KeepingInput =
  | { readonly kind: 'renewal-timer' | 'expiry-timer' | 'renewed' | 'closed' | 'stop' }
  /** It may have been seen all the same, so its number is used up. */
  | { readonly kind: 'unanswered'; readonly why: string };

export type KeepingEffect =
  | { readonly kind: 'renew'; readonly lease: LeaseRecord }
  | { readonly kind: 'arm-renewal' | 'arm-expiry'; readonly afterMs: number }
  /** Elasticsearch may run until then; whole seconds of uptime. */
  | { readonly kind: 'extended'; readonly deadlineSeconds: number }
  | { readonly kind: 'closed' }
  /** Nothing was answered in time. Renewals go on: under a policy that waits the lease may still be kept. */
  | { readonly kind: 'expired'; readonly why: string };

export interface Kept {
  readonly state: Keeping;
  readonly effects: readonly KeepingEffect[];
}

/** @param takenSentMs when the `take` that was answered was sent: an earlier one may have been seen already */
export function beginKeeping(
  lease: LeaseRecord,
  takenSentMs: number,
  nowMs: number,
  safety: ExecutorSafety = EXECUTOR_SAFETY,
): Kept {
  const state: Keeping = {
    lease,
    answeredSentMs: takenSentMs,
    sentMs: undefined,
    lastTrouble: 'no answer from the lease service',
    over: false,
    safety,
  };
  return { state, effects: [expiryTimer(state, nowMs), renewalTimer(state)] };
}

export function keep(state: Keeping, input: KeepingInput, nowMs: number): Kept {
  if (state.over) return { state, effects: [] };
  switch (input.kind) {
    case 'renewal-timer':
      return sendRenewal(state, nowMs);
    case 'renewed':
      return onRenewed(state, nowMs);
    case 'unanswered': {
      const next = { ...state, sentMs: undefined, lastTrouble: input.why };
      return { state: next, effects: [renewalTimer(next)] };
    }
    case 'closed':
      return { state: { ...state, over: true, sentMs: undefined }, effects: [{ kind: 'closed' }] };
    case 'expiry-timer':
      // The kernel's clock decides; a timer may ring early or, on a machine that slept, late.
      if (isFresh(state, nowMs)) return { state, effects: [expiryTimer(state, nowMs)] };
      return { state, effects: [{ kind: 'expired', why: state.lastTrouble }] };
    case 'stop':
      return { state: { ...state, over: true }, effects: [] };
  }
}

/** False from the moment on at which others may take over: nothing may be written any more. */
export function isFresh(state: Keeping, nowMs: number): boolean {
  return nowMs < giveUpAtMs(state.answeredSentMs, state.lease.durationMs);
}

export function deadlineSecondsOf(state: Keeping): number {
  return guardDeadlineSeconds(state.answeredSentMs, state.lease.durationMs);
}

/** What `giveBack` is called with: a number of its own, for the last renewal may still be under way. */
export function lastNumber(state: Keeping): LeaseRecord {
  return { ...state.lease, counter: state.lease.counter + 1 };
}

/** Renewals do not queue up: the next one is sent only after the last was answered or failed. */
function sendRenewal(state: Keeping, nowMs: number): Kept {
  if (state.sentMs !== undefined) return { state, effects: [] };
  const lease = lastNumber(state);
  return { state: { ...state, lease, sentMs: nowMs }, effects: [{ kind: 'renew', lease }] };
}

/** Counted from when it was sent: whoever watches the lease cannot have seen it earlier than that. */
function onRenewed(state: Keeping, nowMs: number): Kept {
  if (state.sentMs === undefined) return { state, effects: [] };
  const answeredSentMs = state.safety.countedFromMs(state.sentMs, nowMs);
  const next: Keeping = { ...state, answeredSentMs, sentMs: undefined };
  const extended: KeepingEffect = { kind: 'extended', deadlineSeconds: deadlineSecondsOf(next) };
  return { state: next, effects: [expiryTimer(next, nowMs), extended, renewalTimer(next)] };
}

function renewalTimer({ lease }: Keeping): KeepingEffect {
  return { kind: 'arm-renewal', afterMs: renewalIntervalMs(lease.durationMs) };
}

/** At least a moment ahead, so that a deadline that has passed does not become a busy loop. */
function expiryTimer({ answeredSentMs, lease }: Keeping, nowMs: number): KeepingEffect {
  return { kind: 'arm-expiry', afterMs: Math.max(10, giveUpAtMs(answeredSentMs, lease.durationMs) - nowMs) };
}
