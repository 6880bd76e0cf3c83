/** What was found about a cluster whose ledger is lost. Each piece says where it comes from, for people. */
import type {
  ClusterIdentity,
  Epoch,
  FrameworkRecord,
  LeaseRecord,
  MarkerRecord,
  NodeId,
  NodeRecord,
} from '@mesos-elasticsearch/contract';
import type { LeaseState } from '@mesos-elasticsearch/coordination';

export interface Evidence {
  /** Of the cluster that is to be rebuilt, as its scheduler is started with. */
  readonly frameworkName: string;
  readonly clusterName: string;
  readonly exports: readonly ExportedState[];
  readonly tasks: readonly TaskEvidence[];
  /** Agents that the master knows, to find the agent of a host. */
  readonly agents: readonly { readonly agentId: string; readonly host: string }[];
  readonly markers: readonly { readonly source: string; readonly marker: MarkerRecord }[];
  readonly leases: readonly LeaseEvidence[];
}

/** A ledger as it once was. */
export interface ExportedState {
  readonly source: string;
  /** Milliseconds since the Unix epoch. */
  readonly exportedAtMs: number;
  readonly framework: FrameworkRecord;
  readonly nodes: readonly NodeRecord[];
  readonly leases: readonly LeaseEvidence[];
}

export interface LeaseEvidence {
  readonly source: string;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
  readonly state: LeaseState['state'];
  readonly lease: LeaseRecord | undefined;
}

/** A task of the framework, as its labels and the master say. */
export interface TaskEvidence {
  readonly source: string;
  readonly frameworkName: string;
  readonly clusterIdentity: ClusterIdentity;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
  readonly taskId: string;
  readonly executorId: string;
  readonly agentId: string;
  /** Undefined for an agent that the master does not know any more. */
  readonly host: string | undefined;
  readonly frameworkId: string;
  /** False: the master has removed that framework; its ID is dead, its epochs were handed out all the same. */
  readonly isRegistered: boolean;
  /** As Mesos spells it: `TASK_RUNNING`. */
  readonly state: string;
}

export function leasesOf({ leases, exports }: Evidence): readonly LeaseEvidence[] {
  return [...leases, ...exports.flatMap((each) => each.leases)];
}

/** The newest first. */
export function exportsOf({ exports }: Evidence): readonly ExportedState[] {
  return exports.toSorted((a, b) => b.exportedAtMs - a.exportedAtMs);
}
