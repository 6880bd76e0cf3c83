/** Renews one lease for as long as it is held, and tells how long Elasticsearch may still run on it. */
import type { LeaseRecord } from '@mesos-elasticsearch/contract';
import type { LeaseService } from '@mesos-elasticsearch/coordination';
import { giveUpAtMs, guardDeadlineSeconds, renewalIntervalMs } from '../core/lease-timing.ts';
import type { UptimeClock } from '../ports.ts';

export interface LeaseKeeper {
  /** Whole seconds of uptime; grows with each answered renewal. */
  readonly deadlineSeconds: number;
  /** False from the moment on at which others may take over: nothing may be written any more. */
  isFresh(): boolean;
  giveBack(): Promise<'given-back' | 'closed'>;
  /** No more renewals; what is under way is not waited for. */
  stop(): void;
}

export interface LeaseKeeperOptions {
  readonly leases: LeaseService;
  readonly lease: LeaseRecord;
  /** When the `take` that was answered was sent. */
  readonly takenSentMs: number;
  readonly clock: UptimeClock;
  readonly onExtended: (deadlineSeconds: number) => void;
  readonly onClosed: () => void;
  /** Said once: the time is over and no renewal was answered. */
  readonly onExpired: (why: string) => void;
}

/** Renewals do not queue up: the next one is sent only after the last was answered or failed. */
export function keepLease(options: LeaseKeeperOptions): LeaseKeeper {
  const { leases, clock } = options;
  const { durationMs } = options.lease;
  let lease = options.lease;
  let answeredSentMs = options.takenSentMs;
  let lastTrouble = 'no answer from the lease service';
  let stopped = false;
  let renewTimer: NodeJS.Timeout;
  let expiryTimer: NodeJS.Timeout;

  const giveUpAt = () => giveUpAtMs(answeredSentMs, durationMs);
  const armExpiry = () => {
    clearTimeout(expiryTimer);
    const left = giveUpAt() - clock.nowMs();
    expiryTimer = setTimeout(
      () => {
        // The kernel's clock decides; a timer may ring early or, on a machine that slept, late.
        if (stopped) return;
        if (clock.nowMs() < giveUpAt()) armExpiry();
        else options.onExpired(lastTrouble);
      },
      Math.max(10, left),
    );
  };
  const renew = async () => {
    const sentMs = clock.nowMs();
    const next = { ...lease, counter: lease.counter + 1 };
    try {
      const answer = await leases.renew(next);
      if (stopped) return;
      if (answer === 'closed') {
        stop();
        options.onClosed();
        return;
      }
      answeredSentMs = sentMs;
      armExpiry();
      options.onExtended(guardDeadlineSeconds(answeredSentMs, durationMs));
    } catch (error) {
      lastTrouble = (error as Error).message;
    }
    // Also after a failure: that number may have been seen, so it is used up.
    lease = next;
    armRenewal();
  };
  const armRenewal = () => {
    if (!stopped) renewTimer = setTimeout(() => void renew(), renewalIntervalMs(durationMs));
  };
  const stop = () => {
    stopped = true;
    clearTimeout(renewTimer);
    clearTimeout(expiryTimer);
  };
  armExpiry();
  armRenewal();
  return {
    get deadlineSeconds() {
      return guardDeadlineSeconds(answeredSentMs, durationMs);
    },
    isFresh: () => clock.nowMs() < giveUpAt(),
    giveBack: async () => {
      stop();
      return leases.giveBack({ ...lease, counter: lease.counter + 1 });
    },
    stop,
  };
}
