import type { Epoch, LeaseRecord, NodeId } from '@mesos-elasticsearch/contract';

/**
 * Leases: the right to hold one node's volumes in one epoch. The scheduler opens and closes epochs, the
 * executor takes, renews and gives back the lease in between.
 *
 * Contract, the same for every form:
 * - `take` succeeds at most once per (node, epoch), only between `openEpoch` and `closeEpoch`, in one
 *   atomic step. So once an epoch is closed, an executor that never took its lease never will.
 * - `renew` and `giveBack` after `closeEpoch` answer `closed` and change nothing.
 * - `closeEpoch` is atomic and idempotent; it returns the last lease record, or undefined if none was ever
 *   taken: then nobody attached anything in that epoch.
 * - An answer is certain. When nothing certain can be said the promise rejects ({@link LeaseUnavailableError});
 *   the caller then counts it as not renewed.
 * - Nothing here compares clocks of two hosts: an observer measures how long the counter stood still by its
 *   own monotonic clock ({@link observeLease}).
 */
export interface LeaseService {
  openEpoch(nodeId: NodeId, epoch: Epoch): Promise<void>;
  closeEpoch(nodeId: NodeId, epoch: Epoch): Promise<LeaseRecord | undefined>;
  /** The lease as it stands; `open` and no record: not taken yet. */
  read(nodeId: NodeId, epoch: Epoch): Promise<LeaseState>;
  take(lease: LeaseRecord): Promise<'taken' | 'refused'>;
  renew(lease: LeaseRecord): Promise<'renewed' | 'closed'>;
  /** After Elasticsearch is gone and the volumes are detached: proof of release. */
  giveBack(lease: LeaseRecord): Promise<'given-back' | 'closed'>;
}

export type LeaseState =
  | { readonly state: 'absent' }
  | { readonly state: 'open'; readonly lease: LeaseRecord | undefined }
  | { readonly state: 'given-back'; readonly lease: LeaseRecord }
  | { readonly state: 'closed'; readonly lease: LeaseRecord | undefined };

export class LeaseUnavailableError extends Error {
  override readonly name = 'LeaseUnavailableError';
}

/** What an observer knows about a lease: the counter, and since when it has stood there. */
export interface LeaseObservation {
  readonly lease: LeaseRecord;
  /** Observer's monotonic milliseconds at which this counter was first seen. */
  readonly firstSeenMs: number;
}

/** Folds one reading into what was known; a changed counter, holder or epoch starts the clock anew. */
export function observeLease(
  known: LeaseObservation | undefined,
  reading: LeaseRecord,
  nowMs: number,
): LeaseObservation {
  const same =
    known?.lease.counter === reading.counter &&
    known.lease.holder === reading.holder &&
    known.lease.epoch === reading.epoch;
  return same ? known : { lease: reading, firstSeenMs: nowMs };
}

/**
 * How far the clocks of holder and observer may differ in rate: a hundred times what a poor quartz does. It is part
 * of every expiry, for a lease of an hour would otherwise outrun the guard's margin of two seconds.
 */
export const CLOCK_RATE_TOLERANCE = 0.01;

/** How long a counter must stand still before its holder can have used up its lease, whatever its clock. */
export function silenceNeededMs(durationMs: number, pauseBoundMs: number): number {
  return Math.ceil(durationMs * (1 + CLOCK_RATE_TOLERANCE)) + pauseBoundMs;
}

/**
 * The counter has stood still for the lease's whole length plus the operator's bound on pauses of a whole machine:
 * its holder takes no further step that it asks its lease for.
 */
export function isLeaseSilent(observation: LeaseObservation, nowMs: number, pauseBoundMs: number): boolean {
  const { lease, firstSeenMs } = observation;
  return nowMs - firstSeenMs > silenceNeededMs(lease.durationMs, pauseBoundMs);
}

/** True when Elasticsearch must have ended by now: silent, and recorded as self-fencing and guarded. */
export function isLeaseExpired(observation: LeaseObservation, nowMs: number, pauseBoundMs: number): boolean {
  const { lease } = observation;
  return lease.selfFencing && lease.guarded && isLeaseSilent(observation, nowMs, pauseBoundMs);
}

/**
 * When the holder itself must have stopped, on the holder's monotonic clock: counted from when the last
 * answered renewal was *sent*, so it lies before the moment any observer can call the lease expired.
 */
export function holderDeadlineMs(lastAnsweredRenewalSentMs: number, durationMs: number): number {
  return lastAnsweredRenewalSentMs + durationMs;
}
