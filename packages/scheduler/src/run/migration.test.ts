import { describe, expect, it } from 'vitest';
import { Story } from '../testing/index.ts';
import {
  TO_NEW,
  back,
  running,
  order,
  migrationOf,
  driver,
  stage,
  drivers,
  untilDone,
  untilStage,
  copyTask,
  comeUp,
  holdKills,
} from '../testing/migration-story.ts';

describe('a migration', () => {
  it('moves node by node, lowest node ID first, and keeps the old volumes on record', async () => {
    const story = await running();
    const begunWhile: string[] = [];
    const turn = () => [1, 2, 3].filter((node) => story.record(node)?.migration !== undefined);
    order(story, TO_NEW);
    await story.until(
      'it is done',
      () => {
        const [node] = turn();
        if (node !== undefined && begunWhile.at(-1) !== String(node)) begunWhile.push(String(node));
        expect(turn().length).toBeLessThan(2);
        return migrationOf(story)?.state === 'done';
      },
      600_000,
    );
    expect(begunWhile).toEqual(['1', '2', '3']);
    await untilDone(story);
    const record = story.record(2)!;
    expect(record).toMatchObject({ phase: 'running', epoch: 3 });
    expect(record.migration).toBeUndefined();
    expect(record.volumes?.data.options).toEqual({ at: '/elasticsearch2data' });
    expect(record.formerVolumes).toMatchObject([{ epoch: 2, volumes: { data: { driver: 'hostdir' } } }]);
    const specs = story.master.tasksOf(2).map(({ executor }) => executor.spec);
    expect(specs.map(({ purpose }) => purpose)).toEqual(['run', 'migrate', 'run']);
    expect(specs[1]).toMatchObject({
      dataOnRecord: true,
      migration: { id: migrationOf(story)?.id, to: record.volumes, overwriteFormer: false, sinceEpoch: 1 },
    });
    expect(specs[2]).toMatchObject({ dataOnRecord: true, volumes: record.volumes });
    await story.stop();
  });

  it('restricts allocation before a node stops, and puts back what was set before when its turn is over', async () => {
    const story = await running();
    story.elasticsearch.allocation = 'new_primaries';
    order(story, TO_NEW);
    await story.until('node 1 stops', () => story.master.callsOf('KILL').length > 0);
    expect(story.elasticsearch.allocation).toBe('primaries');
    expect(migrationOf(story)?.allocation).toEqual({ nodeId: 1, before: 'new_primaries' });
    await story.until('node 1 is over', () => story.elasticsearch.allocation === 'new_primaries');
    expect(story.record(1)).toMatchObject({ phase: 'running', epoch: 3 });
    expect(stage(story, 2)).toBeUndefined();
    await story.until('it is done', () => migrationOf(story)?.state === 'done', 600_000);
    expect(story.elasticsearch.allocation).toBe('new_primaries');
    await story.stop();
  });

  it('takes its copy first to where the node was, and to any agent that fits where that is not offered', async () => {
    const story = await running();
    const home = story.record(1)!.holder!.agentId;
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    expect(story.record(1)!.holder!.agentId).toBe(home);
    await copyTask(story)!.executor.finishCopy();
    story.master.copyByThemselves = true;
    await untilDone(story);
    await story.stop();
  });

  it.each([
    ['health is yellow', { status: 'yellow' }],
    ['shards relocate', { relocatingShards: 1 }],
    ['shards initialise', { initializingShards: 2 }],
    ['a node is missing', { dataNodes: 2 }],
  ] as const)('begins no turn while %s, and says so', async (_name, health) => {
    const story = await running();
    Object.assign(story.elasticsearch.health, health);
    order(story, TO_NEW);
    await story.advance(120_000);
    expect(story.waitsOf(1)).toEqual(['migration-health']);
    expect(story.master.callsOf('KILL')).toEqual([]);
    Object.assign(story.elasticsearch.health, { status: 'green', relocatingShards: 0 });
    Object.assign(story.elasticsearch.health, { initializingShards: 0, dataNodes: 3 });
    await untilDone(story);
    await story.stop();
  });

  it('waits, by a rule name, while Elasticsearch does not answer', async () => {
    const story = await running();
    story.elasticsearch.silent = true;
    order(story, TO_NEW);
    await story.advance(60_000);
    expect(story.waitsOf(1)).toEqual(['migration-health']);
    expect(story.driving!.loop.waits()[0]?.reason).toContain('no node answers');
    story.elasticsearch.silent = false;
    story.master.runByThemselves = false;
    await untilStage(story, 'copied');
    story.elasticsearch.silent = true;
    await comeUp(story);
    await story.advance(60_000);
    expect(story.waitsOf(1)).toEqual(['migration-allocation']);
    expect(stage(story, 2)).toBeUndefined();
    story.elasticsearch.silent = false;
    await untilDone(story);
    await story.stop();
  });

  it('accepts yellow where that was ordered', async () => {
    const story = await running();
    Object.assign(story.elasticsearch.health, { status: 'yellow' });
    order(story, { ...TO_NEW, wantedHealth: 'yellow' });
    await untilDone(story);
    await story.stop();
  });

  it('puts the setting back when the cluster is not as wanted after it was changed', async () => {
    const story = await running();
    const { elasticsearch } = story;
    const answer = elasticsearch.answer.bind(elasticsearch);
    elasticsearch.answer = (question) => {
      Object.assign(elasticsearch.health, { status: elasticsearch.allocation === null ? 'green' : 'yellow' });
      return answer(question);
    };
    order(story, TO_NEW);
    await story.advance(60_000);
    const kinds = new Set(elasticsearch.questions.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['health', 'restore-allocation', 'restrict-allocation']);
    expect(story.master.callsOf('KILL')).toEqual([]);
    await story.stop();
  });

  it('gives new nodes volumes of its driver, whatever the flags say', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilDone(story);
    await story.stop();
    await story.start();
    story.driving!.loop.dispatch({ kind: 'size-ordered', nodes: 4 });
    await story.untilRunning(4);
    expect(driver(story, 4)).toBe('newdir');
    await story.stop();
  });

  it('leaves a retired node its volumes, and moves it when it is wanted again and the order is given again', async () => {
    const story = new Story({ cluster: { nodes: 4 } }, ['a', 'b', 'c', 'd', 'e']);
    await story.start();
    await story.untilRunning(1, 2, 3, 4);
    story.driving!.loop.dispatch({ kind: 'size-ordered', nodes: 3 });
    await story.until('node 4 is retired', () => story.phase(4) === 'retired');
    order(story, TO_NEW);
    await untilDone(story);
    expect(driver(story, 4)).toBe('hostdir');
    story.driving!.loop.dispatch({ kind: 'size-ordered', nodes: 4 });
    story.driving!.loop.dispatch({
      kind: 'operator-reuse',
      nodeId: story.record(4)!.nodeId,
      volumes: 'keep',
    });
    await story.untilRunning(4);
    expect(driver(story, 4)).toBe('hostdir');
    order(story, TO_NEW);
    await story.until('node 4 is moved', () => driver(story, 4) === 'newdir' && story.phase(4) === 'running');
    expect(story.record(1)?.epoch).toBe(3);
    await story.stop();
  });

  it('goes back by a migration of its own, over the former volumes', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilDone(story);
    order(story, back(true));
    await story.until('it is back', () => drivers(story).every((each) => each === 'hostdir'), 600_000);
    await story.until('it is done', () => migrationOf(story)?.state === 'done', 600_000);
    expect(story.master.tasksOf(1).at(-2)?.executor.spec.migration?.overwriteFormer).toBe(true);
    expect(story.record(1)?.formerVolumes).toMatchObject([
      { epoch: 4, volumes: { data: { driver: 'newdir' } } },
    ]);
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('shows its progress', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    copyTask(story)!.executor.sayCopying('copying', 42);
    await story.advance(0);
    const [wait] = story.driving!.loop.waits().filter(({ rule }) => rule === 'migration-copies');
    expect(wait?.reason).toBe('copying to newdir: 40 % of 100 bytes');
    await story.stop();
  });
});

describe('a migration that is paused', () => {
  it('before a node is stopped: its turn is taken back, and nothing has happened', async () => {
    const story = await running();
    const letKills = holdKills(story);
    order(story, TO_NEW);
    await untilStage(story, 'stopping');
    order(story, 'pause');
    await story.until('it is paused', () => migrationOf(story)?.state === 'paused');
    await story.advance(30_000);
    expect(story.record(1)).toMatchObject({
      phase: 'running',
      epoch: 1,
      volumes: { data: { driver: 'hostdir' } },
    });
    expect(story.record(1)?.migration).toBeUndefined();
    expect(story.elasticsearch.allocation).toBeNull();
    letKills();
    order(story, 'resume');
    await untilDone(story);
    await story.stop();
  });

  it('while a copy is made: it is stopped where it is, says what to do, and goes on when it is resumed', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    const first = copyTask(story)!;
    order(story, 'pause');
    await story.until('the copy is stopped', () => first.state === 'TASK_KILLED');
    await story.advance(60_000);
    expect(story.record(1)).toMatchObject({
      phase: 'migrating',
      migration: { stage: 'copying', failedTries: 0 },
    });
    expect(story.record(1)?.holder).toBeUndefined();
    expect(story.waitsOf(1)).toEqual(['migration-paused']);
    expect(story.elasticsearch.allocation).toBeNull();
    story.master.copyByThemselves = true;
    order(story, 'resume');
    await untilDone(story);
    await story.stop();
  });

  it('after a copy was verified: the node comes up on it, and no other turn begins', async () => {
    const story = await running();
    story.master.runByThemselves = false;
    order(story, TO_NEW);
    await untilStage(story, 'copied');
    order(story, 'pause');
    await comeUp(story);
    await story.until('node 1 runs on its new volumes', () => story.phase(1) === 'running');
    await story.advance(60_000);
    expect(drivers(story)).toEqual(['newdir', 'hostdir', 'hostdir']);
    order(story, 'resume');
    await untilDone(story);
    await story.stop();
  });
});

describe('a migration that is rolled back', () => {
  it('before a node is stopped', async () => {
    const story = await running();
    const letKills = holdKills(story);
    order(story, TO_NEW);
    await untilStage(story, 'stopping');
    order(story, 'rollback');
    await story.until('it is paused', () => migrationOf(story)?.state === 'paused');
    expect(story.record(1)).toMatchObject({ phase: 'running', epoch: 1 });
    expect(story.record(1)?.formerVolumes).toBeUndefined();
    letKills();
    order(story, 'resume');
    await untilDone(story);
    await story.stop();
  });

  it('while a copy is made: the node is back on its old volumes, and the half copy is on record', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    order(story, 'rollback');
    await story.until('it is paused', () => migrationOf(story)?.state === 'paused');
    await story.untilRunning(1);
    expect(story.record(1)).toMatchObject({ epoch: 3, volumes: { data: { driver: 'hostdir' } } });
    expect(story.record(1)?.formerVolumes).toMatchObject([
      { epoch: 2, volumes: { data: { driver: 'newdir' } } },
    ]);
    await story.advance(60_000);
    expect(stage(story, 1)).toBeUndefined();
    story.master.copyByThemselves = true;
    order(story, 'resume');
    await untilDone(story);
    const copy = story.master.tasksOf(1).find(({ executor }) => executor.spec.epoch === 4);
    // Nobody has ordered that anything is written over: the half copy shows by itself that it is one of this migration.
    expect(copy?.executor.spec.migration).toMatchObject({ overwriteFormer: false, sinceEpoch: 3 });
    await story.stop();
  });

  it('after a copy was verified, as long as nothing was launched on it', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    for (const agent of story.master.agents.values()) agent.full = true;
    story.master.withdrawOffers();
    await copyTask(story)!.executor.finishCopy();
    await untilStage(story, 'copied');
    order(story, 'rollback');
    await story.until('it is paused', () => migrationOf(story)?.state === 'paused');
    expect(story.record(1)).toMatchObject({ phase: 'vacant', volumes: { data: { driver: 'hostdir' } } });
    const { takenBack } = story.record(1)!;
    expect(takenBack).toBe(migrationOf(story)?.id);
    for (const agent of story.master.agents.values()) agent.full = false;
    await story.untilRunning(1);
    // What the copy has marked as moved counts again, for this one launch.
    expect(story.master.taskOf(1).executor.spec).toMatchObject({ purpose: 'run', takenBack });
    expect(story.record(1)?.takenBack).toBeUndefined();
    story.master.copyByThemselves = true;
    order(story, 'resume');
    await untilDone(story);
    await story.stop();
  });

  it('not any more once the node was launched on the new volumes, whatever became of it', async () => {
    const story = await running();
    story.master.runByThemselves = false;
    order(story, TO_NEW);
    await story.until('it is launched', () => stage(story, 1) === 'copied' && story.record(1)?.epoch === 3);
    await story.master.taskOf(1).executor.stop('TASK_FAILED');
    order(story, 'rollback');
    await story.until('it is paused', () => migrationOf(story)?.state === 'paused');
    expect(migrationOf(story)?.why).toContain('node 1 was launched on its new volumes (newdir)');
    await comeUp(story);
    await story.advance(60_000);
    expect(story.record(1)).toMatchObject({ phase: 'running', volumes: { data: { driver: 'newdir' } } });
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });
});
