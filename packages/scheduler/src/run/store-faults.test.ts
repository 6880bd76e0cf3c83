import { describe, expect, it } from 'vitest';
import { offerOf, Story } from '../testing/index.ts';

describe('a lease service that fails', () => {
  it('is asked again when no node is held, so that launches go on once it answers', async () => {
    const story = new Story({ cluster: { nodes: 1 } });
    await story.start();
    await story.untilRunning(1);
    for (const agent of story.master.agents.values()) agent.full = true;
    story.master.withdrawOffers();
    await story.master.taskOf(1).executor.stop('TASK_FAILED');
    await story.until('node 1 is vacant', () => story.phase(1) === 'vacant');
    await story.advance(1000);
    const step = { kind: 'read-leases', nodes: [] } as const;
    story.driving!.loop.dispatch({ kind: 'step-failed', step, service: 'leases', error: 'no answer (fake)' });
    for (const agent of story.master.agents.values()) agent.full = false;
    await story.untilRunning(1);
    await story.stop();
  });
});

describe('a ledger that fails', () => {
  it('lets nothing be launched, and declines offers by the name of the rule', async () => {
    const story = new Story();
    await story.start();
    await story.untilRunning(1, 2, 3);
    const accepts = story.master.callsOf('ACCEPT').length;
    story.ledger!.writeNode = () => Promise.reject(new Error('disk full'));
    await story.master.taskOf(1).executor.stop('TASK_FAILED');
    await story.advance(30_000);
    expect(story.phase(1)).toBe('running');
    expect(story.master.callsOf('ACCEPT')).toHaveLength(accepts);
    story.master.send({ type: 'OFFERS', offers: { offers: [offerOf('late', 'agent-4')] } });
    await story.advance(0);
    const declined = story.driving!.loop.model().lastOutcomes[0];
    expect(declined?.children[0]).toMatchObject({ rule: 'store-answers', pass: false, reason: 'disk full' });
    await story.stop();
  });

  it('is read again before anything is done with a write whose outcome is unknown', async () => {
    const story = new Story();
    await story.start();
    await story.untilRunning(1, 2, 3);
    story.ledger!.faults.next('writeNode', { kind: 'no-answer' });
    await story.master.taskOf(1).executor.stop('TASK_FAILED');
    await story.until(
      'node 1 runs in epoch 2',
      () => story.record(1)?.epoch === 2 && story.phase(1) === 'running',
    );
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('keeps an assignment whose write went through unheard', async () => {
    const story = new Story({ cluster: { nodes: 1 } });
    await story.start();
    story.ledger!.faults.next('writeNode', { kind: 'no-answer' });
    await story.untilRunning(1);
    expect(story.record(1)?.epoch).toBe(1);
    expect(story.master.callsOf('ACCEPT')).toHaveLength(1);
    await story.stop();
  });

  it('delays the acknowledgement until the record is durable', async () => {
    const story = new Story();
    await story.start();
    await story.untilRunning(1, 2, 3);
    const writeNode = story.ledger!.writeNode.bind(story.ledger);
    let acksAtWrite = -1;
    story.ledger!.writeNode = (record, expected) => {
      if (acksAtWrite < 0) acksAtWrite = story.master.callsOf('ACKNOWLEDGE').length;
      return writeNode(record, expected);
    };
    await story.advance(5000);
    const before = story.master.callsOf('ACKNOWLEDGE').length;
    await story.master.taskOf(1).executor.stop('TASK_FAILED');
    await story.until('the end is acknowledged', () => story.master.callsOf('ACKNOWLEDGE').length > before);
    expect(acksAtWrite).toBe(before);
    await story.stop();
  });
});

describe('a lease service that fails', () => {
  it('moves no node, however long it stays silent', async () => {
    const story = new Story();
    await story.start();
    await story.untilRunning(1, 2, 3);
    const read = story.leases.read.bind(story.leases);
    const down = () => Promise.reject(new Error('the lease directory is gone'));
    story.leases.read = down;
    story.master.killMachine(story.record(2)!.holder!.host);
    await story.advance(120_000);
    expect(story.record(2)).toMatchObject({ phase: 'running', epoch: 1 });
    story.leases.read = read;
    await story.until(
      'node 2 runs elsewhere',
      () => story.record(2)?.epoch === 2 && story.phase(2) === 'running',
    );
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('holds a launch back until the epoch is open', async () => {
    const story = new Story({ cluster: { nodes: 1 } });
    await story.start();
    story.leases.faults.next('openEpoch', { kind: 'fail' });
    await story.untilRunning(1);
    expect(story.master.callsOf('ACCEPT')).toHaveLength(1);
    await story.stop();
  });
});
