import { epoch, nodeId, type LeaseRecord } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { Story, type DesiredChanges } from '../testing/index.ts';

const ISOLATED: DesiredChanges = {
  cluster: {
    volumeMounter: {
      kind: 'docker-volume-isolator',
      paths: { config: '/tmp/config', data: '/data' },
      dvdcli: '/usr/bin/dvdcli',
    },
  },
  suspects: { policy: 'wait' },
};

async function running(changes: DesiredChanges = ISOLATED): Promise<Story> {
  const story = new Story(changes);
  await story.start();
  await story.untilRunning(1, 2, 3);
  return story;
}

describe('a node whose volumes an isolator mounts', () => {
  it('is not released by the word of its executor: it comes back on the same agent', async () => {
    const story = await running();
    const home = story.record(2)!.holder!.host;
    await story.master.taskOf(2).executor.stop('TASK_FAILED', 'Elasticsearch ended by itself');
    await story.until('node 2 runs again', () => story.phase(2) === 'running' && story.record(2)!.epoch > 1);
    expect(story.record(2)?.holder?.host).toBe(home);
    expect(story.record(2)?.lastAgent, 'it never was vacant').toBeUndefined();
    expect(story.master.releases).toEqual([]);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('leaves an agent without room only after a task there has seen to the unmount', async () => {
    const story = await running();
    const home = story.record(2)!.holder!.host;
    const entry = story.master.taskOf(2);
    entry.agent.small = true;
    await entry.executor.stop('TASK_FAILED', 'Elasticsearch ended by itself');
    await story.until('node 2 runs again', () => story.phase(2) === 'running' && story.record(2)!.epoch > 1);
    expect(story.master.releases).toMatchObject([
      {
        nodeId: 2,
        formerConsumers: [],
        formerIsolator: { dvdcli: '/usr/bin/dvdcli' },
        volumeMounter: { kind: 'executor' },
      },
    ]);
    expect(story.record(2)?.holder?.host).not.toBe(home);
    expect(story.record(2)?.leftBehind).toBeUndefined();
    await story.stop();
  });

  it('is not released by a lease that was given back, for that comes before the unmount', async () => {
    for (const [changes, phase] of [
      [ISOLATED, 'suspect'],
      [{ suspects: ISOLATED.suspects ?? {} }, 'running'],
    ] as const) {
      const story = await running(changes);
      const { epoch: number, holder } = story.record(2)!;
      const { lease } = (await story.leases.read(nodeId(2), epoch(number))) as { lease: LeaseRecord };
      story.master.killMachine(holder!.host);
      await story.leases.giveBack({ ...lease, counter: lease.counter + 1 });
      story.master.declareUnreachable(holder!.host);
      await story.advance(60_000);
      expect(story.phase(2)).toBe(phase);
      await story.stop();
    }
  });

  it('is not launched with what the isolator cannot be told, and says so by name', async () => {
    const cluster = {
      ...ISOLATED.cluster,
      volumes: {
        config: { driver: 'rexray', options: { o: 'a,b' } },
        data: { driver: 'rexray', options: {} },
      },
    };
    const story = new Story({ ...ISOLATED, cluster });
    await story.start();
    await story.advance(10_000);
    expect(story.waitsOf(1)).toContain('isolator-can-mount');
    expect(story.record(1)).toBeUndefined();
    await story.stop();
  });
});
