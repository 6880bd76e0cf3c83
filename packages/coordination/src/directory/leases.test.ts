import { epoch, nodeId, type LeaseRecord } from '@mesos-elasticsearch/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseUnavailableError, type LeaseService, type LeaseState } from '../lease-service.ts';
import { FakeFiles, systemError, type PowerLoss } from '../testing/fake-files.ts';
import { MemoryLeases } from '../testing/memory-leases.ts';
import { leaseRecord } from '../testing/records.ts';
import { directoryLeases } from './leases.ts';

const ROOT = '/shared';
const node = nodeId(1);
const first = epoch(1);
const HOLDERS = ['6a7f1a52-54a5-4cf2-8a8a-0a8f7a1f0001', '6a7f1a52-54a5-4cf2-8a8a-0a8f7a1f0002'] as const;

function leaseOf(holder: number, counter: number): LeaseRecord {
  return leaseRecord({ holder: HOLDERS[holder % 2]!, taskId: `task-${holder}`, counter });
}

async function openedEpoch(files = new FakeFiles()): Promise<LeaseService> {
  await files.makeDirectory(ROOT);
  const leases = directoryLeases(ROOT, files);
  await leases.openEpoch(node, first);
  return leases;
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

async function perform(leases: LeaseService, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'close':
      return leases.closeEpoch(node, first);
    case 'read':
      return leases.read(node, first);
    default:
      return leases[step.kind](leaseOf(step.holder, step.counter)).catch((error: unknown) =>
        error instanceof LeaseUnavailableError ? 'unavailable' : Promise.reject(error as Error),
      );
  }
}

describe('steps one after another', () => {
  it('are answered by the directory exactly as by the fake', () =>
    fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const fake = new MemoryLeases();
        await fake.openEpoch(node, first);
        const real = await openedEpoch();
        for (const step of sequence) {
          expect(await perform(real, step)).toEqual(await perform(fake, step));
        }
      }),
      { numRuns: 200 },
    ));
});

/** Two holders and two closers, each with a service of its own (as in processes of their own). */
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
  for (const closing of history.closed) {
    expect(closing.lease).toEqual(answer?.lease);
    for (const { begun } of [...history.taken, ...history.answered]) {
      expect(begun).toBeLessThan(closing.ended);
    }
  }
  expect(end).toEqual({ state: 'closed', lease: answer?.lease });
  if (history.taken.length > 0) expect(answer?.lease?.taskId).toBe(`task-${history.taken[0]!.holder}`);
  const last = Math.max(0, ...history.answered.map(({ lease }) => lease.counter));
  expect(answer?.lease?.counter ?? 0).toBeGreaterThanOrEqual(last);
}

describe('two holders and two closers whose file operations interleave in any order', () => {
  it('keep the contract: one taker, every answered renewal seen at closing, none begun after it', () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const files = new FakeFiles();
        await openedEpoch(files);
        files.before = (operation) => scheduler.schedule(Promise.resolve(), operation);
        const history: History = { taken: [], answered: [], closed: [], clock: 0 };
        const everyone = Promise.all([
          liveAsHolder(history, directoryLeases(ROOT, files), 0),
          liveAsHolder(history, directoryLeases(ROOT, files), 1),
          closeAsScheduler(history, directoryLeases(ROOT, files)),
          closeAsScheduler(history, directoryLeases(ROOT, files)),
        ]);
        await scheduler.waitFor(everyone);
        files.before = () => Promise.resolve();
        checkHistory(history, await directoryLeases(ROOT, files).read(node, first));
      }),
      { numRuns: 500 },
    ));
});

describe('a power loss', () => {
  it.each<PowerLoss>(['keeps-names', 'loses-names'])('(%s) takes back no answer', async (loss) => {
    const files = new FakeFiles();
    const leases = await openedEpoch(files);
    await leases.take(leaseOf(0, 0));
    await leases.renew(leaseOf(0, 1));
    const restarted = directoryLeases(ROOT, files.afterCrash(loss));
    expect(await restarted.read(node, first)).toEqual({ state: 'open', lease: leaseOf(0, 1) });

    await leases.closeEpoch(node, first);
    const again = directoryLeases(ROOT, files.afterCrash(loss));
    expect(await again.renew(leaseOf(0, 2))).toBe('closed');
    expect(await again.closeEpoch(node, first)).toEqual(leaseOf(0, 1));
  });

  it('in the middle of closing leaves an epoch that closes at the next attempt', async () => {
    for (let step = 1; step < 25; step += 1) {
      const files = new FakeFiles();
      const leases = await openedEpoch(files);
      await leases.take(leaseOf(0, 0));
      let seen = 0;
      files.before = () => ((seen += 1) === step ? Promise.reject(new Error('crash')) : Promise.resolve());
      await leases.closeEpoch(node, first).catch(() => undefined);
      const restarted = directoryLeases(ROOT, files.afterCrash('loses-names'));
      expect(await restarted.closeEpoch(node, first)).toEqual(leaseOf(0, 0));
      expect(await restarted.renew(leaseOf(0, 1))).toBe('closed');
    }
  });
});

describe('a directory that gives no certain answer', () => {
  it.each(['write', 'sync', 'rename', 'list', 'read'] as const)('rejects when %s fails', async (failing) => {
    const files = new FakeFiles();
    const leases = await openedEpoch(files);
    await leases.take(leaseOf(0, 0));
    files.before = (operation, path) =>
      operation === failing ? Promise.reject(systemError('EIO', path)) : Promise.resolve();
    await expect(leases.renew(leaseOf(0, 1))).rejects.toThrow(LeaseUnavailableError);
    files.before = () => Promise.resolve();
    expect(await leases.renew(leaseOf(0, 2))).toBe('renewed');
  });

  it('rejects, for everyone, a lease that cannot be understood', async () => {
    const files = new FakeFiles();
    const leases = await openedEpoch(files);
    await leases.take(leaseOf(0, 0));
    await files.write('/shared/leases/1/epoch-1/lease.json', '{"format":1');
    await expect(leases.read(node, first)).rejects.toThrow(/lease\.json cannot be understood/);
    await expect(leases.renew(leaseOf(0, 1))).rejects.toThrow(LeaseUnavailableError);
    await expect(leases.closeEpoch(node, first)).rejects.toThrow(LeaseUnavailableError);
  });

  it('does not take a missing mount for a closed or untaken epoch', async () => {
    const unmounted = directoryLeases('/elsewhere', new FakeFiles());
    await expect(unmounted.openEpoch(node, first)).rejects.toThrow(/make it once/);
    await expect(unmounted.renew(leaseOf(0, 1))).rejects.toThrow(/mounted/);
    await expect(unmounted.take(leaseOf(0, 0))).rejects.toThrow(LeaseUnavailableError);
    await expect(unmounted.read(node, first)).rejects.toThrow(LeaseUnavailableError);
    await expect(unmounted.closeEpoch(node, first)).rejects.toThrow(LeaseUnavailableError);
  });
});

describe('old epochs', () => {
  it('are removed once closed, but the last few; what was not closed stays', async () => {
    const files = new FakeFiles();
    const leases = await openedEpoch(files);
    for (let number = 1; number <= 9; number += 1) {
      await leases.openEpoch(node, epoch(number));
      if (number !== 2) await leases.closeEpoch(node, epoch(number));
    }
    expect([...(await files.list('/shared/leases/1'))].sort()).toEqual(
      [2, 4, 5, 6, 7, 8, 9].map((number) => `epoch-${number}`),
    );
    expect(await leases.take(leaseOf(0, 0))).toBe('refused');
    await expect(leases.closeEpoch(node, first)).rejects.toThrow(/past/);
  });
});
