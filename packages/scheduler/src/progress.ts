/** What happened to the nodes, in the order it became durable: for the demo, the log and tests alike. */
import type { ClusterMigration, MigrationReport, NodeId } from '@mesos-elasticsearch/contract';

interface NodeFacts {
  readonly nodeId: NodeId;
  /** 0 only for a node that was never assigned. */
  readonly epoch: number;
  readonly agentId: string | undefined;
  readonly host: string | undefined;
  readonly taskId: string | undefined;
  /** Names of the node's volumes, config first. */
  readonly volumes: readonly string[];
  /** Rule name and detail. */
  readonly why: string;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
}

interface ProgressPayloads {
  subscribed: { readonly frameworkId: string; readonly atMs: number };
  disconnected: { readonly why: string; readonly atMs: number };
  /** Recorded for an agent; nothing was sent yet. `relaunch`: the node had an epoch before. */
  assigned: NodeFacts & { readonly relaunch: boolean };
  /** ACCEPT was sent. */
  launched: NodeFacts & { readonly relaunch: boolean };
  running: NodeFacts & { readonly http: string | undefined; readonly transport: string | undefined };
  suspect: NodeFacts;
  /** Process known to be gone, volumes perhaps still mounted there. */
  releasing: NodeFacts;
  /** The old holder is known to be gone: the node may move. */
  released: NodeFacts;
  /** No holder, and not wanted any more; its volumes keep what they held. */
  retired: NodeFacts;
  /** A node's turn in a migration: what it is about now. The bytes are those of both its volumes. */
  migrating: NodeFacts & {
    readonly stage: 'stopping' | 'copying' | 'copied' | 'taken-back' | MigrationReport['stage'];
    readonly bytesCopied: number;
    readonly bytesVerified: number;
    readonly bytesTotal: number;
    /** What the new driver does not keep. */
    readonly notKept: readonly string[];
  };
  /** The migration as a whole has come to another state. */
  migration: {
    readonly state: ClusterMigration['state'];
    /** Of the data volumes. */
    readonly to: string;
    readonly why: string;
    readonly atMs: number;
  };
  /** The cluster has formed. */
  bootstrapped: { readonly nodes: readonly string[]; readonly atMs: number };
  /** An own task that no record knows is being killed. */
  'unknown-task-killed': {
    readonly taskId: string;
    readonly agentId: string | undefined;
    readonly atMs: number;
  };
  /** What the plan is waiting for changed. */
  waiting: {
    readonly rule: string;
    readonly nodeId: NodeId | undefined;
    readonly reason: string;
    readonly atMs: number;
  };
}

export type ProgressEvent = {
  [K in keyof ProgressPayloads]: { readonly kind: K } & ProgressPayloads[K];
}[keyof ProgressPayloads];
