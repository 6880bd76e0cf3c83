import { describe, expect, it } from 'vitest';
import { Story, type DesiredChanges } from '../testing/index.ts';

/** Node 2's executor was killed, and its agent has no room for the node any more. */
async function goneButMounted(changes: DesiredChanges = {}): Promise<Story> {
  const story = new Story({ suspects: { policy: 'wait' }, ...changes });
  await story.start();
  await story.untilRunning(1, 2, 3);
  const entry = story.master.taskOf(2);
  entry.agent.small = true;
  story.master.killExecutor(entry);
  return story;
}

describe('a node that is gone and still mounted on an agent without room for it', () => {
  it('is let go by a task there, and moves', async () => {
    const story = await goneButMounted();
    const former = story.master.taskOf(2).task.taskId;
    const home = story.record(2)!.holder!.host;
    await story.until('node 2 runs again', () => story.phase(2) === 'running' && story.record(2)!.epoch > 1);
    expect(story.master.releases).toHaveLength(1);
    expect(story.master.releases[0]).toMatchObject({ nodeId: 2, epoch: 2, formerConsumers: [former] });
    expect(story.record(2)).toMatchObject({ epoch: 3 });
    expect(story.record(2)?.holder?.host).not.toBe(home);
    expect(story.record(2)?.leftBehind).toBeUndefined();
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('stays where it is when that task never had the right to let go', async () => {
    const story = await goneButMounted();
    story.leases.faults.next('take', { kind: 'fail' });
    await story.until(
      'the node runs again',
      () => story.phase(2) === 'running' && story.record(2)!.epoch > 2,
    );
    const [release] = story.master.releases;
    // The first one was refused its lease, so what it said proved nothing; the second one let go.
    expect(release).toMatchObject({ epoch: 3 });
    expect(story.master.releases).toHaveLength(1);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('survives a crash of the scheduler at any point of it', { timeout: 60_000 }, async () => {
    for (let operations = 1; operations < 40; operations += 1) {
      const story = await goneButMounted();
      await story.stop();
      await story.start(operations);
      await story.advance(10_000);
      story.crash();
      await story.start();
      await story.until('node 2 runs', () => story.phase(2) === 'running' && story.record(2)!.epoch > 1);
      expect(story.master.holders.violations, `crash after ${operations} operations`).toEqual([]);
      await story.stop();
    }
  });
});

describe('a release task whose machine dies', () => {
  it('holds the node until the leases of all who were there have run out', async () => {
    const story = await goneButMounted({ suspects: { policy: 'fence' } });
    story.leases.faults.next('take', { kind: 'delay', until: new Promise(() => undefined) });
    await story.until('the task is on its way', () => story.record(2)?.purpose === 'release');
    story.master.killMachine(story.record(2)!.holder!.host);
    story.master.declareUnreachable(story.record(2)!.holder!.host);
    await story.advance(5000);
    expect(story.phase(2)).toBe('releasing');
    await story.until('node 2 runs elsewhere', () => story.phase(2) === 'running');
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });
});
