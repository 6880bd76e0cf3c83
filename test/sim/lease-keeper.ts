/** Drives the real keeping of a lease (`core/lease-keeping.ts`) with simulated timers and a simulated service. */
import type { LeaseRecord } from '@mesos-elasticsearch/contract';
import {
  beginKeeping,
  deadlineSecondsOf,
  isFresh,
  keep,
  lastNumber,
  type Keeping,
  type KeepingEffect,
  type KeepingInput,
} from '@mesos-elasticsearch/executor/core';
import type { Process } from './machines.ts';
import { askLeases, type LeaseAsker } from './lease-asker.ts';
import type { World } from './world.ts';

export interface KeeperEvents {
  readonly onExtended: () => void;
  readonly onClosed: () => void;
  readonly onExpired: (why: string) => void;
}

export class LeaseKeeper {
  readonly #world: World;
  readonly #process: Process;
  readonly #asker: LeaseAsker;
  readonly #events: KeeperEvents;
  #state: Keeping;
  #timers: Partial<Record<'arm-renewal' | 'arm-expiry', { cancel: () => void }>> = {};

  constructor(
    world: World,
    asker: LeaseAsker,
    taken: { readonly lease: LeaseRecord; readonly sentMs: number },
    events: KeeperEvents,
  ) {
    this.#world = world;
    this.#process = asker.process;
    this.#asker = asker;
    this.#events = events;
    const begun = beginKeeping(taken.lease, taken.sentMs, this.#nowMs(), world.executorSafety);
    this.#state = begun.state;
    this.#act(begun.effects);
  }

  get deadlineSeconds(): number {
    return deadlineSecondsOf(this.#state);
  }

  isFresh(): boolean {
    return isFresh(this.#state, this.#nowMs());
  }

  giveBack(done: () => void): void {
    this.stop();
    const last = lastNumber(this.#state);
    askLeases(this.#asker, 5_000, (leases) => leases.giveBack(last), done);
  }

  stop(): void {
    this.#apply({ kind: 'stop' });
  }

  #nowMs(): number {
    return this.#process.machine.uptimeMs();
  }

  #apply(input: KeepingInput): void {
    const kept = keep(this.#state, input, this.#nowMs());
    this.#state = kept.state;
    if (kept.state.over) for (const timer of Object.values(this.#timers)) timer.cancel();
    this.#act(kept.effects);
  }

  #act(effects: readonly KeepingEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'renew':
          this.#renew(effect.lease);
          break;
        case 'arm-renewal':
        case 'arm-expiry':
          this.#arm(effect.kind, effect.afterMs);
          break;
        case 'extended':
          this.#events.onExtended();
          break;
        case 'closed':
          this.#events.onClosed();
          break;
        case 'expired':
          this.#world.say(this.#process.name, `the lease has run out: ${effect.why}`);
          this.#events.onExpired(effect.why);
          break;
      }
    }
  }

  #arm(kind: 'arm-renewal' | 'arm-expiry', afterMs: number): void {
    this.#timers[kind]?.cancel();
    const input = kind === 'arm-renewal' ? 'renewal-timer' : 'expiry-timer';
    this.#timers[kind] = this.#process.after(afterMs, () => {
      this.#world.step();
      this.#apply({ kind: input });
    });
  }

  #renew(lease: LeaseRecord): void {
    askLeases(
      this.#asker,
      8_000,
      (leases) => leases.renew(lease),
      ({ value, error }) => {
        this.#world.step();
        this.#apply(
          value === undefined ? { kind: 'unanswered', why: error ?? 'no answer' } : { kind: value },
        );
      },
    );
  }
}
