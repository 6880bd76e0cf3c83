import { epoch, nodeId, type LeaseRecord } from '@mesos-elasticsearch/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseUnavailableError, type LeaseService, type LeaseState } from '../lease-service.ts';
import { FakeZooKeeper } from '../testing/fake-zookeeper.ts';
import { MemoryLeases } from '../testing/memory-leases.ts';
import { leaseRecord } from '../testing/records.ts';
import { Assignments, lead } from '../testing/zookeeper-place.ts';
import type { Leadership } from './election.ts';
import { leasesIn, zookeeperLeasesOf } from './leases.ts';

const ROOT = '/mesos-elasticsearch/elasticsearch/mesos-ha';
const node = nodeId(1);
const first = epoch(1);
const second = epoch(2);
const HOLDERS = ['6a7f1a52-54a5-4cf2-8a8a-0a8f7a1f0001', '6a7f1a52-54a5-4cf2-8a8a-0a8f7a1f0002'] as const;

/** Two executor processes of one task: the record alone does not decide between them. */
function leaseOf(holder: number, counter: number): LeaseRecord {
  return leaseRecord({ holder: HOLDERS[holder % 2]!, counter });
}

interface World {
  readonly server: FakeZooKeeper;
  readonly leadership: Leadership;
  readonly assignments: Assignments;
  readonly scheduler: LeaseService;
  /** A service of its own, as in a process of its own. */
  readonly executor: () => LeaseService;
}

/** Node 1 is assigned to task-1 in epoch 1, which is open. */
async function world(): Promise<World> {
  const server = new FakeZooKeeper();
  const leadership = await lead({ connect: () => server.client(), root: ROOT });
  const assignments = await Assignments.of(leadership);
  await assignments.assign(node, first, 'task-1');
  const scheduler = zookeeperLeasesOf(leadership);
  await scheduler.openEpoch(node, first);
  const executor = () => leasesIn({ zookeeper: server.client(), root: ROOT });
  return { server, leadership, assignments, scheduler, executor };
}

type Step =
  | { readonly kind: 'take' | 'renew' | 'giveBack'; readonly holder: number; readonly counter: number }
  | { readonly kind: 'close' | 'read' };
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('take' as const, 'renew' as const, 'giveBack' as const),
      holder: fc.nat({ max: 1 }),
      counter: fc.nat({ max: 5 }),
    }),
    fc.record({ kind: fc.constantFrom('close' as const, 'read' as const) }),
  ),
  { maxLength: 12 },
);

async function perform(scheduler: LeaseService, holder: LeaseService, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'close':
      return scheduler.closeEpoch(node, first);
    case 'read':
      return holder.read(node, first);
    default:
      return holder[step.kind](leaseOf(step.holder, step.counter)).catch((error: unknown) =>
        error instanceof LeaseUnavailableError ? 'unavailable' : Promise.reject(error as Error),
      );
  }
}

describe('steps one after another', () => {
  it('are answered by ZooKeeper exactly as by the fake', () =>
    fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const fake = new MemoryLeases();
        await fake.openEpoch(node, first);
        const { scheduler, executor } = await world();
        const holder = executor();
        for (const step of sequence) {
          expect(await perform(scheduler, holder, step)).toEqual(await perform(fake, fake, step));
        }
      }),
      { numRuns: 200 },
    ));
});

interface History {
  readonly taken: { readonly holder: number; readonly begun: number }[];
  readonly answered: { readonly lease: LeaseRecord; readonly begun: number }[];
  readonly closed: { readonly lease: LeaseRecord | undefined; readonly ended: number }[];
  clock: number;
}

async function liveAsHolder(history: History, leases: LeaseService, holder: number): Promise<void> {
  const begun = (history.clock += 1);
  if ((await leases.take(leaseOf(holder, 0))) !== 'taken') return;
  history.taken.push({ holder, begun });
  for (let counter = 1; counter <= 3; counter += 1) {
    const lease = leaseOf(holder, counter);
    const renewalBegun = (history.clock += 1);
    const answer = counter === 3 ? await leases.giveBack(lease) : await leases.renew(lease);
    if (answer === 'closed') return;
    history.answered.push({ lease, begun: renewalBegun });
  }
}

async function closeAsScheduler(history: History, leases: LeaseService): Promise<void> {
  const lease = await leases.closeEpoch(node, first);
  history.closed.push({ lease, ended: (history.clock += 1) });
}

function checkHistory(history: History, end: LeaseState): void {
  expect(history.taken.length).toBeLessThanOrEqual(1);
  const [answer] = history.closed;
  expect(history.closed).toHaveLength(2);
  for (const closing of history.closed) {
    expect(closing.lease).toEqual(answer?.lease);
    for (const { begun } of [...history.taken, ...history.answered]) {
      expect(begun).toBeLessThan(closing.ended);
    }
  }
  expect(end).toEqual({ state: 'closed', lease: answer?.lease });
  if (history.taken.length > 0) expect(answer?.lease?.holder).toBe(HOLDERS[history.taken[0]!.holder]);
  const last = Math.max(0, ...history.answered.map(({ lease }) => lease.counter));
  expect(answer?.lease?.counter ?? 0).toBeGreaterThanOrEqual(last);
}

/** Requests whose answers get lost, among those of the run; the request itself may have been carried out or not. */
const losses = fc.array(fc.constantFrom('fail' as const, 'no-answer' as const), { maxLength: 6 });

describe('two holders and two closers whose requests interleave in any order, some without an answer', () => {
  it('keep the contract: one taker, every answered renewal seen at closing, none begun after it', () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), losses, async (order, lost) => {
        const { server, scheduler, executor, leadership } = await world();
        for (const kind of lost) server.faults.next('transact', { kind });
        server.before = (operation) => order.schedule(Promise.resolve(), operation);
        const history: History = { taken: [], answered: [], closed: [], clock: 0 };
        const everyone = Promise.all([
          liveAsHolder(history, executor(), 0),
          liveAsHolder(history, executor(), 1),
          closeAsScheduler(history, scheduler),
          closeAsScheduler(history, zookeeperLeasesOf(leadership)),
        ]);
        await order.waitFor(everyone);
        server.before = () => Promise.resolve();
        checkHistory(history, await executor().read(node, first));
      }),
      { numRuns: 150 },
    ));
});

describe('a takeover', () => {
  it('that has written the next epoch into the record keeps out every launch that has not taken its lease', () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), async (order) => {
        const { server, assignments, scheduler, executor } = await world();
        server.before = (operation) => order.schedule(Promise.resolve(), operation);
        let isOver = false;
        let takenAfter = false;
        const late = async () => {
          const leases = executor();
          for (let attempt = 0; attempt < 4; attempt += 1) {
            const begunAfter = isOver;
            if ((await leases.take(leaseOf(0, 0))) === 'taken') takenAfter ||= begunAfter;
            else return;
          }
        };
        const takeover = async () => {
          await assignments.assign(node, second, 'task-2');
          isOver = true;
          const seen = await scheduler.closeEpoch(node, first);
          // Whoever was let in is seen, and nobody else ever will be.
          return { seen, again: await scheduler.read(node, first) };
        };
        const [, { seen, again }] = await order.waitFor(Promise.all([late(), takeover()]));
        expect(again).toEqual({ state: 'closed', lease: seen });
        if (seen === undefined) expect(takenAfter).toBe(false);
      }),
      { numRuns: 150 },
    ));

  it('leaves a launch without its lease even before the old epoch is closed', async () => {
    const { assignments, executor } = await world();
    await assignments.assign(node, second, 'task-2');
    expect(await executor().take(leaseOf(0, 0))).toBe('refused');
  });

  it('between the reading of the record and the taking is seen in the transaction', async () => {
    const { server, assignments, executor } = await world();
    server.before = async (operation) => {
      if (operation !== 'transact') return;
      server.before = () => Promise.resolve();
      await assignments.assign(node, second, 'task-2');
    };
    expect(await executor().take(leaseOf(0, 0))).toBe('refused');
  });

  it('is not what another change of the record is: then the lease is taken all the same', async () => {
    const { server, assignments, executor } = await world();
    server.before = async (operation) => {
      if (operation !== 'transact') return;
      server.before = () => Promise.resolve();
      await assignments.assign(node, first, 'task-1', 'another reason');
    };
    expect(await executor().take(leaseOf(0, 0))).toBe('taken');
  });
});

describe('an answer that got lost', () => {
  it.each(['take', 'renew', 'giveBack'] as const)('to %s is found by reading', async (kind) => {
    const { server, executor } = await world();
    const leases = executor();
    if (kind !== 'take') await leases.take(leaseOf(0, 0));
    server.faults.next('transact', { kind: 'no-answer' });
    server.faults.next('read', { kind: 'fail' });
    const answers = { take: 'taken', renew: 'renewed', giveBack: 'given-back' };
    expect(await leases[kind](leaseOf(0, kind === 'take' ? 0 : 1))).toBe(answers[kind]);
  });

  it('to the opening or the closing of an epoch is found by reading', async () => {
    const { server, scheduler, assignments, executor } = await world();
    server.faults.next('transact', { kind: 'no-answer' });
    await scheduler.closeEpoch(node, first);
    await assignments.assign(node, second, 'task-1');
    server.faults.next('transact', { kind: 'no-answer' });
    await scheduler.openEpoch(node, second);
    expect(await executor().take(leaseRecord({ epoch: second }))).toBe('taken');
  });

  it('again and again ends in time, as no answer at all', async () => {
    const { server, executor } = await world();
    const leases = executor();
    const short = leaseRecord({ durationMs: 400 });
    await leases.take(short);
    for (let each = 0; each < 100; each += 1) server.faults.next('sync', { kind: 'fail' });
    const begun = performance.now();
    await expect(leases.renew({ ...short, counter: 1 })).rejects.toThrow(LeaseUnavailableError);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

describe('a deposed scheduler', () => {
  it('opens and closes nothing', async () => {
    const { server, scheduler, executor } = await world();
    const [old] = server.clients;
    const next = lead({ connect: () => server.client(), root: ROOT });
    // It is frozen: it hears of nothing.
    old!.watches.fire = () => undefined;
    old!.expire();
    await next;
    await expect(scheduler.closeEpoch(node, first)).rejects.toThrow(/reign 1 is over/);
    await expect(scheduler.openEpoch(nodeId(2), first)).rejects.toThrow(LeaseUnavailableError);
    expect(await executor().take(leaseOf(0, 0))).toBe('taken');
  });
});

describe('a ZooKeeper that lost everything', () => {
  it('is not taken for closed or untaken epochs', async () => {
    const { server, executor } = await world();
    const leases = executor();
    const short = leaseRecord({ durationMs: 400 });
    await leases.take(short);
    server.wipe();
    await expect(leases.renew({ ...short, counter: 1 })).rejects.toThrow(/knows nothing of these leases/);
    await expect(leases.take(short)).rejects.toThrow(LeaseUnavailableError);
    await expect(leases.read(node, first)).rejects.toThrow(LeaseUnavailableError);
  });

  it('rejects a lease that cannot be understood', async () => {
    const { server, executor, scheduler } = await world();
    const path = `${ROOT}/leases/1/1/lease`;
    await server.client().transact([{ kind: 'set', path, data: '{"format":1', version: -1 }]);
    await expect(executor().take(leaseOf(0, 0))).rejects.toThrow(/lease cannot be understood/);
    await expect(scheduler.closeEpoch(node, first)).rejects.toThrow(LeaseUnavailableError);
  });
});

describe('old epochs', () => {
  it('are removed once closed, but the last few; what was not closed stays', async () => {
    const { server, scheduler, executor } = await world();
    for (let number = 1; number <= 9; number += 1) {
      await scheduler.openEpoch(node, epoch(number));
      if (number !== 2) await scheduler.closeEpoch(node, epoch(number));
    }
    const names = server.childrenOf(`${ROOT}/leases/1`).map(Number);
    expect(names.sort((a, b) => a - b)).toEqual([2, 4, 5, 6, 7, 8, 9]);
    expect(await executor().take(leaseOf(0, 0))).toBe('refused');
    await expect(scheduler.closeEpoch(node, first)).rejects.toThrow(/past/);
  });

  it('are opened and closed by schedulers only', async () => {
    const { executor } = await world();
    await expect(executor().openEpoch(node, second)).rejects.toThrow(/leading scheduler only/);
    await expect(executor().closeEpoch(node, first)).rejects.toThrow(/leading scheduler only/);
  });
});
