/**
 * When to renew, and when to stop by oneself (design rule 4). All milliseconds are those of one clock, the
 * kernel's uptime, for the guard reads the same one from /proc/uptime.
 */
import { holderDeadlineMs } from '@mesos-elasticsearch/coordination';

/** The guard looks once a second, in whole seconds, and SIGKILL of a large process takes its time. */
export const GUARD_MARGIN_MS = 2_000;
/** The executor acts this much before its guard would. */
const EXECUTOR_MARGIN_MS = 500;
const SHORTEST_LEASE_MS = 5_000;
const RENEWALS_PER_LEASE = 4;

/** A lease shorter than the guard's own slack cannot be guarded. */
export function leaseProblem(durationMs: number): string | undefined {
  if (durationMs >= SHORTEST_LEASE_MS) return undefined;
  return `lease.durationMs is ${String(durationMs)}, it must be at least ${String(SHORTEST_LEASE_MS)}: the guard needs ${String(GUARD_MARGIN_MS)} ms of it`;
}

export function renewalIntervalMs(durationMs: number): number {
  return Math.floor(durationMs / RENEWALS_PER_LEASE);
}

/** Whole seconds of uptime at which the guard kills, so that all is dead before the lease lapses. */
export function guardDeadlineSeconds(lastAnsweredSentMs: number, durationMs: number): number {
  return Math.floor((holderDeadlineMs(lastAnsweredSentMs, durationMs) - GUARD_MARGIN_MS) / 1_000);
}

/** When the executor itself gives up on the lease: a moment before the guard's deadline. */
export function giveUpAtMs(lastAnsweredSentMs: number, durationMs: number): number {
  return guardDeadlineSeconds(lastAnsweredSentMs, durationMs) * 1_000 - EXECUTOR_MARGIN_MS;
}
