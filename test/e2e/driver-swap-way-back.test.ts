/** A swap of the volume driver that is paused in the middle, survives its scheduler, and takes a node back: real processes. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Undo } from '@mesos-elasticsearch/cli';
import type { Auditor } from '../faults/auditor/start-auditor.ts';
import type { ClusterUnderTest } from '../faults/cluster/start-cluster.ts';
import { untilWhole } from '../faults/cluster/wholeness.ts';
import { whyNotHere } from '../faults/run/requirements.ts';
import type { Writer } from '../faults/writer.ts';
import { COMMAND } from './demo-run.ts';
import type { SecondDriver } from './second-drivers.ts';
import { commandWithin, startWatchedCluster } from './watched-cluster.ts';

const why = await whyNotHere(COMMAND);

const WITHIN_MS = 120_000;
const POLL_MS = 200;
const FRESH_DOCUMENTS = 40;
const command = commandWithin(60_000);
/** Copies need no Java; so a node is copied, and then no Elasticsearch starts on the copy. */
const WITHOUT_JAVA = { javaHome: '/nowhere/java' };

interface Shown {
  readonly ordered?: { readonly state: string; readonly why: string };
  readonly nodes: readonly {
    readonly nodeId: number;
    readonly phase: string;
    readonly stage?: string;
    readonly host?: string;
    readonly rollback?: string;
    readonly failedStarts: number;
    readonly volumes?: { readonly data: { readonly driver: string } };
  }[];
  readonly waitsFor: readonly { readonly rule: string; readonly nodeId?: number }[];
}

describe.skipIf(why !== undefined)(
  `a swap of the volume driver${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    const undo = new Undo();
    let cluster: ClusterUnderTest;
    let writer: Writer;
    let auditor: Auditor;
    let second: SecondDriver | undefined;

    beforeAll(async () => {
      ({ cluster, writer, auditor, second } = await startWatchedCluster(undo));
    });
    afterAll(async () => {
      // Stopped ones do not hear that they are to end.
      if (second) signalAll(second, 'SIGCONT');
      expect(await undo.run(() => undefined)).toEqual([]);
    });

    const migrate = (...words: string[]) =>
      command('volumes', 'migrate', '--api', cluster.schedulers.url, ...words);

    async function look(): Promise<Shown> {
      const response = await fetch(`${cluster.schedulers.url}/v1/cluster/migration`);
      return (await response.json()) as Shown;
    }

    async function until(what: string, holds: (shown: Shown, first: Shown['nodes'][number]) => boolean) {
      const deadline = performance.now() + WITHIN_MS;
      for (;;) {
        cluster.signal.throwIfAborted();
        const shown = await look();
        const first = shown.nodes.find(({ nodeId }) => nodeId === 1);
        if (first !== undefined && holds(shown, first)) return shown;
        if (performance.now() > deadline) throw new Error(`${what}: not in time: ${JSON.stringify(shown)}`);
        await pause(POLL_MS);
      }
    }

    async function nothingIsLost(): Promise<void> {
      await untilWhole(cluster, WITHIN_MS);
      const { acknowledged, missing } = await writer.verify();
      expect(missing).toEqual([]);
      expect(acknowledged).toBeGreaterThan(FRESH_DOCUMENTS);
      expect((await auditor.audit()).overlaps).toEqual([]);
    }

    it('is paused in the middle of a copy, and stays so when the scheduler is killed', async () => {
      await writer.untilAcknowledged(FRESH_DOCUMENTS, WITHIN_MS);
      // The new driver does not answer: the copy is under way for as long as the test wants.
      signalAll(second!, 'SIGSTOP');
      const ordered = await fetch(`${cluster.schedulers.url}/v1/cluster/migration`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ to: second!.name }),
      });
      expect(ordered.status).toBe(202);
      await until('node 1 is copied', (_, { phase, host }) => phase === 'migrating' && host !== undefined);
      await migrate('pause');
      await until('it is paused', ({ ordered: known }) => known?.state === 'paused');
      await cluster.schedulers.kill();
      await cluster.schedulers.startLeader(WITHOUT_JAVA);
      signalAll(second!, 'SIGCONT');
      const shown = await until('its copy is stopped', (_, { host }) => host === undefined);
      expect(shown.ordered?.state).toBe('paused');
      expect(shown.nodes[0]).toMatchObject({ phase: 'migrating', stage: 'copying', rollback: 'free' });
      expect(await migrate('status')).toContain('migration-paused');
      // Two nodes serve.
      await writer.untilAcknowledged(FRESH_DOCUMENTS, WITHIN_MS);
    });

    it('goes on when it is told to; a node that cannot start on its copy goes back, for nothing ran there', async () => {
      await migrate('resume');
      await until(
        'node 1 has failed to start on its copy',
        (_, { stage, rollback, failedStarts }) =>
          stage === 'copied' && rollback === 'free' && failedStarts > 0,
      );
      await migrate('rollback');
      const back = await until('it is taken back', ({ ordered }) => ordered?.state === 'paused');
      expect(back.nodes[0]).toMatchObject({ volumes: { data: { driver: 'hostdir' } } });
      expect(back.nodes[0]?.stage).toBeUndefined();
      await cluster.schedulers.kill();
      await cluster.schedulers.startLeader();
      await nothingIsLost();
      expect(await driversNow()).toEqual(['hostdir', 'hostdir', 'hostdir']);
    });

    it('brings the copy that was taken back up to date, with no leave to write over anything', async () => {
      await writer.untilAcknowledged(FRESH_DOCUMENTS, WITHIN_MS);
      await migrate('resume');
      await until('node 1 is copied', ({ ordered }, { stage }) => {
        if (ordered?.state === 'paused') throw new Error(ordered.why);
        return stage === 'copied';
      });
      // It comes up on its copy; no further turn begins.
      await migrate('pause');
      await until('its turn is over', (_, { stage, phase }) => stage === undefined && phase === 'running');
      await nothingIsLost();
      expect(await driversNow()).toEqual([second!.name, 'hostdir', 'hostdir']);
    });

    async function driversNow(): Promise<(string | undefined)[]> {
      return (await look()).nodes.map(({ volumes }) => volumes?.data.driver);
    }
  },
);

function signalAll({ pids }: SecondDriver, signal: NodeJS.Signals): void {
  for (const pid of pids) process.kill(pid, signal);
}
