/**
 * From the proof on the wire to the ACCEPT on the wire, with an offer at hand: everything that the scheduler does in
 * between, on a real disk (record, close the epoch, record, open the next one) and over real HTTP.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeLaunchSpec, encodeJson, type LaunchSpec } from '@mesos-elasticsearch/contract';
import { directoryLeases, openDirectoryLedger, type LeaseService } from '@mesos-elasticsearch/coordination';
import type { SchedulerCall, SchedulerEvent, TaskInfo, TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import { schedulerSubscribed, startFakeMaster } from '@mesos-elasticsearch/mesos-v1/testing';
import type { Subscription } from '@mesos-elasticsearch/mesos-v1/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { desiredCluster, offerOf } from '../testing/index.ts';
import { startScheduler, type RunningScheduler } from './start-scheduler.ts';

/** Milliseconds. A node that may move must not wait for us. */
const LIMIT_MS = 20;
const MOVES = 21;

describe('the decision to launch a node again', () => {
  let folder: string;
  let leases: LeaseService;
  let scheduler: RunningScheduler;
  let master: Awaited<ReturnType<typeof startFakeMaster>>;
  let stream: Subscription<SchedulerCall, SchedulerEvent>;
  /** Accepted and not run yet. */
  let launched: TaskInfo | undefined;
  let updates = 0;
  let offers = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'decision-time-'));
    const leaseDirectory = join(folder, 'leases');
    await mkdir(leaseDirectory);
    leases = directoryLeases(leaseDirectory);
    master = await startFakeMaster();
    const { framework, cluster, node, executor, suspects } = desiredCluster({ cluster: { nodes: 1 } });
    const bundleFile = join(folder, 'executor.mjs');
    await writeFile(bundleFile, '');
    scheduler = await startScheduler({
      mesos: { masters: [master.url.origin], encoding: 'protobuf' },
      ...{ framework, cluster, node, suspects },
      executor: { ...executor, bundleFile },
      api: { host: '127.0.0.1', port: 0, publicHost: '127.0.0.1' },
      ledger: await openDirectoryLedger(join(folder, 'state')),
      leases,
      log: pino({ level: 'silent' }),
    });
    stream = await master.subscriptions.next();
    stream.send(schedulerSubscribed());
  });
  afterAll(async () => {
    await scheduler.stop();
    await master.close();
    await rm(folder, { recursive: true });
  });

  function offer(): void {
    offers += 1;
    stream.send({
      type: 'OFFERS',
      offers: { offers: [offerOf(`offer-${offers}`, `agent-${offers}`)] },
    });
  }

  function update(task: TaskInfo, status: Omit<TaskStatus, 'taskId'>): void {
    updates += 1;
    const uuid = Buffer.from(`uuid-of-16-bytes${updates}`.slice(-16)).toString('base64');
    const { taskId, agentId } = task;
    stream.send({
      type: 'UPDATE',
      update: { status: { ...status, taskId, agentId, uuid: uuid as NonNullable<TaskStatus['uuid']> } },
    });
  }

  /** The first call that is an ACCEPT, and when it came. */
  async function accepted(): Promise<{ task: TaskInfo; atMs: number }> {
    for (;;) {
      const { call } = await master.calls.next();
      const atMs = performance.now();
      if (call.type !== 'ACCEPT') continue;
      const task = call.accept.operations?.[0]?.launch?.taskInfos?.[0];
      if (task === undefined) throw new Error('an ACCEPT without a task');
      return { task, atMs };
    }
  }

  async function run(task: TaskInfo): Promise<void> {
    const spec = decodeLaunchSpec(task.data!);
    const taken = await leases.take(leaseOf(spec));
    expect(taken).toBe('taken');
    const { nodeId, epoch } = spec;
    const report = { nodeId, epoch, http: 'a:1', transport: 'a:2', volumes: [], tied: true };
    const data = encodeJson({ version: 1, ...report });
    update(task, { state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR', data });
    // The last thing that a scheduler does before there is nothing left to do.
    await master.calls.next(({ call }) => call.type === 'MESSAGE');
    expect(scheduler.nodes()[0]?.phase).toBe('running');
  }

  // It measures time: what another program does at that moment may be at fault once.
  it(
    `takes less than ${LIMIT_MS} ms from the proof to the ACCEPT`,
    { retry: 2, timeout: 120_000 },
    async () => {
      if (launched === undefined) {
        offer();
        launched = (await accepted()).task;
      }
      let task = launched;
      const tookMs: number[] = [];
      for (let move = 0; move < MOVES; move += 1) {
        await run(task);
        // While it is in doubt an offer is kept at hand; then the executor speaks after all.
        update(task, { state: 'TASK_UNREACHABLE', source: 'SOURCE_MASTER', reason: 'REASON_AGENT_REMOVED' });
        await master.calls.next(({ call }) => call.type === 'REVIVE');
        offer();
        const beganMs = performance.now();
        update(task, { state: 'TASK_FAILED', source: 'SOURCE_EXECUTOR' });
        const next = await accepted();
        tookMs.push(next.atMs - beganMs);
        task = next.task;
        launched = task;
      }
      tookMs.sort((a, b) => a - b);
      const [median, worst] = [tookMs[Math.floor(MOVES / 2)]!, tookMs.at(-1)!];
      // eslint-disable-next-line no-console -- the figure is the point of this test
      console.log(`proof → ACCEPT: median ${median.toFixed(1)} ms, worst of ${MOVES} ${worst.toFixed(1)} ms`);
      expect(median).toBeLessThan(LIMIT_MS);
    },
  );
});

function leaseOf(spec: LaunchSpec) {
  return {
    ...{ nodeId: spec.nodeId, epoch: spec.epoch, taskId: spec.taskId },
    ...{ holder: crypto.randomUUID(), host: 'agent', durationMs: spec.lease.durationMs },
    ...{ selfFencing: true, guarded: true, counter: 0 },
  };
}
