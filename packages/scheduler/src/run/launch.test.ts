import { describe, expect, it } from 'vitest';
import { Story } from '../testing/index.ts';

describe('a scheduler that starts', () => {
  it('launches the wanted nodes, each on its own agent, and records before it acts', async () => {
    const story = new Story();
    await story.start();
    await story.untilRunning(1, 2, 3);
    expect(new Set([1, 2, 3].map((node) => story.record(node)?.holder?.host)).size).toBe(3);
    expect(story.progressOf(1)).toEqual(['assigned', 'launched', 'running']);
    expect(story.disk.framework?.record).toMatchObject({
      frameworkId: 'framework-1',
      bootstrapped: true,
      initialMasterNodes: ['elasticsearch-1', 'elasticsearch-2', 'elasticsearch-3'],
    });
    expect(story.master.callsOf('ACCEPT')).toHaveLength(3);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('relaunches a node whose executor ended, with the same node ID and the next epoch', async () => {
    const story = new Story();
    await story.start();
    await story.untilRunning(1, 2, 3);
    await story.master.taskOf(2).executor.stop('TASK_FAILED', 'disk full');
    await story.until(
      'node 2 runs in epoch 2',
      () => story.record(2)?.epoch === 2 && story.phase(2) === 'running',
    );
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });
});
