import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holderDeadlineMs, isLeaseExpired, observeLease, type LeaseObservation } from './lease-service.ts';
import { leaseRecord } from './testing/records.ts';

const OTHER_HOLDER = '6a7f1a52-54a5-4cf2-8a8a-0a8f7a1f0002';

describe('an observer of a lease', () => {
  it('counts from when it first saw a counter, however often it sees it again', () => {
    const first = observeLease(undefined, leaseRecord({ counter: 3 }), 1_000);
    expect(first.firstSeenMs).toBe(1_000);
    expect(observeLease(first, leaseRecord({ counter: 3 }), 9_000).firstSeenMs).toBe(1_000);
  });

  it.each([leaseRecord({ counter: 4 }), leaseRecord({ counter: 3, holder: OTHER_HOLDER }), leaseRecord()])(
    'starts anew with another counter or holder: %j',
    (reading) => {
      const first = observeLease(undefined, leaseRecord({ counter: 3 }), 1_000);
      expect(observeLease(first, reading, 9_000)).toEqual({ lease: reading, firstSeenMs: 9_000 });
    },
  );

  it.each([
    { selfFencing: false, guarded: true },
    { selfFencing: true, guarded: false },
  ])('never calls a lease expired that proves nothing: %j', (promises) => {
    const seen = observeLease(undefined, leaseRecord(promises), 0);
    expect(isLeaseExpired(seen, Number.MAX_SAFE_INTEGER, 0)).toBe(false);
  });

  it('waits out the whole length, one part in a hundred for clocks, and the bound on pauses', () => {
    const seen = observeLease(undefined, leaseRecord({ durationMs: 10_000 }), 1_000);
    expect(isLeaseExpired(seen, 11_100, 0)).toBe(false);
    expect(isLeaseExpired(seen, 11_101, 0)).toBe(true);
    expect(isLeaseExpired(seen, 16_100, 5_000)).toBe(false);
    expect(isLeaseExpired(seen, 16_101, 5_000)).toBe(true);
  });
});

describe('holder and observer, each by a clock of its own', () => {
  const renewal = fc.record({ sentAfter: fc.nat(9_000), landsAfter: fc.nat(3_000), answered: fc.boolean() });

  it('never disagree: the holder has stopped before any observer calls the lease expired', () =>
    fc.assert(
      fc.property(
        fc.array(renewal, { maxLength: 8 }),
        fc.integer({ min: 25, max: 500 }),
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        (renewals, pollMs, clockOffsetMs) => {
          const durationMs = 10_000;
          const history = landings(renewals);
          const deadline = holderDeadlineMs(history.lastAnsweredSentMs, durationMs);
          let seen: LeaseObservation | undefined;
          for (let now = 0; now <= deadline; now += pollMs) {
            const counter = history.counterAt(now);
            seen = observeLease(seen, leaseRecord({ counter, durationMs }), now + clockOffsetMs);
            expect(isLeaseExpired(seen, now + clockOffsetMs, 0)).toBe(false);
          }
        },
      ),
    ));
});

interface Renewal {
  readonly sentAfter: number;
  readonly landsAfter: number;
  readonly answered: boolean;
}

/** Renewals one after another from time 0, as long as the holder lives; an unanswered one never lands. */
function landings(renewals: readonly Renewal[]) {
  const landed = [{ atMs: 0, counter: 0 }];
  let lastAnsweredSentMs = 0;
  let now = 0;
  for (const [index, { sentAfter, landsAfter, answered }] of renewals.entries()) {
    const sentMs = now + sentAfter;
    if (sentMs + landsAfter > holderDeadlineMs(lastAnsweredSentMs, 10_000)) break;
    now = sentMs + landsAfter;
    if (!answered) continue;
    landed.push({ atMs: now, counter: index + 1 });
    lastAnsweredSentMs = sentMs;
  }
  const counterAt = (atMs: number): number => landed.findLast((each) => each.atMs <= atMs)?.counter ?? 0;
  return { lastAnsweredSentMs, counterAt };
}
