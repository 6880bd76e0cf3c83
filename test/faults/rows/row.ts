/** One row of the fault table: what is done to whom, and what must hold. */
import type { PlacedNode, ProgressLine } from '@mesos-elasticsearch/cli';
import type { Audit } from '../auditor/records.ts';
import type { ClusterUnderTest } from '../cluster/start-cluster.ts';

/** One row of each class runs in `npm test`. */
export const FAULT_CLASSES = [
  'kill',
  'freeze',
  'partition',
  'guard',
  'machine',
  'revoke',
  'failover',
] as const;
export type FaultClass = (typeof FAULT_CLASSES)[number];

/** Which cluster a row needs; rows of one kind share a warm one. */
export type ClusterKind = 'plain' | 'revocable' | 'docker';

export interface Ground {
  readonly cluster: ClusterUnderTest;
  /** The node that is harmed, or whose machine is; of rows that harm neither: any. */
  readonly node: PlacedNode;
  /** Time itself is part of a fault that lasts. */
  readonly lasting: (ms: number) => Promise<void>;
  /** Says of something seen during the fault that it should not have been, in words. */
  readonly missed: (what: string) => void;
}

/** What a row leaves behind to judge. */
export interface Evidence {
  readonly node: PlacedNode;
  readonly after: PlacedNode;
  /** Milliseconds since the Unix epoch. */
  readonly harmedAtMs: number;
  /** What the schedulers said since then. */
  readonly lines: readonly ProgressLine[];
  readonly audit: Audit;
}

export interface FaultRow {
  readonly name: string;
  readonly class: FaultClass;
  readonly cluster: ClusterKind;
  /** For the table: who, and what is done to it. */
  readonly victim: string;
  readonly fault: string;
  /** stays: same task, same epoch, nothing is assigned. returns: same node ID, higher epoch, same volumes. */
  readonly outcome: 'stays' | 'returns';
  /** The fault harms every node: all of them return, not the chosen one only. */
  readonly everyNode?: boolean;
  /** What must hold besides, for the table. */
  readonly holds: string;
  /** From the fault (returns) or its end (stays) to a whole cluster, milliseconds. */
  readonly boundMs: number;
  /** Part of `npm test`. */
  readonly always: boolean;
  harm(ground: Ground): Promise<void>;
  /** Undoes what the harm left, after the node is back: the next row wants a whole cluster. */
  mend?(ground: Ground): Promise<void>;
  /** @returns what did not hold, in words */
  check?(evidence: Evidence): string[];
}
