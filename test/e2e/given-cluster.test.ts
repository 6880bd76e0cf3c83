/** The main job on a Mesos cluster that is there already (MESOS_MASTER), with harm where CLUSTER_CONTROL names a program. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programClusterControl } from '@mesos-elasticsearch/local';
import { commandIsBuilt } from './demo-run.ts';
import { GivenCluster, LEASE_MS, PAUSE_BOUND_MS, whyNoGivenCluster } from './given-cluster.ts';

const why = commandIsBuilt ? whyNoGivenCluster(process.env) : 'the command is not built (npm run build)';
const program = process.env['CLUSTER_CONTROL'];
const whyNoHarm = program === undefined || program === '' ? 'CLUSTER_CONTROL is not set' : why;
const RUNS_WITHIN_MS = 300_000;
const MARGIN_MS = 5000;
const INDEX = 'kept';
const DOCUMENTS = Array.from({ length: 500 }, (_, index) => `document-${index + 1}`);

describe.skipIf(why !== undefined)(
  `a cluster that is there already${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let cluster: GivenCluster;
    const never = new AbortController().signal;
    const runs = () =>
      cluster.board.until('node 1 runs', () => cluster.board.node(1) !== undefined, RUNS_WITHIN_MS, never);
    const nothingLost = async () => {
      await cluster.elasticsearch.refresh(INDEX);
      expect(await cluster.elasticsearch.missing(INDEX, DOCUMENTS)).toEqual([]);
    };

    beforeAll(async () => {
      cluster = await GivenCluster.make(process.env);
      await cluster.start();
      await runs();
      await cluster.elasticsearch.createIndex(INDEX, 1);
      await cluster.elasticsearch.index(INDEX, DOCUMENTS);
    }, 400_000);
    afterAll(() => cluster.remove(), 120_000);

    it('runs on while its scheduler is stopped and started again, as the same task', async () => {
      const before = cluster.board.node(1)!;
      const scheduler = await cluster.start().catch((error: unknown) => error);
      expect(String(scheduler)).toContain('is in use by process');
      await cluster.restart();
      await nothingLost();
      expect(await cluster.nodes()).toMatchObject([
        { nodeId: 1, phase: 'running', epoch: before.epoch, taskId: before.taskId },
      ]);
    });

    describe.skipIf(whyNoHarm !== undefined)(
      `whose agents come to harm${whyNoHarm === undefined ? '' : ` (skipped: ${whyNoHarm})`}`,
      () => {
        const control = programClusterControl(program ?? '');

        it('keeps a node whose agent is only cut off', async () => {
          const before = cluster.board.node(1)!;
          const victim = { kind: 'agent', agent: before.host } as const;
          cluster.told.length = 0;
          await control.partition(victim);
          // Time itself is what is tested here: nobody may take over while the lease is being renewed.
          await pause(LEASE_MS + PAUSE_BOUND_MS + MARGIN_MS);
          expect(cluster.told).not.toContain('released');
          await control.heal(victim);
          await runs();
          expect(cluster.board.node(1)).toEqual(before);
          await nothingLost();
        });

        it('has every document after an agent was killed and started again', async () => {
          const victim = { kind: 'agent', agent: cluster.board.node(1)!.host } as const;
          cluster.told.length = 0;
          await control.kill(victim);
          await cluster.board.until(
            'node 1 is missed',
            () => cluster.told.includes('suspect'),
            RUNS_WITHIN_MS,
            never,
          );
          await control.start(victim);
          await runs();
          await nothingLost();
        });
      },
    );
  },
);
