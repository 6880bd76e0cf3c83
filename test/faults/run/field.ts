/** A warm cluster with its writer and its auditor: rows run on it one after the other. */
import { join } from 'node:path';
import { startAuditor, type Auditor } from '../auditor/start-auditor.ts';
import {
  startCluster,
  type ClusterShape,
  type ClusterUnderTest,
  type Surroundings,
} from '../cluster/start-cluster.ts';
import type { ClusterKind } from '../rows/row.ts';
import { Writer } from '../writer.ts';

export interface Field {
  readonly cluster: ClusterUnderTest;
  readonly writer: Writer;
  readonly auditor: Auditor;
}

/** Three nodes, so that the loss of one leaves a master and somebody to write to; and a free agent. */
const SHAPES: Readonly<Record<ClusterKind, ClusterShape>> = {
  plain: { nodes: 3, agents: 4, driver: 'hostdir', suspectPolicy: 'fence', place: 'zookeeper' },
  // One rclone an agent: whoever ends it takes the volumes of that agent away from everything there.
  revocable: { nodes: 1, agents: 2, driver: 'rclone', suspectPolicy: 'preempt', place: 'directory' },
  // One engine, as one machine has it; the second agent is another name for that machine.
  docker: { nodes: 1, agents: 2, driver: 'local', suspectPolicy: 'fence', place: 'directory' },
};

export interface FieldOptions extends Surroundings {
  /** The auditor as one file. */
  readonly auditorProgram: string;
}

/** @throws what went wrong; what was begun by then is in `undo` */
export async function openField(kind: ClusterKind, options: FieldOptions): Promise<Field> {
  const { undo, tell } = options;
  const cluster = await startCluster(SHAPES[kind], options);
  const auditor = await startAuditor(options.auditorProgram, cluster.stores, ({ volume, holders }) =>
    tell(`overlap on ${volume}: pids ${holders.map(({ pid }) => pid).join(' and ')}`),
  );
  undo.add('the auditor', () => auditor.stop());
  const writer = new Writer({
    elasticsearch: cluster.elasticsearch,
    addresses: () => cluster.addresses(),
    nodes: cluster.shape.nodes,
    file: join(cluster.work.logs, 'acknowledged'),
  });
  await writer.start();
  undo.add('the writer', () => writer.stop());
  return { cluster, writer, auditor };
}
