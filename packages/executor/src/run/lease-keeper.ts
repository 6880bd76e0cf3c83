/** Drives the keeping of one lease (`core/lease-keeping.ts`) with timers and the lease service. */
import type { LeaseRecord } from '@mesos-elasticsearch/contract';
import type { LeaseService } from '@mesos-elasticsearch/coordination';
import {
  beginKeeping,
  deadlineSecondsOf,
  isFresh,
  keep,
  lastNumber,
  type KeepingEffect,
  type KeepingInput,
} from '../core/lease-keeping.ts';
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
  /** Said once for each time that runs out: no renewal was answered in it. */
  readonly onExpired: (why: string) => void;
}

export function keepLease(options: LeaseKeeperOptions): LeaseKeeper {
  const { leases, clock } = options;
  const timers: Partial<Record<'arm-renewal' | 'arm-expiry', NodeJS.Timeout>> = {};
  let kept = beginKeeping(options.lease, options.takenSentMs, clock.nowMs());

  const apply = (input: KeepingInput) => {
    kept = keep(kept.state, input, clock.nowMs());
    if (kept.state.over) for (const timer of Object.values(timers)) clearTimeout(timer);
    act(kept.effects);
  };
  const act = (effects: readonly KeepingEffect[]) => {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'renew':
          void renew(effect.lease);
          break;
        case 'arm-renewal':
        case 'arm-expiry':
          arm(effect);
          break;
        case 'extended':
          options.onExtended(effect.deadlineSeconds);
          break;
        case 'closed':
          options.onClosed();
          break;
        case 'expired':
          options.onExpired(effect.why);
          break;
      }
    }
  };
  const arm = ({ kind, afterMs }: Extract<KeepingEffect, { afterMs: number }>) => {
    clearTimeout(timers[kind]);
    const input = kind === 'arm-renewal' ? 'renewal-timer' : 'expiry-timer';
    timers[kind] = setTimeout(() => apply({ kind: input }), afterMs);
  };
  const renew = async (lease: LeaseRecord) => {
    try {
      apply({ kind: await leases.renew(lease) });
    } catch (error) {
      apply({ kind: 'unanswered', why: (error as Error).message });
    }
  };
  act(kept.effects);
  return {
    get deadlineSeconds() {
      return deadlineSecondsOf(kept.state);
    },
    isFresh: () => isFresh(kept.state, clock.nowMs()),
    giveBack: async () => {
      apply({ kind: 'stop' });
      return leases.giveBack(lastNumber(kept.state));
    },
    stop: () => apply({ kind: 'stop' }),
  };
}
