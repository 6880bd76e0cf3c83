import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { MemoryLedgerDisk, MemoryLeases } from '@mesos-elasticsearch/coordination/testing';
import { desiredCluster, FakeMaster, ManualClock } from '../testing/index.ts';
import type { SchedulerOptions } from '../options.ts';
import { startScheduler } from './start-scheduler.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'scheduler-'))));
afterEach(() => rm(folder, { recursive: true }));

async function world(port = 0) {
  const clock = new ManualClock();
  const disk = new MemoryLedgerDisk();
  const leases = new MemoryLeases();
  const master = new FakeMaster(clock, leases, ['agent-1', 'agent-2', 'agent-3', 'agent-4']);
  const bundleFile = join(folder, 'bundle.mjs');
  await writeFile(bundleFile, 'console.log(1)');
  const { framework, cluster, node, executor, suspects } = desiredCluster();
  const options: SchedulerOptions = {
    mesos: { masters: ['http://127.0.0.1:5050'], encoding: 'json' },
    framework,
    cluster,
    node,
    executor: { ...executor, bundleFile },
    suspects,
    api: { host: '127.0.0.1', port, publicHost: '127.0.0.1' },
    ledger: disk.open(),
    leases,
    log: pino({ level: 'silent' }),
    clock,
    connect: (info, handlers) => master.subscribe(info.id, handlers),
  };
  return { clock, disk, leases, master, options };
}

async function json(
  url: string,
  init?: RequestInit,
): Promise<{ status: number; body: { error?: string; nodes?: unknown[]; offers?: unknown[] } }> {
  const response = await fetch(url, init);
  return { status: response.status, body: (await response.json()) as { error?: string } };
}
const body = (method: string, value: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

describe('the scheduler over HTTP', () => {
  it('shows nodes, offers and cluster, and serves the executor under its checksum', async () => {
    const { clock, master, options } = await world();
    const scheduler = await startScheduler(options);
    await clock.advance(5000);
    expect(scheduler.nodes().map((node) => node.phase)).toEqual(['running', 'running', 'running']);

    const nodes = await json(`${scheduler.url}/v1/nodes`);
    expect(nodes.body.nodes?.[0]).toMatchObject({
      nodeId: 1,
      epoch: 1,
      phase: 'running',
      volumes: ['elasticsearch1config', 'elasticsearch1data'],
    });
    expect((await json(`${scheduler.url}/health`)).body).toMatchObject({ status: 'up', store: 'answers' });
    expect((await json(`${scheduler.url}/v1/offers/last`)).body.offers?.[0]).toMatchObject({ rule: 'offer' });
    expect((await json(`${scheduler.url}/v1/cluster`)).body).toMatchObject({
      wantedNodes: 3,
      bootstrapped: true,
    });

    const [uri] = master.taskOf(1).task.executor?.command?.uris ?? [];
    const served = Buffer.from(await (await fetch(uri!.value)).arrayBuffer());
    const sha256 = createHash('sha256').update(served).digest('hex');
    expect(uri?.value).toContain(sha256);
    expect(master.taskOf(1).task.executor?.command?.arguments).toContain(sha256);
    await scheduler.stop();
    expect(await scheduler.done).toEqual({ kind: 'stopped' });
  });

  it('takes a new size, and refuses one that would take nodes away', async () => {
    const { clock, options } = await world();
    const scheduler = await startScheduler(options);
    await clock.advance(5000);
    const size = `${scheduler.url}/v1/cluster/elasticsearchNodes`;
    expect((await json(size, body('PUT', { value: 0 }))).status).toBe(400);
    expect((await json(size, body('PUT', { value: 2 }))).status).toBe(409);
    expect((await json(size, body('PUT', { value: 4 }))).status).toBe(202);
    await clock.advance(5000);
    expect((await json(size)).body).toEqual({ value: 4 });
    await scheduler.stop();
  });

  it('releases a suspect node only on a word that names its epoch', async () => {
    const { clock, master, options } = await world();
    const scheduler = await startScheduler({ ...options, suspects: { ...options.suspects, policy: 'wait' } });
    await clock.advance(5000);
    const release = `${scheduler.url}/v1/nodes/2/release`;
    const word = { confirm: 'the-holder-is-gone', epoch: 1 };
    expect((await json(release, body('POST', word))).body.error).toContain('node 2 is running');
    const lost = master.taskOf(2).agent.name;
    master.killMachine(lost);
    master.declareUnreachable(lost);
    await clock.advance(5000);
    expect((await json(release, body('POST', {}))).status).toBe(400);
    expect((await json(release, body('POST', { ...word, epoch: 7 }))).status).toBe(409);
    expect((await json(release, body('POST', word))).status).toBe(202);
    await clock.advance(10_000);
    expect(scheduler.nodes()[1]).toMatchObject({ phase: 'running', epoch: 2 });
    await scheduler.stop();
  });

  it('retires the highest node, asks about its volumes, and keeps settings, each on a word', async () => {
    const { clock, options, disk } = await world();
    const scheduler = await startScheduler({ ...options, cluster: { ...options.cluster, nodes: 4 } });
    await clock.advance(5000);
    const post = (path: string, value: unknown) =>
      json(`${scheduler.url}/v1/nodes/${path}`, body('POST', value));
    const word = { confirm: 'its-shards-are-elsewhere', epoch: 1 };
    expect((await post('4/retire', {})).status).toBe(400);
    expect((await post('2/retire', word)).body.error).toContain('only the highest node ID');
    expect((await post('4/reuse', { volumes: 'keep' })).status).toBe(409);
    expect((await post('4/retire', word)).status).toBe(202);
    await clock.advance(5000);
    expect(scheduler.nodes()[3]).toMatchObject({ nodeId: 4, phase: 'retired' });
    expect((await post('3/retire', word)).body.error).toContain('elect the master');
    expect((await post('4/reuse', { volumes: 'wipe' })).status).toBe(202);

    const settings = `${scheduler.url}/v1/cluster/settings`;
    expect((await json(settings, body('PUT', { suspectPolicy: 'hope' }))).status).toBe(400);
    expect(
      (await json(settings, body('PUT', { suspectPolicy: 'wait', retiredVolumes: 'keep' }))).status,
    ).toBe(202);
    await clock.advance(1000);
    expect(disk.framework?.record.settings).toEqual({ suspectPolicy: 'wait', retiredVolumes: 'keep' });
    expect(scheduler.cluster()).toMatchObject({ suspectPolicy: 'wait', retiredVolumes: 'keep' });
    await scheduler.stop();
  });

  it('refuses to start on a taken port, and says what to do', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const { options, master } = await world(port);
    await expect(startScheduler(options)).rejects.toThrow(/is taken by another program/);
    expect(master.calls).toEqual([]);
    await new Promise((resolve) => blocker.close(resolve));
  });

  it('refuses a ledger of another cluster', async () => {
    const { options } = await world();
    await options.ledger.writeFramework(
      {
        clusterIdentity: '3f0e3a3e-6b0f-4d0a-9f57-1d9f3c1b2a10' as never,
        frameworkName: 'other',
        clusterName: 'mesos-ha',
        bootstrapped: false,
      },
      0,
    );
    await expect(startScheduler(options)).rejects.toThrow(/belongs to framework other/);
  });

  it('refuses to start without the executor bundle', async () => {
    const { options } = await world();
    const executor = { ...options.executor, bundleFile: join(folder, 'missing') };
    await expect(startScheduler({ ...options, executor })).rejects.toThrow(/executor bundle cannot be read/);
  });
});
