import { epoch, nodeId, type Epoch, type LeaseRecord, type NodeId } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { LeaseUnavailableError, type LeaseService } from '../lease-service.ts';
import { leaseRecord } from './records.ts';

const node = nodeId(1);
const first = epoch(1);
const later = (counter: number): LeaseRecord => leaseRecord({ counter });
const rival = leaseRecord({ holder: '6a7f1a52-54a5-4cf2-8a8a-0a8f7a1f0002', taskId: 'task-2' });

/** Where leases are bound to node records: writes the record that assigns the node to the task. */
export type Assign = (nodeId: NodeId, epoch: Epoch, taskId: string) => Promise<void>;
interface Subject {
  readonly leases: LeaseService;
  readonly assign: Assign;
}

/**
 * What every form of {@link LeaseService} does. `make` gives a service that has seen nothing yet, and `assign` where a
 * lease can only be taken by whom the node's record names.
 */
export function leaseServiceContract(
  name: string,
  makeSubject: () => Promise<{ readonly leases: LeaseService; readonly assign?: Assign }>,
): void {
  const make = async (): Promise<Subject> => {
    const { leases, assign = () => Promise.resolve() } = await makeSubject();
    await assign(node, first, later(0).taskId);
    return { leases, assign };
  };
  describe(`${name} keeps the contract of leases`, () => {
    takingIsExclusive(make);
    closingIsFinal(make);
    givingBackIsProof(make);
  });
}

function takingIsExclusive(make: () => Promise<Subject>): void {
  it('knows nothing of an epoch that was never opened, and refuses its lease', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    expect(await leases.read(node, epoch(2))).toEqual({ state: 'absent' });
    expect(await leases.take(leaseRecord({ epoch: epoch(2) }))).toBe('refused');
  });

  it('gives the lease to the first taker and to nobody else', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    expect(await leases.read(node, first)).toEqual({ state: 'open', lease: undefined });
    expect(await leases.take(later(0))).toBe('taken');
    expect(await leases.take(rival)).toBe('refused');
    expect(await leases.read(node, first)).toEqual({ state: 'open', lease: later(0) });
  });

  it('lets exactly one of several takers that race have it', async () => {
    const { leases, assign } = await make();
    await assign(node, first, 'task-3');
    await leases.openEpoch(node, first);
    const takers = Array.from({ length: 8 }, (_, index) =>
      leaseRecord({ holder: `6a7f1a52-54a5-4cf2-8a8a-0a8f7a1f000${index}`, taskId: `task-${index}` }),
    );
    const answers = await Promise.all(takers.map((lease) => leases.take(lease)));
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1);
    const winner = takers[answers.indexOf('taken')];
    expect(await leases.read(node, first)).toEqual({ state: 'open', lease: winner });
  });

  it('answers the holder that asks again after a lost answer as it did before', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    await leases.take(later(0));
    expect(await leases.take(later(0))).toBe('taken');
    await leases.renew(later(1));
    expect(await leases.renew(later(1))).toBe('renewed');
    expect(await leases.read(node, first)).toEqual({ state: 'open', lease: later(1) });
  });

  it('renews for the holder only, and never backwards', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    expect(await leases.renew(later(1))).toBe('closed');
    await leases.take(later(0));
    expect(await leases.renew({ ...rival, counter: 7 })).toBe('closed');
    expect(await leases.giveBack({ ...rival, counter: 7 })).toBe('closed');
    expect(await leases.renew(later(5))).toBe('renewed');
    await expect(leases.renew(later(4))).rejects.toThrow(LeaseUnavailableError);
    expect(await leases.read(node, first)).toEqual({ state: 'open', lease: later(5) });
  });

  it('keeps nodes and epochs apart', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    await leases.openEpoch(nodeId(11), first);
    await leases.take(later(0));
    expect(await leases.read(nodeId(11), first)).toEqual({ state: 'open', lease: undefined });
    await leases.closeEpoch(nodeId(11), first);
    expect(await leases.renew(later(1))).toBe('renewed');
  });
}

function closingIsFinal(make: () => Promise<Subject>): void {
  it('says of an epoch nobody took that nobody took it, and refuses every later taker', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    expect(await leases.closeEpoch(node, first)).toBeUndefined();
    expect(await leases.take(later(0))).toBe('refused');
    expect(await leases.closeEpoch(node, first)).toBeUndefined();
    expect(await leases.read(node, first)).toEqual({ state: 'closed', lease: undefined });
  });

  it('returns the last renewal at closing, and changes nothing afterwards', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    await leases.take(later(0));
    await leases.renew(later(1));
    expect(await leases.closeEpoch(node, first)).toEqual(later(1));
    expect(await leases.renew(later(2))).toBe('closed');
    expect(await leases.giveBack(later(2))).toBe('closed');
    expect(await leases.take(later(0))).toBe('refused');
    expect(await leases.closeEpoch(node, first)).toEqual(later(1));
    expect(await leases.read(node, first)).toEqual({ state: 'closed', lease: later(1) });
  });

  it('does not open a closed or a past epoch again; opening an open one changes nothing', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    await leases.take(later(0));
    await leases.openEpoch(node, first);
    expect(await leases.read(node, first)).toEqual({ state: 'open', lease: later(0) });
    await leases.closeEpoch(node, first);
    await expect(leases.openEpoch(node, first)).rejects.toThrow(LeaseUnavailableError);
    await leases.openEpoch(node, epoch(3));
    await expect(leases.openEpoch(node, epoch(2))).rejects.toThrow(LeaseUnavailableError);
  });

  it('closes an epoch that was never opened for good', async () => {
    const { leases } = await make();
    await leases.openEpoch(nodeId(2), first);
    expect(await leases.closeEpoch(node, first)).toBeUndefined();
    await expect(leases.openEpoch(node, first)).rejects.toThrow(LeaseUnavailableError);
    expect(await leases.take(later(0))).toBe('refused');
  });

  it('closes once for many that close at the same time, a taker included', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    const [answer, ...closings] = await Promise.all([
      leases.take(later(0)),
      leases.closeEpoch(node, first),
      leases.closeEpoch(node, first),
    ]);
    const expected = answer === 'taken' ? later(0) : undefined;
    expect(closings).toEqual([expected, expected]);
  });
}

function givingBackIsProof(make: () => Promise<Subject>): void {
  it('shows a lease that was given back, which is renewed no more', async () => {
    const { leases } = await make();
    await leases.openEpoch(node, first);
    await leases.take(later(0));
    expect(await leases.giveBack(later(1))).toBe('given-back');
    expect(await leases.giveBack(later(1))).toBe('given-back');
    expect(await leases.read(node, first)).toEqual({ state: 'given-back', lease: later(1) });
    expect(await leases.renew(later(2))).toBe('closed');
    expect(await leases.take(later(0))).toBe('refused');
    expect(await leases.closeEpoch(node, first)).toEqual(later(1));
  });

  it('frees the node for the next epoch', async () => {
    const { leases, assign } = await make();
    await leases.openEpoch(node, first);
    await leases.take(later(0));
    await leases.giveBack(later(1));
    await leases.closeEpoch(node, first);
    await assign(node, epoch(2), rival.taskId);
    await leases.openEpoch(node, epoch(2));
    expect(await leases.take({ ...rival, epoch: epoch(2) })).toBe('taken');
    expect(await leases.renew(later(2))).toBe('closed');
  });
}
