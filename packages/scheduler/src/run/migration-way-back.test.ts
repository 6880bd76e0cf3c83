/** A node whose copy is proven, and that does not come up on it. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '@mesos-elasticsearch/contract';
import type { Story } from '../testing/index.ts';
import {
  TO_NEW,
  back,
  comeUp,
  copyTask,
  driver,
  drivers,
  migrationOf,
  order,
  running,
  stage,
  untilDone,
  untilStage,
} from '../testing/migration-story.ts';
import type { MigrationOrder } from '../core/migration/orders.ts';
import { migrationView } from '../core/views.ts';
import { refuseMigration } from './migration-orders.ts';

const BROKEN = 'volume elasticsearch1data of driver newdir: the driver says: no such device';
const rollback = { kind: 'rollback' } as const;
const giveUp = (node: number) => ({ ...rollback, giveUp: nodeId(node) });
const refusalOf = (story: Story, given: typeof rollback) =>
  refuseMigration(story.desired, story.driving!.loop.model(), given)?.message;
const beginRefusal = (story: Story, given: MigrationOrder) =>
  refuseMigration(story.desired, story.driving!.loop.model(), given)?.message;
const shown = (story: Story) => migrationView(story.desired, story.driving!.loop.model(), []).nodes[0]!;
const isPaused = (story: Story) => () => migrationOf(story)?.state === 'paused';

/** Node 1 is copied, and no start comes as far as Elasticsearch from now on. */
async function unstartable(): Promise<Story> {
  const story = await running();
  order(story, TO_NEW);
  await untilStage(story, 'copying');
  story.master.unstartable = BROKEN;
  story.master.copyByThemselves = true;
  await story.master.taskOf(1).executor.finishCopy();
  return story;
}

/** Node 1 is launched on its copy, Elasticsearch starts there, and ends. */
async function failAfterStart(
  story: Story,
  message = 'Elasticsearch ended by itself: exited with 1',
): Promise<void> {
  await story.until(
    'it is launched',
    () => stage(story, 1) === 'copied' && story.master.taskOf(1).state === 'TASK_STARTING',
    600_000,
  );
  await story.master.taskOf(1).executor.stop('TASK_FAILED', message);
}

describe('a node that never comes up on its new volumes', () => {
  it('pauses the migration after three starts, says why, and goes back for nothing as Elasticsearch never started', async () => {
    const story = await unstartable();
    await story.until('it is paused', isPaused(story), 600_000);
    const { why } = migrationOf(story)!;
    expect(why).toContain('node 1: 3 starts on its new volumes (newdir) have failed');
    expect(why).toContain('no such device');
    expect(why).toContain('rollback is free');
    await story.advance(1000);
    expect(shown(story)).toMatchObject({ stage: 'copied', rollback: 'free', failedStarts: 0 });
    expect(refusalOf(story, rollback)).toBeUndefined();
    story.master.unstartable = undefined;
    order(story, 'rollback');
    await story.untilRunning(1);
    expect(drivers(story)).toEqual(['hostdir', 'hostdir', 'hostdir']);
    expect(story.master.holders.violations).toEqual([]);
    expect(story.elasticsearch.allocation).toBeNull();
    order(story, 'resume');
    await untilDone(story);
    await story.stop();
  });

  it('is tried on while it is paused, and comes up when what was broken is mended', async () => {
    const story = await unstartable();
    await story.until('it is paused', isPaused(story), 600_000);
    story.master.unstartable = undefined;
    await story.untilRunning(1);
    expect(driver(story, 1)).toBe('newdir');
    expect(stage(story, 1)).toBeUndefined();
    order(story, 'resume');
    await untilDone(story);
    await story.stop();
  });

  it('pauses again, after as many starts, when the order to go on comes too early', async () => {
    const story = await unstartable();
    await story.until('it is paused', isPaused(story), 600_000);
    await story.advance(1000);
    order(story, 'resume');
    await story.until('it goes on', () => migrationOf(story)?.state === 'running');
    const before = story.master.tasksOf(1).length;
    await story.until('it is paused', isPaused(story), 900_000);
    expect(story.master.tasksOf(1).length).toBeGreaterThanOrEqual(before + 3);
    await story.stop();
  });

  it('is as free to go back under another scheduler', async () => {
    const story = await unstartable();
    await story.until('it is paused', isPaused(story), 600_000);
    story.crash();
    await story.start();
    await story.advance(1000);
    expect(refusalOf(story, rollback)).toBeUndefined();
    story.master.unstartable = undefined;
    order(story, 'rollback');
    await story.until('it is back', () => driver(story, 1) === 'hostdir');
    await story.untilRunning(1);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('is stopped for a rollback while it tries again, and its end tells whether it may go back', async () => {
    const story = await unstartable();
    await story.until('it failed once', () => (story.record(1)?.migration?.unusedUntil ?? 0) >= 3);
    story.master.unstartable = undefined;
    story.master.runByThemselves = false;
    await story.until('it is launched', () => story.master.taskOf(1).state === 'TASK_STARTING', 600_000);
    expect(shown(story).rollback).toBe('if-start-fails');
    expect(refusalOf(story, rollback)).toBeUndefined();
    // Its Elasticsearch has started meanwhile: it is too late.
    order(story, 'rollback');
    await story.until('it is paused', isPaused(story));
    expect(migrationOf(story)?.why).toContain('may have acknowledged documents');
    await comeUp(story);
    await story.untilRunning(1);
    expect(driver(story, 1)).toBe('newdir');
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('does not go back for nothing once Elasticsearch may have run, though later starts never came so far', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    story.master.runByThemselves = false;
    await story.master.taskOf(1).executor.finishCopy();
    await failAfterStart(story);
    story.master.unstartable = BROKEN;
    await story.until('it is paused', isPaused(story), 600_000);
    expect(migrationOf(story)?.why).toContain('--accept-data-loss 1');
    expect(shown(story).rollback).toBe('data-loss');
    expect(refusalOf(story, rollback)).toContain('may have acknowledged documents');
    order(story, 'rollback');
    await story.advance(60_000);
    expect(driver(story, 1)).toBe('newdir');
    await story.stop();
  });

  it.each([
    ['an end that says nothing', {}],
    ['an end of another epoch', { epoch: 2 as never }],
    ['an end of another node', { nodeId: 2 as never }],
  ])('is not believed never to have started for %s', async (_name, change) => {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    story.master.runByThemselves = false;
    await story.master.taskOf(1).executor.finishCopy();
    await story.until('it is launched', () => story.master.taskOf(1).state === 'TASK_STARTING');
    const { executor } = story.master.taskOf(1);
    if (Object.keys(change).length === 0) await executor.stop('TASK_FAILED', 'something');
    else await executor.failToStart('something', change);
    await story.advance(1000);
    expect(story.record(1)?.migration?.unusedUntil).toBeUndefined();
    expect(refusalOf(story, rollback)).toContain('may have acknowledged documents');
    await story.stop();
  });
});

describe('a node that may have run on its new volumes, and does not come up there', () => {
  /** Elasticsearch has started there three times, each time acknowledged something, and ended. */
  async function pausedBySelf(): Promise<Story> {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    story.master.runByThemselves = false;
    await story.master.taskOf(1).executor.finishCopy();
    for (let start = 1; start <= 3; start += 1) await failAfterStart(story);
    await story.until('it is paused', isPaused(story));
    story.master.copyByThemselves = true;
    story.master.runByThemselves = true;
    return story;
  }

  it('goes back by a migration that copies what it has written there, though no turn of it has ended', async () => {
    const story = await pausedBySelf();
    expect(migrationOf(story)?.why).toContain('volumes migrate --to hostdir --overwrite-former');
    expect(beginRefusal(story, TO_NEW)).toContain('under way (paused)');
    expect(beginRefusal(story, back(false))).toContain('purge them');
    expect(beginRefusal(story, back(true))).toBeUndefined();
    order(story, back(true));
    await story.until('it is copied back', () => copyTask(story) !== undefined, 300_000);
    expect(story.master.taskOf(1).executor.spec).toMatchObject({
      volumes: { data: { driver: 'newdir' } },
      migration: { to: { data: { driver: 'hostdir' } }, overwriteFormer: true },
    });
    await story.until('it is done', () => migrationOf(story)?.state === 'done', 600_000);
    expect(drivers(story)).toEqual(['hostdir', 'hostdir', 'hostdir']);
    // Document after document of its lives on either driver is there.
    expect(story.master.holders.violations).toEqual([]);
    expect(story.record(1)?.formerVolumes).toMatchObject([{ volumes: { data: { driver: 'newdir' } } }]);
    await story.stop();
  });

  it('is ended before it is copied back, where it is just being started once more', async () => {
    const story = await pausedBySelf();
    story.master.runByThemselves = false;
    await story.until('it is launched', () => story.master.taskOf(1).state === 'TASK_STARTING', 600_000);
    const started = story.master.taskOf(1);
    order(story, back(true));
    story.master.runByThemselves = true;
    await story.until('it is done', () => migrationOf(story)?.state === 'done', 900_000);
    expect(started.state).toBe('TASK_KILLED');
    expect(drivers(story)).toEqual(['hostdir', 'hostdir', 'hostdir']);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('stays on them where they cannot be read either, and nothing is lost', async () => {
    const story = await pausedBySelf();
    story.master.copyByThemselves = false;
    order(story, back(true));
    for (let tries = 1; tries <= 3; tries += 1) {
      await story.until(
        'it copies',
        () =>
          story.master.taskOf(1).executor.spec.purpose === 'migrate' &&
          story.master.taskOf(1).state === 'TASK_RUNNING',
        300_000,
      );
      await story.master.taskOf(1).executor.stop('TASK_FAILED', 'cannot be read');
      await story.advance(0);
    }
    await story.until('it is paused', isPaused(story), 300_000);
    await story.untilRunning(1);
    expect(driver(story, 1)).toBe('newdir');
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('goes back under whatever scheduler leads', { timeout: 120_000 }, async () => {
    for (let operations = 1; operations < 20; operations += 1) {
      const story = await pausedBySelf();
      await story.stop();
      await story.start(operations);
      order(story, back(true));
      await story.advance(20_000);
      story.crash();
      await story.start();
      await story.advance(5_000);
      if (migrationOf(story)?.to.data.driver !== 'hostdir' && beginRefusal(story, back(true)) === undefined)
        order(story, back(true));
      await story.until(
        'it is at rest',
        () => ['done', 'paused'].includes(migrationOf(story)?.state ?? '') && story.phase(1) === 'running',
        900_000,
      );
      expect(story.master.holders.violations).toEqual([]);
      await story.stop();
    }
  });
});

describe('an operator who gives up what a node has acknowledged', () => {
  async function stuck(): Promise<Story> {
    const story = await running();
    order(story, { ...TO_NEW, overwriteFormer: true });
    await untilStage(story, 'copying');
    story.master.runByThemselves = false;
    await story.master.taskOf(1).executor.finishCopy();
    await failAfterStart(story);
    return story;
  }

  it('names the node: no other has anything to give up', async () => {
    const story = await stuck();
    expect(refusalOf(story, giveUp(2))).toContain('node 2 has nothing to give up: it is the turn of node 1');
    expect(refusalOf(story, rollback)).toContain('--accept-data-loss 1');
    expect(refusalOf(story, giveUp(1))).toBeUndefined();
    await story.stop();
  });

  it('gets it back on its old volumes; what it leaves is kept, and no earlier leave counts to write over it', async () => {
    const story = await stuck();
    story.master.runByThemselves = true;
    order(story, giveUp(1));
    await story.until('it is paused', isPaused(story));
    expect(migrationOf(story)?.why).toContain('gives up what node 1 has acknowledged since its copy');
    expect(migrationOf(story)).toMatchObject({ overwriteFormer: false });
    expect(migrationOf(story)?.giveUp).toBeUndefined();
    await story.untilRunning(1);
    expect(driver(story, 1)).toBe('hostdir');
    const [left] = story.record(1)!.formerVolumes!;
    expect(left).toMatchObject({ epoch: 3, volumes: { data: { driver: 'newdir' } } });
    expect(story.master.taskOf(1).executor.spec.takenBack).toBe(migrationOf(story)?.id);
    story.master.copyByThemselves = false;
    order(story, 'resume');
    await story.until('it is copied again', () => story.phase(1) === 'migrating', 600_000);
    expect(story.master.taskOf(1).executor.spec.migration).toMatchObject({ overwriteFormer: false });
    await story.stop();
  });

  it('waits for the end of the holder, and for proof of it', async () => {
    const story = await stuck();
    await story.until('it is launched', () => story.master.taskOf(1).state === 'TASK_STARTING', 600_000);
    const task = story.master.taskOf(1);
    task.executor.stop = () => Promise.resolve();
    order(story, giveUp(1));
    await story.advance(20_000);
    expect(driver(story, 1)).toBe('newdir');
    expect(story.waitsOf(1)).toContain('migration');
    await story.stop();
  });

  it('gives nothing up where the node came up in the meantime', async () => {
    const story = await stuck();
    await story.until('it is launched', () => story.master.taskOf(1).state === 'TASK_STARTING', 600_000);
    story.master.taskOf(1).executor.sayRunning();
    order(story, giveUp(1));
    await story.until('it is paused', isPaused(story));
    expect(driver(story, 1)).toBe('newdir');
    expect(story.phase(1)).toBe('running');
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });
});
