import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { MemoryLedgerDisk, MemoryLeases } from '@mesos-elasticsearch/coordination/testing';
import { nodeId } from '@mesos-elasticsearch/contract';
import { desiredCluster, FakeMaster, ManualClock } from '../testing/index.ts';
import {
  back,
  copyTask,
  order,
  running,
  stage,
  TO_NEW,
  untilDone,
  untilStage,
} from '../testing/migration-story.ts';
import type { Story } from '../testing/index.ts';
import type { MigrationOrder } from '../core/migration/orders.ts';
import { refuseMigration, refusePurge } from './migration-orders.ts';
import { startScheduler, type RunningScheduler } from './start-scheduler.ts';

const refusalOf = (story: Story, given: MigrationOrder) =>
  refuseMigration(story.desired, story.driving!.loop.model(), given)?.message;

describe('an order to migrate is refused', () => {
  it('while another migration is under way, and taken again when it is done or paused without a turn', async () => {
    const story = await running();
    expect(refusalOf(story, TO_NEW)).toBeUndefined();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    expect(refusalOf(story, TO_NEW)).toContain('a migration to newdir is under way (running)');
    order(story, 'pause');
    await story.advance(20_000);
    expect(refusalOf(story, TO_NEW)).toContain('under way (paused)');
    order(story, 'rollback');
    await story.untilRunning(1);
    expect(refusalOf(story, { ...TO_NEW, overwriteFormer: true })).toBeUndefined();
    await story.stop();
  });

  it('for a driver of the same name with other options, for names would collide, and for a bad name', async () => {
    const story = await running();
    const to = (driver: string, options = {}) => ({
      ...TO_NEW,
      to: { config: { driver, options }, data: { driver, options } },
    });
    expect(refusalOf(story, to('hostdir', { size: '2' }))).toContain('old and new would have the same names');
    expect(refusalOf(story, to('hostdir'))).toContain('every node is on hostdir');
    expect(refusalOf(story, to('../evil'))).toContain('is no driver');
    await story.stop();
  });

  it('to a driver that the cluster would not be started with, with all that is wrong', async () => {
    const story = await running();
    const desired: typeof story.desired = {
      ...story.desired,
      driverFaults: ({ driver, options }) => [`${driver} has ${options['size']}`, 'it does not revoke'],
    };
    const to = { driver: 'rexray', options: { size: 'XL' } };
    const refused = refuseMigration(desired, story.driving!.loop.model(), {
      ...TO_NEW,
      to: { config: to, data: to },
    });
    expect(refused).toMatchObject({ status: 409 });
    expect(refused?.message).toMatch(/: rexray has XL; it does not revoke$/);
    await story.stop();
  });

  it('where only the Docker Engine mounts the volumes', async () => {
    const story = await running({
      cluster: { volumePath: { kind: 'engine' } },
      node: { runtime: { kind: 'docker', image: 'e', forcePull: false, socket: '/docker.sock' } },
    });
    expect(refusalOf(story, TO_NEW)).toContain('plugin-socket');
    await story.stop();
  });

  it('to volumes that the isolator could not be told of, for no node would ever run on them', async () => {
    const paths = { config: '/tmp/config', data: '/data' };
    const story = await running({
      cluster: { volumeMounter: { kind: 'dvdi-isolator', paths, dvdcli: '/usr/bin/dvdcli' } },
    });
    const to = (driver: string, options = {}) =>
      refusalOf(story, { ...TO_NEW, to: { config: { driver, options }, data: { driver, options } } });
    expect(to('rexray')).toBeUndefined();
    expect(to('rclone', { remote: ':local:/srv/{volume}' })).toMatch(
      /node 1 could not run there: DVDI_VOLUME_OPTS1 .*prohibits: ":"/,
    );
    await story.stop();
  });

  it('back to a driver whose former volumes are kept, unless they may be written over or were purged', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilDone(story);
    expect(refusalOf(story, back(false))).toContain(
      'node 1 has former volumes of hostdir from epoch 2: purge them',
    );
    expect(refusalOf(story, back(true))).toBeUndefined();
    for (const node of [1, 2, 3]) {
      const purge = { nodeId: node, driver: 'hostdir', epoch: 2 };
      expect(refusePurge(story.driving!.loop.model(), purge)).toBeUndefined();
      story.driving!.loop.dispatch({ kind: 'former-volumes-purged', ...purge, nodeId: nodeId(node) });
    }
    await story.advance(1000);
    expect(story.record(1)?.formerVolumes).toBeUndefined();
    expect(refusalOf(story, back(false))).toBeUndefined();
    await story.stop();
  });

  it('before every node that was assigned has run; one that comes in between waits', async () => {
    const story = await running();
    story.master.runByThemselves = false;
    story.driving!.loop.dispatch({ kind: 'size-ordered', nodes: 4 });
    await story.until('node 4 is assigned', () => story.phase(4) === 'assigned');
    order(story, TO_NEW);
    await story.advance(5000);
    expect(story.disk.framework?.record.migration).toBeUndefined();
    expect(story.driving!.loop.waits().map(({ rule }) => rule)).toContain('migration-turn');
    story.master.taskOf(4).executor.sayRunning();
    story.master.runByThemselves = true;
    await story.until('it is on record', () => story.disk.framework?.record.migration !== undefined);
    await story.stop();
  });
});

describe('other orders', () => {
  it('are refused where there is nothing to order about, or it is too late', async () => {
    const story = await running();
    expect(refusalOf(story, { kind: 'pause' })).toContain('no migration was ordered');
    story.master.runByThemselves = false;
    order(story, TO_NEW);
    await story.until(
      'node 1 is launched',
      () => stage(story, 1) === 'copied' && story.record(1)!.epoch === 3,
    );
    expect(refusalOf(story, { kind: 'pause' })).toBeUndefined();
    expect(refusalOf(story, { kind: 'rollback' })).toContain('node 1 was launched on its new volumes');
    await story.stop();
  });

  it('do not purge what a node may still need', async () => {
    const story = await running();
    order(story, TO_NEW);
    await untilStage(story, 'copying');
    await copyTask(story)!.executor.finishCopy();
    story.master.runByThemselves = false;
    await story.until(
      'node 1 is launched',
      () => stage(story, 1) === 'copied' && story.record(1)!.epoch === 3,
    );
    const refused = (driver: string, epoch: number) =>
      refusePurge(story.driving!.loop.model(), { nodeId: 1, driver, epoch })?.message;
    expect(refused('hostdir', 2)).toContain('until it runs on its new ones');
    expect(refused('hostdir', 1)).toContain('no former volumes of hostdir from epoch 1');
    await story.stop();
  });
});

describe('the API of a migration', () => {
  let folder: string;
  let scheduler: RunningScheduler;
  let warnings: string[];
  const clock = new ManualClock();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'migration-'));
    warnings = [];
  });
  afterEach(async () => {
    await scheduler.stop();
    await rm(folder, { recursive: true });
  });

  /** One node, whose Elasticsearch answers nothing. */
  async function start(disk: MemoryLedgerDisk, driver: string): Promise<void> {
    const leases = new MemoryLeases();
    const master = new FakeMaster(clock, leases, ['127.0.0.1']);
    const bundleFile = join(folder, 'bundle.mjs');
    await writeFile(bundleFile, 'console.log(1)');
    const volumes = { config: { driver, options: {} }, data: { driver, options: {} } };
    const { framework, cluster, node, executor, suspects } = desiredCluster({
      cluster: { nodes: 1, volumes },
    });
    const write = (line: string) => warnings.push(line);
    scheduler = await startScheduler({
      mesos: { masters: ['http://127.0.0.1:5050'], encoding: 'json' },
      ...{ framework, cluster, node, suspects, leases, clock },
      executor: { ...executor, bundleFile },
      api: { host: '127.0.0.1', port: 0, publicHost: '127.0.0.1' },
      ledger: disk.open(),
      log: pino({ level: 'warn' }, { write }),
      connect: (info, handlers) => master.subscribe(info.id, handlers),
    });
    await clock.advance(5000);
  }

  async function ask(method: string, path: string, value?: unknown) {
    const body = value === undefined ? {} : { body: JSON.stringify(value) };
    const headers = value === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${scheduler.url}${path}`, { method, headers, ...body });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('takes the order and its changes, and shows all of it', async () => {
    await start(new MemoryLedgerDisk(), 'hostdir');
    const path = '/v1/cluster/migration';
    expect((await ask('GET', path)).body).toMatchObject({ nodes: [{ nodeId: 1, formerVolumes: [] }] });
    expect((await ask('PUT', path, { to: 'newdir', twice: true })).status).toBe(400);
    expect((await ask('PUT', path, { change: 'pause' })).status).toBe(404);
    expect((await ask('PUT', path, { change: 'resume', acceptDataLoss: 1 })).status).toBe(400);
    expect((await ask('PUT', path, { change: 'rollback', acceptDataLoss: 0 })).status).toBe(400);
    const order = { to: 'newdir', options: { path: '/{volume}' } };
    expect(await ask('PUT', path, order)).toMatchObject({
      status: 202,
      body: { message: expect.stringContaining('newdir') as string },
    });
    await clock.advance(1000);
    expect((await ask('GET', path)).body).toMatchObject({
      ordered: { state: 'running', wantedHealth: 'green', to: { data: { driver: 'newdir' } } },
      nodesToMove: [1],
    });
    expect(await ask('PUT', path, order)).toMatchObject({ status: 409 });
    expect(await ask('PUT', path, { change: 'rollback', acceptDataLoss: 1 })).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('node 1 has nothing to give up') as string },
    });
    expect((await ask('PUT', path, { change: 'pause' })).status).toBe(202);
    await clock.advance(1000);
    expect((await ask('GET', path)).body).toMatchObject({ ordered: { state: 'paused' } });
    const gone = await ask('DELETE', '/v1/nodes/1/former-volumes', { driver: 'hostdir', epoch: 1 });
    expect(gone.status).toBe(404);
    expect((await ask('DELETE', '/v1/nodes/1/former-volumes', {})).status).toBe(400);
    expect((await ask('GET', '/v1/nodes')).body).toMatchObject({ nodes: [{ drivers: ['hostdir'] }] });
  });

  it('a scheduler whose flags name another driver than the nodes have says so once, and what to do', async () => {
    const disk = new MemoryLedgerDisk();
    await start(disk, 'hostdir');
    expect(warnings).toEqual([]);
    await scheduler.stop();
    await start(disk, 'rclone');
    await clock.advance(60_000);
    const said = warnings.filter((line) => line.includes('volumes migrate --to rclone'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('hostdir');
  });
});
