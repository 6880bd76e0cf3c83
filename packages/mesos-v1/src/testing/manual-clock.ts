import type { Clock } from '../session/clock.ts';

/** Time that stands still until it is told to pass. */
export interface ManualClock extends Clock {
  /** Fires everything due, in order of time. */
  advance(ms: number): void;
  /** Due times of what waits, soonest first. */
  pending(): number[];
}

export function createManualClock(start = 0): ManualClock {
  let now = start;
  const timers = new Set<{ at: number; then: () => void }>();
  const soonest = () => [...timers].sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    after(ms, then) {
      const timer = { at: now + Math.max(0, ms), then };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const until = now + ms;
      for (let timer = soonest(); timer && timer.at <= until; timer = soonest()) {
        timers.delete(timer);
        now = timer.at;
        timer.then();
      }
      now = until;
    },
    pending: () => [...timers].map(({ at }) => at).sort((a, b) => a - b),
  };
}
