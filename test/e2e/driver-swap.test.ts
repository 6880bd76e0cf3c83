/** The volume driver of a live cluster is swapped, node by node, with a writer running: real Elasticsearch, real drivers. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand, Undo } from '@mesos-elasticsearch/cli';
import { bundleForNode } from '@mesos-elasticsearch/local/testing';
import { startAuditor, type Auditor } from '../faults/auditor/start-auditor.ts';
import { startCluster, type ClusterUnderTest } from '../faults/cluster/start-cluster.ts';
import { untilWhole } from '../faults/cluster/wholeness.ts';
import { whyNotHere } from '../faults/run/requirements.ts';
import { Writer } from '../faults/writer.ts';
import { COMMAND } from './demo-run.ts';
import { startSecondHostdir, startSecondRclone, type SecondDriver } from './second-drivers.ts';

const why = await whyNotHere(COMMAND);
const withoutRclone = await rcloneMissing();

const WHOLE_WITHIN_MS = 120_000;
/** Acknowledged shortly before each swap: what was written last is what is lost first. */
const FRESH_DOCUMENTS = 40;

interface ShownNodes {
  readonly nodes: readonly { readonly drivers: readonly string[] }[];
}

describe.skipIf(why !== undefined)(
  `the volume driver${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    const undo = new Undo();
    let cluster: ClusterUnderTest;
    let writer: Writer;
    let auditor: Auditor;
    let auditorProgram: string;
    let second: SecondDriver;
    let rclone: SecondDriver | undefined;

    beforeAll(async () => {
      auditorProgram = await bundleForNode(
        fileURLToPath(new URL('../faults/auditor/main.ts', import.meta.url)),
        'auditor.mjs',
      );
      const around = { command: COMMAND, tell: () => undefined, undo, interrupt: new AbortController() };
      const shape = {
        nodes: 3,
        agents: 3,
        driver: 'hostdir',
        suspectPolicy: 'fence',
        place: 'directory',
      } as const;
      cluster = await startCluster(shape, around);
      second = await startSecondHostdir(cluster, COMMAND, undo);
      if (withoutRclone === undefined) rclone = await startSecondRclone(cluster, undo);
      const stores = [...cluster.stores, ...second.stores, ...(rclone?.stores ?? [])];
      auditor = await startAuditor(auditorProgram, stores);
      undo.add('the auditor', () => auditor.stop());
      writer = new Writer({
        elasticsearch: cluster.elasticsearch,
        addresses: () => cluster.addresses(),
        nodes: cluster.shape.nodes,
        file: join(cluster.work.logs, 'acknowledged'),
      });
      await writer.start();
      undo.add('the writer', () => writer.stop());
    });
    afterAll(async () => {
      expect(await undo.run(() => undefined)).toEqual([]);
      await rm(dirname(auditorProgram), { recursive: true });
    });

    async function swap(to: SecondDriver, ...more: string[]): Promise<string> {
      await writer.untilAcknowledged(FRESH_DOCUMENTS, WHOLE_WITHIN_MS);
      const options = Object.entries(to.options).map(([key, value]) => `${key}=${value}`);
      const argv = ['volumes', 'migrate', '--api', cluster.schedulers.url, '--to', to.name, '--yes', ...more];
      const said = await command(...argv, ...(options.length === 0 ? [] : ['--options', options.join(',')]));
      await untilWhole(cluster, WHOLE_WITHIN_MS);
      expect(await driversOf(cluster)).toEqual(new Set([to.name]));
      const { acknowledged, missing } = await writer.verify();
      expect(missing).toEqual([]);
      expect(acknowledged).toBeGreaterThan(FRESH_DOCUMENTS);
      expect((await auditor.audit()).overlaps).toEqual([]);
      return said;
    }

    it('is swapped for another store while a writer goes on, and says what cannot be reached meanwhile', async () => {
      const said = await swap(second);
      // One index of the writer has no replicas.
      expect(said).toMatch(/single/);
    });

    it.skipIf(withoutRclone !== undefined)(
      `is swapped for rclone${withoutRclone === undefined ? '' : ` (skipped: ${withoutRclone})`}`,
      async () => {
        await swap(rclone!);
      },
    );

    it.skipIf(withoutRclone !== undefined)(
      'is swapped back, over the older copy that is still there',
      async () => {
        await swap(second, '--overwrite-former');
      },
    );
  },
);

async function command(...argv: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [COMMAND, ...argv], { timeout: 500_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else reject(new Error(`${argv.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
    });
  });
}

async function driversOf(cluster: ClusterUnderTest): Promise<Set<string>> {
  const response = await fetch(`${cluster.schedulers.url}/v1/nodes`);
  const { nodes } = (await response.json()) as ShownNodes;
  return new Set(nodes.flatMap(({ drivers }) => drivers));
}

async function rcloneMissing(): Promise<string | undefined> {
  for (const needed of ['rclone', 'fusermount3']) {
    if ((await findCommand(needed, process.env)) === undefined) return `${needed} is not installed`;
  }
  return undefined;
}
