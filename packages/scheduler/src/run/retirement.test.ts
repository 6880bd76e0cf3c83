import { describe, expect, it } from 'vitest';
import { Story, type DesiredChanges } from '../testing/index.ts';

async function running(nodes: number, changes: DesiredChanges = {}): Promise<Story> {
  const story = new Story({ cluster: { nodes }, ...changes }, ['a', 'b', 'c', 'd', 'e', 'f']);
  await story.start();
  await story.untilRunning(...Array.from({ length: nodes }, (_, index) => index + 1));
  return story;
}

function want(story: Story, nodes: number): void {
  story.driving!.loop.dispatch({ kind: 'size-ordered', nodes });
}

describe('fewer nodes', () => {
  it('stops the highest node IDs, one at a time, and retires them', async () => {
    const story = await running(5);
    want(story, 3);
    await story.until('node 5 is told to stop', () => story.master.callsOf('KILL').length > 0);
    await story.until('both are retired', () => story.phase(4) === 'retired' && story.phase(5) === 'retired');
    const killed = story.master.callsOf('KILL').map((call) => call.kill.taskId);
    expect(killed).toEqual([
      story.master.tasksOf(5)[0]!.task.taskId,
      story.master.tasksOf(4)[0]!.task.taskId,
    ]);
    await story.advance(120_000);
    expect([1, 2, 3].map((node) => story.record(node)?.epoch)).toEqual([1, 1, 1]);
    await story.stop();
  });

  it('waits with the next one until all others run', async () => {
    const story = await running(5);
    const entry = story.master.taskOf(1);
    story.master.partition(entry.agent.name);
    story.master.declareUnreachable(entry.agent.name);
    await story.until('node 1 is suspect', () => story.phase(1) === 'suspect');
    want(story, 4);
    await story.advance(5000);
    expect(story.master.callsOf('KILL')).toEqual([]);
    expect(story.waitsOf(5)).toContain('size-shrinks');
    await story.stop();
  });
});

describe('a cluster that grows again', () => {
  async function shrunk(retiredVolumes: 'keep' | 'refuse' | 'wipe'): Promise<Story> {
    const story = await running(4, { suspects: { retiredVolumes } });
    want(story, 3);
    await story.until('node 4 is retired', () => story.phase(4) === 'retired');
    want(story, 4);
    return story;
  }

  it('does not use the old volumes without a word: "refuse" waits, and says for what', async () => {
    const story = await shrunk('refuse');
    await story.advance(60_000);
    expect(story.record(4)).toMatchObject({ phase: 'retired', epoch: 1 });
    expect(story.waitsOf(4)).toEqual(['retired-volumes']);
    expect(story.record(5)).toBeUndefined();

    story.driving!.loop.dispatch({
      kind: 'operator-reuse',
      nodeId: story.record(4)!.nodeId,
      volumes: 'wipe',
    });
    await story.untilRunning(4);
    expect(story.master.taskOf(4).executor.spec).toMatchObject({ wipeVolumes: true, dataOnRecord: true });
    await story.stop();
  });

  it('"wipe" empties them, until the node has run once on them', async () => {
    const story = await shrunk('wipe');
    story.leases.faults.next('take', { kind: 'fail' });
    await story.untilRunning(4);
    const specs = story.master.tasksOf(4).map(({ executor }) => executor.spec.wipeVolumes);
    expect(specs).toEqual([false, true, true]);
    await story.master.taskOf(4).executor.stop('TASK_FAILED');
    await story.until(
      'node 4 runs again',
      () => story.record(4)?.epoch === 4 && story.phase(4) === 'running',
    );
    expect(story.master.taskOf(4).executor.spec.wipeVolumes).toBe(false);
    await story.stop();
  });

  it('"keep" takes them as they are', async () => {
    const story = await shrunk('keep');
    await story.untilRunning(4);
    expect(story.master.taskOf(4).executor.spec).toMatchObject({ wipeVolumes: false, dataOnRecord: true });
    await story.stop();
  });
});

describe('settings that an operator changes', () => {
  it('outlive a restart, and a policy counts from the next epoch', async () => {
    const story = await running(3, { suspects: { policy: 'wait' } });
    story.driving!.loop.dispatch({ kind: 'settings-ordered', settings: { suspectPolicy: 'fence' } });
    await story.advance(2000);
    await story.stop();
    await story.start();
    await story.advance(2000);
    expect(story.record(1)?.suspectPolicy).toBe('wait');
    await story.master.taskOf(1).executor.stop('TASK_FAILED');
    await story.until('node 1 runs in epoch 2', () => story.record(1)?.epoch === 2);
    expect(story.record(1)?.suspectPolicy).toBe('fence');
    await story.stop();
  });
});
