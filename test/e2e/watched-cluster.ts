/** A live cluster on hostdir and a second hostdir to move to, with a writer and an auditor that has all their stores. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForNode } from '@mesos-elasticsearch/local/testing';
import type { Undo } from '@mesos-elasticsearch/cli';
import { startAuditor, type Auditor } from '../faults/auditor/start-auditor.ts';
import { startCluster, type ClusterUnderTest } from '../faults/cluster/start-cluster.ts';
import { Writer } from '../faults/writer.ts';
import { COMMAND } from './demo-run.ts';
import { startSecondHostdir, type SecondDriver } from './second-drivers.ts';

const SHAPE = { nodes: 3, agents: 3, driver: 'hostdir', suspectPolicy: 'fence', place: 'directory' } as const;

export interface WatchedCluster {
  readonly cluster: ClusterUnderTest;
  readonly writer: Writer;
  readonly auditor: Auditor;
  readonly second: SecondDriver;
}

/**
 * What was started is undone by `undo`, also when a later step fails.
 * @param more starts a further driver, whose stores the auditor gets too
 */
export async function startWatchedCluster(
  undo: Undo,
  more: (cluster: ClusterUnderTest) => Promise<SecondDriver | undefined> = () => Promise.resolve(undefined),
): Promise<WatchedCluster> {
  const auditorProgram = await bundleForNode(
    fileURLToPath(new URL('../faults/auditor/main.ts', import.meta.url)),
    'auditor.mjs',
  );
  undo.add('the bundled auditor', () => rm(dirname(auditorProgram), { recursive: true }));
  const around = { command: COMMAND, tell: () => undefined, undo, interrupt: new AbortController() };
  const cluster = await startCluster(SHAPE, around);
  const second = await startSecondHostdir(cluster, COMMAND, undo);
  const further = await more(cluster);
  const stores = [...cluster.stores, ...second.stores, ...(further?.stores ?? [])];
  const auditor = await startAuditor(auditorProgram, stores);
  undo.add('the auditor', () => auditor.stop());
  const writer = new Writer({
    elasticsearch: cluster.elasticsearch,
    addresses: () => cluster.addresses(),
    nodes: cluster.shape.nodes,
    file: join(cluster.work.logs, 'acknowledged'),
  });
  await writer.start();
  undo.add('the writer', () => writer.stop());
  return { cluster, writer, auditor, second };
}

/** Runs our command; gives what it printed. The run rejects with that when it fails or is not done in time. */
export function commandWithin(limitMs: number): (...argv: string[]) => Promise<string> {
  return (...argv) =>
    new Promise((resolve, reject) => {
      execFile(process.execPath, [COMMAND, ...argv], { timeout: limitMs }, (error, stdout, stderr) => {
        if (error === null) resolve(`${stdout}${stderr}`);
        else reject(new Error(`${argv.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
      });
    });
}
