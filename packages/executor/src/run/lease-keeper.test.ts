import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { epoch, nodeId } from '@mesos-elasticsearch/contract';
import { leaseRecord, MemoryLeases } from '@mesos-elasticsearch/coordination/testing';
import { giveUpAtMs, guardDeadlineSeconds, leaseProblem } from '../core/lease-timing.ts';
import { keepLease } from './lease-keeper.ts';

const DURATION_MS = 8_000;

describe('a lease that is kept', () => {
  let leases: MemoryLeases;
  const said: string[] = [];
  const lease = leaseRecord({ nodeId: nodeId(1), epoch: epoch(1), durationMs: DURATION_MS, counter: 0 });

  beforeEach(async () => {
    vi.useFakeTimers({ now: 100_000 });
    said.length = 0;
    leases = new MemoryLeases();
    await leases.openEpoch(nodeId(1), epoch(1));
    await leases.take(lease);
  });
  afterEach(() => vi.useRealTimers());

  const keep = () =>
    keepLease({
      ...{ leases, lease, takenSentMs: Date.now() },
      clock: { nowMs: () => Date.now() },
      onExtended: (seconds) => said.push(`until ${String(seconds)}`),
      onClosed: () => said.push('closed'),
      onExpired: (why) => said.push(`expired: ${why}`),
    });

  it('is renewed four times per length, and each answer moves the guard’s deadline', async () => {
    const keeper = keep();
    expect(keeper.deadlineSeconds).toBe(106);
    await vi.advanceTimersByTimeAsync(DURATION_MS);
    expect(said).toEqual(['until 108', 'until 110', 'until 112', 'until 114']);
    expect(keeper.isFresh()).toBe(true);
    keeper.stop();
  });

  it('is given up before the guard’s deadline, counted from when the last answered renewal was sent', async () => {
    const keeper = keep();
    await vi.advanceTimersByTimeAsync(2_000);
    leases.renew = () => Promise.reject(new Error('disk gone'));
    await vi.advanceTimersByTimeAsync(5_400);
    expect(said).toEqual(['until 108']);
    expect(keeper.isFresh()).toBe(true);
    await vi.advanceTimersByTimeAsync(100);
    expect(said).toEqual(['until 108', 'expired: disk gone']);
    expect(keeper.isFresh()).toBe(false);
  });

  it('is given up as well when a renewal is never answered at all', async () => {
    keep();
    leases.renew = () => new Promise(() => undefined);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(said).toEqual(['expired: no answer from the lease service']);
  });

  it('ends at once when the scheduler has closed the epoch', async () => {
    keep();
    await leases.closeEpoch(nodeId(1), epoch(1));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(said).toEqual(['closed']);
  });

  it('can be given back after renewals of which nobody knows whether they arrived', async () => {
    const keeper = keep();
    const renew = leases.renew.bind(leases);
    leases.renew = async (record) => {
      await renew(record);
      throw new Error('answer lost');
    };
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await keeper.giveBack()).toBe('given-back');
  });
});

describe('the deadlines of a lease', () => {
  it.each([5_000, 8_500, 15_000, 60_001])(
    'for %i ms lie in order, before anyone may take over',
    (durationMs) => {
      for (const sentMs of [0, 1, 999, 123_456]) {
        const guardMs = guardDeadlineSeconds(sentMs, durationMs) * 1_000;
        expect(giveUpAtMs(sentMs, durationMs)).toBeLessThan(guardMs);
        expect(guardMs + 2_000).toBeLessThanOrEqual(sentMs + durationMs);
      }
    },
  );

  it('cannot be kept for leases that are too short', () => {
    expect(leaseProblem(4_999)).toContain('at least 5000');
    expect(leaseProblem(5_000)).toBeUndefined();
  });
});
