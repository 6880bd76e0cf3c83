import { describe, expect, it } from 'vitest';
import type { Story } from '../testing/index.ts';
import { type DesiredChanges } from '../testing/index.ts';
import {
  TO_NEW,
  running,
  order,
  migrationOf,
  driver,
  stage,
  drivers,
  untilDone,
  untilStage,
  copyTask,
  holdKills,
} from '../testing/migration-story.ts';

/** Many whole stories in one test. */
const LONG = 120_000;

describe('a copy', () => {
  async function copying(changes: DesiredChanges = {}): Promise<Story> {
    const story = await running(changes);
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    return story;
  }

  it('that fails is tried again after a pause; after the third time the node goes back by itself, and it is paused', async () => {
    const story = await copying();
    for (let tries = 1; tries <= 3; tries += 1) {
      await story.until(`try ${tries}`, () => copyTask(story) !== undefined, 300_000);
      await copyTask(story)!.executor.stop('TASK_FAILED', 'no space is left');
      await story.advance(0);
      if (tries < 3) {
        expect(story.record(1)?.migration?.failedTries).toBe(tries);
        await story.advance(5000);
        expect(copyTask(story)).toBeUndefined();
        expect(story.waitsOf(1)).toEqual(['relaunch-backoff']);
      }
    }
    await story.untilRunning(1);
    expect(migrationOf(story)).toMatchObject({ state: 'paused' });
    expect(migrationOf(story)?.why).toContain('no space is left');
    expect(drivers(story)).toEqual(['hostdir', 'hostdir', 'hostdir']);
    await story.advance(10_000);
    expect(story.elasticsearch.allocation).toBeNull();
    story.master.copyByThemselves = true;
    order(story, 'resume');
    await untilDone(story);
    await story.stop();
  });

  it.each([
    ['without a report', undefined],
    ['with a report that is not verified', { stage: 'verifying' as const }],
    ['with a report of another epoch', { epoch: 1 as never }],
    ['with a report of another node', { nodeId: 2 as never }],
  ])('whose task says FINISHED %s is not believed', async (_name, report) => {
    const story = await copying();
    story.master.copyByThemselves = true;
    const { executor } = copyTask(story)!;
    await story.leases.giveBack({ ...(await leaseOf(story)), counter: 999 });
    executor.sayFinished(report);
    await story.advance(1000);
    expect(driver(story, 1)).toBe('hostdir');
    expect(story.record(1)?.migration).toMatchObject({ stage: 'copying', failedTries: 1 });
    await untilDone(story);
    await story.stop();
  });

  it('whose task says that it is verified, and never gave its lease back, is not believed', async () => {
    const story = await copying();
    story.master.copyByThemselves = true;
    copyTask(story)!.executor.sayFinished({});
    await story.advance(5000);
    expect(story.waitsOf(1)).toContain('copy-verified');
    expect(driver(story, 1)).toBe('hostdir');
    await untilDone(story);
    const purposes = story.master.tasksOf(1).map(({ executor }) => executor.spec.purpose);
    expect(purposes).toEqual(['run', 'migrate', 'migrate', 'run']);
    await story.stop();
  });

  it('goes on in the next epoch when its lease was given back and its last word was lost', async () => {
    const story = await copying();
    story.master.copyByThemselves = true;
    const entry = copyTask(story)!;
    story.master.partition(entry.agent.name);
    story.master.declareUnreachable(entry.agent.name);
    await entry.executor.finishCopy();
    await untilDone(story);
    expect(story.record(1)?.epoch).toBe(4);
    await story.stop();
  });

  async function leaseOf(story: Story) {
    const { nodeId, epoch } = copyTask(story)!.executor.spec;
    const state = await story.leases.read(nodeId, epoch);
    if (state.state !== 'open' || state.lease === undefined) throw new Error('no lease');
    return state.lease;
  }
});

describe('a machine that dies in the middle of a turn', () => {
  it.each(['stopping', 'copying', 'copied'] as const)('while the node is %s', async (wanted) => {
    const story = await running();
    if (wanted === 'stopping') holdKills(story);
    if (wanted === 'copied') story.master.runByThemselves = false;
    order(story, TO_NEW);
    await untilStage(story, wanted);
    if (wanted === 'copied') await story.until('it is launched', () => story.record(1)?.epoch === 3);
    const { host } = story.record(1)!.holder!;
    story.master.killMachine(host);
    story.master.declareUnreachable(host);
    story.master.runByThemselves = true;
    story.master.copyByThemselves = true;
    await story.until(
      'node 1 runs',
      () => story.phase(1) === 'running' && driver(story, 1) === 'newdir',
      300_000,
    );
    expect(story.record(1)!.holder!.host).not.toBe(host);
    expect(story.record(1)?.migration).toBeUndefined();
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('under the policy "wait" the copy waits for a word, and goes on', async () => {
    const story = await running({ suspects: { policy: 'wait' } });
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    const { host } = story.record(1)!.holder!;
    story.master.killMachine(host);
    story.master.declareUnreachable(host);
    await story.advance(120_000);
    expect(story.record(1)).toMatchObject({ phase: 'suspect', purpose: 'migrate', epoch: 2 });
    story.master.copyByThemselves = true;
    story.driving!.loop.dispatch({ kind: 'operator-release', nodeId: story.record(1)!.nodeId, epoch: 2 });
    await story.until(
      'node 1 runs',
      () => story.phase(1) === 'running' && driver(story, 1) === 'newdir',
      300_000,
    );
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('a copy whose executor is killed goes on there, and detaches for it first', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    const entry = copyTask(story)!;
    story.master.copyByThemselves = true;
    story.master.killExecutor(entry);
    await untilDone(story);
    const next = story.master.tasksOf(1).find(({ executor }) => executor.spec.epoch === 3);
    expect(next?.agent.name).toBe(entry.agent.name);
    expect(next?.executor.spec).toMatchObject({ purpose: 'migrate', formerConsumers: [entry.task.taskId] });
    await story.stop();
  });
});

describe('a scheduler that dies in the middle of a migration', () => {
  it('at any point of it: the next one goes on', { timeout: LONG }, async () => {
    for (let operations = 1, crashed = true; crashed; operations += 1) {
      const story = await running();
      await story.stop();
      await story.start();
      order(story, TO_NEW);
      await story.until('it is ordered', () => migrationOf(story) !== undefined);
      await story.stop();
      await story.start(operations);
      const ended = () => story.crashed || stage(story, 2) !== undefined;
      await story.until('the next turn begins, or the scheduler is dead', ended, 600_000);
      ({ crashed } = story);
      story.crash();
      await story.start();
      await untilDone(story);
      await story.stop();
    }
  });

  it.each(['pause', 'rollback'] as const)('at any point of a %s', { timeout: LONG }, async (change) => {
    for (let operations = 1; operations < 25; operations += 1) {
      const story = await running();
      order(story, TO_NEW);
      await untilStage(story, 'copying');
      await story.stop();
      await story.start(operations);
      order(story, change);
      await story.advance(20_000);
      story.crash();
      story.master.copyByThemselves = true;
      await story.start();
      await story.advance(20_000);
      // The order may have died with the scheduler.
      await copyTask(story)?.executor.finishCopy();
      if (migrationOf(story)?.state !== 'done') order(story, 'resume');
      await untilDone(story);
      await story.stop();
    }
  });
});
