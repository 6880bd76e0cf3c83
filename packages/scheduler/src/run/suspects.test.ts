import { describe, expect, it } from 'vitest';
import { Story } from '../testing/index.ts';
import type { DesiredChanges } from '../testing/index.ts';

async function running(changes: DesiredChanges = {}): Promise<Story> {
  const story = new Story(changes);
  await story.start();
  await story.untilRunning(1, 2, 3);
  return story;
}

const holderOf = (story: Story, node: number) => story.record(node)?.holder?.host ?? 'none';

describe('a dead machine', () => {
  it('loses its node to another agent once the lease has run out, before Mesos notices', async () => {
    const story = await running();
    const lost = holderOf(story, 2);
    story.master.killMachine(lost);
    await story.advance(14_000);
    expect(story.record(2)).toMatchObject({ phase: 'running', epoch: 1 });
    await story.until(
      'node 2 runs again',
      () => story.phase(2) === 'running' && story.record(2)?.epoch === 2,
    );
    expect(holderOf(story, 2)).not.toBe(lost);
    expect(story.progressOf(2).slice(-5)).toEqual(['suspect', 'released', 'assigned', 'launched', 'running']);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('has its epoch closed before the next one is recorded', async () => {
    const story = await running();
    const order: string[] = [];
    const closeEpoch = story.leases.closeEpoch.bind(story.leases);
    story.leases.closeEpoch = (node, epoch) => {
      order.push(`close ${node} ${epoch}`);
      return closeEpoch(node, epoch);
    };
    const writeNode = story.ledger!.writeNode.bind(story.ledger);
    story.ledger!.writeNode = (record, expected) => {
      order.push(`write ${record.nodeId} ${record.phase} ${record.epoch}`);
      return writeNode(record, expected);
    };
    story.master.killMachine(holderOf(story, 1));
    await story.until(
      'node 1 runs again',
      () => story.record(1)?.epoch === 2 && story.phase(1) === 'running',
    );
    expect(order).toEqual([
      'write 1 suspect 1',
      'close 1 1',
      'write 1 vacant 1',
      'write 1 assigned 2',
      'write 1 running 2',
    ]);
    await story.stop();
  });

  it('keeps its node for ever under the policy "wait", and says so', async () => {
    const story = await running({ suspects: { policy: 'wait' } });
    const lost = holderOf(story, 2);
    story.master.killMachine(lost);
    story.master.declareUnreachable(lost);
    await story.advance(600_000);
    expect(story.record(2)).toMatchObject({ phase: 'suspect', epoch: 1 });
    expect(story.waitsOf(2)).toEqual(['suspect-policy-wait']);
    expect(story.master.tasksOf(2)).toHaveLength(1);
    expect(story.record(4)).toBeUndefined();
    await story.stop();
  });

  it("gives its node up on an operator's word, and its task is killed when it comes back", async () => {
    const story = await running({ suspects: { policy: 'wait' } });
    const lost = holderOf(story, 2);
    const old = story.master.taskOf(2);
    story.master.killMachine(lost);
    story.master.declareUnreachable(lost);
    await story.until('node 2 is suspect', () => story.phase(2) === 'suspect');
    story.driving!.loop.dispatch({ kind: 'operator-release', nodeId: story.record(2)!.nodeId, epoch: 1 });
    await story.until(
      'node 2 runs again',
      () => story.record(2)?.epoch === 2 && story.phase(2) === 'running',
    );
    story.master.heal(lost, { saysSo: true });
    await story.advance(0);
    expect(story.master.callsOf('KILL').map((call) => call.kill.taskId)).toContain(old.task.taskId);
    await story.stop();
  });
});

describe('a partitioned agent', () => {
  it.each([
    ['and says that the task is back', true],
    ['and says nothing of itself, as before 1.5', false],
  ])('keeps its node for as long as its executor renews; Mesos heals %s', async (_how, saysSo) => {
    const story = await running();
    const cut = holderOf(story, 2);
    story.master.partition(cut);
    story.master.declareUnreachable(cut);
    await story.advance(600_000);
    expect(story.record(2)).toMatchObject({ phase: 'suspect', epoch: 1 });
    expect(story.waitsOf(2)).toEqual(['lease-not-expired']);
    expect(story.master.tasksOf(2)).toHaveLength(1);

    story.master.heal(cut, { saysSo });
    await story.until('node 2 is running again', () => story.phase(2) === 'running');
    expect(story.record(2)).toMatchObject({ epoch: 1, holder: { host: cut } });
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('gives its node up when its executor ends and gives the lease back unseen', async () => {
    const story = await running();
    const cut = holderOf(story, 2);
    story.master.partition(cut);
    story.master.declareUnreachable(cut);
    await story.until('node 2 is suspect', () => story.phase(2) === 'suspect');
    await story.master.taskOf(2).executor.stop('TASK_FAILED', 'the disk is full');
    await story.until(
      'node 2 runs elsewhere',
      () => story.record(2)?.epoch === 2 && story.phase(2) === 'running',
    );
    expect(holderOf(story, 2)).not.toBe(cut);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });
});

describe('LOST', () => {
  it('makes a node suspect and launches no second one', async () => {
    const story = await running();
    story.master.sendAsMaster(story.master.taskOf(3).task.taskId, 'TASK_LOST', 'REASON_AGENT_REMOVED');
    await story.until('node 3 is suspect', () => story.phase(3) === 'suspect');
    await story.advance(60_000);
    expect(story.master.tasksOf(3)).toHaveLength(1);
    expect(story.master.tasks.size).toBe(3);
    await story.stop();
  });
});

describe('an executor that was killed', () => {
  it('leaves volumes mounted: the node returns to the same agent at once', async () => {
    const story = await running();
    const home = holderOf(story, 2);
    story.master.killExecutor(story.master.taskOf(2));
    await story.until(
      'node 2 runs again',
      () => story.record(2)?.epoch === 2 && story.phase(2) === 'running',
      6000,
    );
    expect(holderOf(story, 2)).toBe(home);
    expect(story.progressOf(2)).toContain('releasing');
    await story.stop();
  });

  it('stays there under the policy "wait" although its agent is lost: nobody saw an unmount', async () => {
    const story = await running({ suspects: { policy: 'wait' } });
    const entry = story.master.taskOf(2);
    story.master.killExecutor(entry);
    entry.agent.full = true;
    story.master.withdrawOffers();
    await story.until('node 2 is releasing', () => story.phase(2) === 'releasing');
    story.master.killMachine(entry.agent.name);
    story.master.declareUnreachable(entry.agent.name);
    await story.advance(600_000);
    expect(story.phase(2)).toBe('releasing');
    expect(story.record(2)?.epoch).toBe(1);
    await story.stop();
  });

  it('waits for that agent, and says for what, until the lease has run out', async () => {
    const story = await running();
    const entry = story.master.taskOf(2);
    const home = holderOf(story, 2);
    story.master.killExecutor(entry);
    entry.agent.full = true;
    story.master.withdrawOffers();
    await story.advance(4000);
    expect(story.phase(2)).toBe('releasing');
    const failed = JSON.stringify(story.driving!.loop.model().lastOutcomes);
    expect(failed).toContain(`the volumes may still be mounted on ${home}`);
    await story.until(
      'node 2 runs elsewhere',
      () => story.record(2)?.epoch === 2 && story.phase(2) === 'running',
    );
    expect(holderOf(story, 2)).not.toBe(home);
    await story.stop();
  });
});

describe('a lease service that has lost its leases', () => {
  it('frees no node that has run: a lease that is gone is not one that was never taken', async () => {
    const story = await running();
    const lost = holderOf(story, 2);
    const read = story.leases.read.bind(story.leases);
    story.leases.read = (node, epoch) =>
      node === 2 ? Promise.resolve({ state: 'absent' }) : read(node, epoch);
    story.leases.closeEpoch = () => Promise.resolve(undefined);
    story.master.partition(lost);
    story.master.declareUnreachable(lost);
    await story.advance(300_000);
    expect(story.record(2)).toMatchObject({ phase: 'suspect', epoch: 1 });
    expect(story.waitsOf(2)).toEqual(['lease-lost']);
    story.driving!.loop.dispatch({ kind: 'operator-release', nodeId: story.record(2)!.nodeId, epoch: 1 });
    await story.until('node 2 is free', () => story.record(2)!.epoch === 2);
    await story.stop();
  });
});

describe('a lease that was never taken', () => {
  it('frees the node at once when Mesos does not know the task', async () => {
    const story = new Story();
    story.leases.faults.next('take', { kind: 'delay', until: new Promise(() => undefined) });
    await story.start();
    await story.untilRunning(2, 3);
    expect(story.phase(1)).toBe('assigned');
    const stuck = story.master.taskOf(1).agent;
    story.master.partition(stuck.name);
    story.master.declareUnreachable(stuck.name);
    await story.until('node 1 runs elsewhere', () => story.phase(1) === 'running', 5000);
    expect(story.record(1)).toMatchObject({ epoch: 2 });
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });
});
