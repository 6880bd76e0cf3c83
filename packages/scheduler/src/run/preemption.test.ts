import { LeaseUnavailableError } from '@mesos-elasticsearch/coordination';
import { describe, expect, it } from 'vitest';
import { Story, type DesiredChanges } from '../testing/index.ts';

const FENCE_COMMAND = { program: '/usr/local/bin/fence', limitMs: 10_000 };

async function running(suspects: DesiredChanges['suspects']): Promise<Story> {
  const story = new Story({ suspects: { policy: 'preempt', preemptAfterMs: 60_000, ...suspects } });
  await story.start();
  await story.untilRunning(1, 2, 3);
  return story;
}

/** Cuts the agent of node 2 off; the node lives on. */
async function cutOff(story: Story): Promise<string> {
  const agent = story.record(2)!.holder!.host;
  story.master.partition(agent);
  story.master.declareUnreachable(agent);
  await story.until('node 2 is suspect', () => story.phase(2) === 'suspect');
  return agent;
}

/** The storage is gone from under the old holder. */
function revoke(story: Story): void {
  story.master.taskOf(2).executor.die();
}

const elsewhere = (story: Story) => () => story.record(2)?.epoch === 2 && story.phase(2) === 'running';

describe('the policy "preempt"', () => {
  it('takes the storage away after the stated time, and moves the node when that has succeeded', async () => {
    const story = await running({ fenceCommand: FENCE_COMMAND });
    const called: string[] = [];
    story.fence = (step) => {
      called.push(...step.volumes.map(({ driver, name }) => `${driver} ${name} ${step.host}`));
      revoke(story);
      const { nodeId, epoch, attempt } = step;
      return Promise.resolve({ kind: 'fenced', nodeId, epoch, attempt, outcome: 'revoked', message: '' });
    };
    const agent = await cutOff(story);
    await story.advance(50_000);
    expect(story.waitsOf(2)).toEqual(['preempt-after']);
    expect(called).toEqual([]);
    await story.until('node 2 runs elsewhere', elsewhere(story));
    expect(called).toEqual([`hostdir elasticsearch2config ${agent}`, `hostdir elasticsearch2data ${agent}`]);
    expect(story.record(2)?.holder?.host).not.toBe(agent);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('closes the epoch before the command is called: a holder that hears of it ends by itself', async () => {
    const story = await running({ fenceCommand: FENCE_COMMAND });
    let closedAtCall = false;
    story.fence = async ({ nodeId, epoch, attempt }) => {
      const state = await story.leases.read(nodeId, story.master.taskOf(2).executor.spec.epoch);
      closedAtCall = state.state === 'closed';
      return { kind: 'fenced', nodeId, epoch, attempt, outcome: 'failed', message: 'not today' };
    };
    await cutOff(story);
    await story.until('the command was called', () => closedAtCall);
    await story.stop();
  });

  it('calls a command that failed again, and moves nothing meanwhile', async () => {
    const story = await running({ fenceCommand: FENCE_COMMAND });
    let calls = 0;
    story.fence = ({ nodeId, epoch, attempt }) => {
      calls += 1;
      if (calls === 4) revoke(story);
      const outcome = calls < 4 ? 'failed' : 'revoked';
      return Promise.resolve({
        kind: 'fenced',
        nodeId,
        epoch,
        attempt,
        outcome,
        message: 'the array does not answer',
      });
    };
    // Its executor cannot reach the lease service either, so it does not hear that its epoch was closed.
    const renew = story.leases.renew.bind(story.leases);
    story.leases.renew = (lease) =>
      lease.nodeId === 2 ? Promise.reject(new LeaseUnavailableError('cut off')) : renew(lease);
    await cutOff(story);
    await story.until('the command has failed', () => calls === 1, 90_000);
    expect(story.phase(2)).toBe('suspect');
    expect(story.waitsOf(2)).toEqual(['preempt-revokes']);
    await story.until('node 2 runs elsewhere', elsewhere(story));
    expect(calls).toBe(4);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('launches nothing while a command is under way, though the holder has ended by itself meanwhile', async () => {
    const story = await running({ fenceCommand: FENCE_COMMAND });
    let finish: (() => void) | undefined;
    story.fence = ({ nodeId, epoch, attempt }) =>
      new Promise((resolve) => {
        finish = () => resolve({ kind: 'fenced', nodeId, epoch, attempt, outcome: 'revoked', message: '' });
      });
    const agent = await cutOff(story);
    await story.until('the command is under way', () => finish !== undefined, 90_000);
    story.master.heal(agent, { saysSo: true });
    await story.until('node 2 is vacant', () => story.phase(2) === 'vacant');
    await story.advance(20_000);
    expect(story.record(2)).toMatchObject({ phase: 'vacant', epoch: 1 });
    expect(story.waitsOf(2)).toEqual(['preempt-revokes']);
    finish?.();
    await story.until('node 2 runs again', elsewhere(story));
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('needs no command where the driver takes a volume from its old host at the attach', async () => {
    const story = await running({ driverRevokes: true });
    await cutOff(story);
    revoke(story);
    await story.until('node 2 runs elsewhere', elsewhere(story));
    expect(story.record(2)?.leftBehind).toHaveLength(1);
    await story.stop();
  });

  it('moves nothing by itself where nobody can revoke', async () => {
    const story = await running({});
    await cutOff(story);
    await story.advance(600_000);
    expect(story.record(2)).toMatchObject({ phase: 'suspect', epoch: 1 });
    expect(story.waitsOf(2)).toEqual(['preempt-revokes']);
    await story.stop();
  });

  it('lets a holder that comes back before keep its node', async () => {
    const story = await running({ fenceCommand: FENCE_COMMAND });
    const agent = await cutOff(story);
    await story.advance(20_000);
    story.master.heal(agent, { saysSo: true });
    await story.until('node 2 runs again', () => story.phase(2) === 'running');
    await story.advance(300_000);
    expect(story.record(2)).toMatchObject({ epoch: 1, holder: { host: agent } });
    await story.stop();
  });

  it('counts the time of doubt anew after a restart, for nobody knows what was missed', async () => {
    const story = await running({ driverRevokes: true });
    await cutOff(story);
    await story.advance(50_000);
    await story.stop();
    await story.start();
    await story.advance(50_000);
    expect(story.record(2)).toMatchObject({ phase: 'suspect', epoch: 1 });
    await story.stop();
  });

  it('doubts a holder whose lease stands still though its agent says RUNNING, and believes it when it renews', async () => {
    const story = await running({ fenceCommand: FENCE_COMMAND });
    const renew = story.leases.renew.bind(story.leases);
    story.leases.renew = () => Promise.reject(new LeaseUnavailableError('cut off'));
    await story.until('node 2 is suspect', () => story.phase(2) === 'suspect');
    await story.advance(20_000);
    expect(story.phase(2)).toBe('suspect');
    expect(story.waitsOf(2)).toEqual(['preempt-after']);
    story.leases.renew = renew;
    await story.until('node 2 runs again', () => story.phase(2) === 'running');
    expect(story.record(2)!.epoch).toBe(1);
    await story.stop();
  });
});
