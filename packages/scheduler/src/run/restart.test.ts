import { LedgerError } from '@mesos-elasticsearch/coordination';
import { describe, expect, it } from 'vitest';
import { Story } from '../testing/index.ts';

async function running(): Promise<Story> {
  const story = new Story();
  await story.start();
  await story.untilRunning(1, 2, 3);
  return story;
}

/** Many whole stories in one test. */
const LONG = 60_000;

describe('a scheduler that stops and starts again', () => {
  it('leaves the tasks running and finds them again', async () => {
    const story = await running();
    const tasks = [...story.master.tasks.keys()];
    await story.stop();
    await story.advance(60_000);
    expect(story.master.callsOf('KILL')).toEqual([]);
    await story.start();
    await story.advance(60_000);
    expect([...story.master.tasks.keys()]).toEqual(tasks);
    expect([1, 2, 3].map((node) => story.record(node)?.epoch)).toEqual([1, 1, 1]);
    expect(story.disk.framework?.record.frameworkId).toBe('framework-1');
    expect(story.master.callsOf('KILL')).toEqual([]);
    await story.stop();
  });

  it('asks for each task with its agent, and for tasks that no record knows', async () => {
    const story = await running();
    await story.stop();
    story.master.calls.length = 0;
    await story.start();
    await story.advance(0);
    const asked = story.master.callsOf('RECONCILE').map((call) => call.reconcile.tasks ?? []);
    expect(asked[0]?.map((task) => task.agentId).sort()).toEqual(
      [1, 2, 3].map((node) => story.record(node)?.holder?.agentId).sort(),
    );
    expect(asked[1]).toEqual([]);
    await story.stop();
  });

  it('kills a task of its own that no record knows', async () => {
    const story = await running();
    story.master.sendAsMaster('elasticsearch-9-1-abcdef', 'TASK_RUNNING', 'REASON_RECONCILIATION');
    await story.advance(0);
    expect(story.master.callsOf('KILL').map((call) => call.kill.taskId)).toEqual([
      'elasticsearch-9-1-abcdef',
    ]);
    expect(story.progress.map((event) => event.kind)).toContain('unknown-task-killed');
    await story.stop();
  });

  it('repairs what a crash left at any point of a launch', { timeout: LONG }, async () => {
    for (let operations = 1; operations < 50; operations += 1) {
      const story = new Story();
      await story.start(operations);
      await story.advance(1000);
      if (!story.crashed) await story.advance(4000);
      story.crash();
      await story.start();
      await story.untilRunning(1, 2, 3);
      expect(story.master.holders.violations, `crash after ${operations} operations`).toEqual([]);
      expect(story.record(4)).toBeUndefined();
      await story.stop();
    }
  });

  it('repairs what a crash left at any point of a takeover', { timeout: LONG }, async () => {
    for (let operations = 14; operations < 46; operations += 1) {
      const story = await running();
      const lost = story.record(2)!.holder!.host;
      await story.stop();
      story.master.killMachine(lost);
      await story.start(operations);
      await story.advance(25_000);
      story.crash();
      await story.start();
      await story.until(
        'node 2 runs elsewhere',
        () => story.phase(2) === 'running' && story.record(2)!.epoch > 1,
      );
      await story.untilRunning(1, 3);
      expect(story.master.holders.violations, `crash after ${operations} operations`).toEqual([]);
      expect(story.record(2)?.holder?.host).not.toBe(lost);
      await story.stop();
    }
  });
});

describe('a scheduler that was deposed', () => {
  it('stops at the first write that another leader forbids, and kills nothing', async () => {
    const story = await running();
    const deposed = new LedgerError('deposed', 'another scheduler leads');
    story.ledger!.faults.next('writeNode', { kind: 'fail', error: deposed });
    await story.master.taskOf(1).executor.stop('TASK_FAILED');
    const reason = await story.driving!.ended;
    expect(reason).toMatchObject({ kind: 'replaced', message: 'another scheduler leads' });
    expect(story.master.callsOf('KILL')).toEqual([]);
    expect(story.master.tasksOf(1)).toHaveLength(1);
    await story.ledger!.close();
  });
});

describe('a task that no record knows', () => {
  it("is not killed by a scheduler that does not lead any more: it may be the next one's", async () => {
    const story = await running();
    story.ledger!.faults.next('load', { kind: 'fail', error: new LedgerError('deposed', 'another leads') });
    story.master.sendAsMaster('elasticsearch-1-7-abcdef', 'TASK_RUNNING', 'REASON_RECONCILIATION');
    expect(await story.driving!.ended).toMatchObject({ kind: 'replaced' });
    expect(story.master.callsOf('KILL')).toEqual([]);
    await story.ledger!.close();
  });
});

describe('a subscription that ends', () => {
  it('by another scheduler: this one stops and does not come back', async () => {
    const story = await running();
    story.master.replaceScheduler();
    const reason = await story.driving!.ended;
    expect(reason).toMatchObject({ kind: 'replaced' });
    expect(story.master.callsOf('KILL')).toEqual([]);
    await story.ledger!.close();
  });

  it('by removal: every node is suspect, and a new framework takes them over on proof', async () => {
    const story = await running();
    const identity = story.disk.framework?.record.clusterIdentity;
    story.master.removeFramework();
    await story.until(
      'all are suspect',
      () => [1, 2, 3].every((node) => story.phase(node) === 'suspect'),
      5000,
    );
    expect(story.disk.framework?.record).toMatchObject({
      frameworkId: 'framework-2',
      clusterIdentity: identity,
    });
    expect(story.master.tasks.size).toBe(3);
    for (const entry of [...story.master.tasks.values()]) await entry.executor.stop('TASK_KILLED');
    await story.until('all run again', () => [1, 2, 3].every((node) => story.phase(node) === 'running'));
    expect([1, 2, 3].map((node) => story.record(node)?.epoch)).toEqual([2, 2, 2]);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('for a while: nodes stay where they are', async () => {
    const story = await running();
    story.master.disconnect();
    await story.advance(30_000);
    story.master.reconnect('framework-1');
    await story.advance(30_000);
    expect([1, 2, 3].map((node) => story.record(node)?.epoch)).toEqual([1, 1, 1]);
    await story.stop();
  });
});
