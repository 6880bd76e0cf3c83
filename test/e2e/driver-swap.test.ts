/** The volume driver of a live cluster is swapped, node by node, with a writer running: real Elasticsearch, real drivers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand, Undo } from '@mesos-elasticsearch/cli';
import type { Auditor } from '../faults/auditor/start-auditor.ts';
import type { ClusterUnderTest } from '../faults/cluster/start-cluster.ts';
import { untilWhole } from '../faults/cluster/wholeness.ts';
import { whyNotHere } from '../faults/run/requirements.ts';
import type { Writer } from '../faults/writer.ts';
import { COMMAND } from './demo-run.ts';
import { startSecondRclone, type SecondDriver } from './second-drivers.ts';
import { commandWithin, startWatchedCluster } from './watched-cluster.ts';

const why = await whyNotHere(COMMAND);
const withoutRclone = await rcloneMissing();

const WHOLE_WITHIN_MS = 120_000;
const command = commandWithin(500_000);
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
    let second: SecondDriver;
    let rclone: SecondDriver | undefined;

    beforeAll(async () => {
      ({ cluster, writer, auditor, second } = await startWatchedCluster(undo, async (live) => {
        if (withoutRclone === undefined) rclone = await startSecondRclone(live, undo);
        return rclone;
      }));
    });
    afterAll(async () => {
      expect(await undo.run(() => undefined)).toEqual([]);
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
