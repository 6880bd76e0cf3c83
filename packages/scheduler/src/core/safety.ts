/**
 * The decisions that keep "one holder" true, each a named function over plain data. They travel with what is desired
 * instead of being called directly, so that a simulation can take one away and show that its absence is found out.
 * Nothing but {@link SAFETY_RULES} is ever used outside of tests.
 */
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import { isLeaseExpired } from '@mesos-elasticsearch/coordination';
import type { TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import { isCopyVerified, isUnstarted, mayTakeBack } from './migration/proof.ts';
import type { LeaseView } from './model.ts';
import { takeLowest, type NodeIds } from './node-ids.ts';
import { judgeStatus, type Evidence, type Judgement } from './release-proof.ts';

export interface SafetyRules {
  /** Release on proof (design rule 3): what a status says about the process that held the node. */
  readonly judgeStatus: (evidence: Evidence) => Judgement;
  /**
   * Proof by time (design rule 4). The counter must have stood still up to a reading that was answered: silence of
   * the lease service itself proves nothing. The policy is that of the node's epoch, not of today's settings.
   */
  readonly hasLeaseExpired: (
    record: NodeRecord,
    view: LeaseView | undefined,
    pauseBoundMs: number,
  ) => boolean;
  /** No executor can take this epoch's lease any more, and no renewal succeeds. Asked before the next epoch. */
  readonly isEpochClosed: (record: NodeRecord, view: LeaseView | undefined) => boolean;
  /**
   * Of a node whose process is gone and whose volumes may still be mounted: on its own agent the next executor ends
   * what the last one left behind before it attaches; elsewhere nobody can, so there the lease must have run out.
   */
  readonly mayLeaveAgent: (record: NodeRecord, leaseExpired: boolean) => boolean;
  /** A suspect node counts: no new number is handed out in its stead (design rule 6). */
  readonly countsTowardSize: (record: NodeRecord) => boolean;
  /** Lowest free number first (design rule 6). */
  readonly nextNodeId: (ids: NodeIds) => ReturnType<typeof takeLowest>;
  /** After the storage was to be taken from the old holder: only success counts. */
  readonly isRevoked: (outcome: 'revoked' | 'failed') => boolean;
  /** Volumes of another driver become the node's only when the end of the task that copied them proves the copy. */
  readonly isCopyVerified: (
    record: NodeRecord,
    status: Pick<TaskStatus, 'state' | 'source' | 'data'>,
    view: LeaseView | undefined,
  ) => boolean;
  /** A launch counts as one that never let Elasticsearch start by the word of its own executor only. */
  readonly isUnstarted: (
    record: NodeRecord,
    status: Pick<TaskStatus, 'state' | 'source' | 'data'>,
  ) => boolean;
  /** The old volumes count again only as long as Elasticsearch cannot have run on the new ones. */
  readonly mayTakeBack: (record: NodeRecord) => boolean;
}

export const SAFETY_RULES: SafetyRules = {
  judgeStatus,
  hasLeaseExpired: ({ suspectPolicy }, view, pauseBoundMs) =>
    suspectPolicy === 'fence' &&
    view?.observation !== undefined &&
    isLeaseExpired(view.observation, view.readAtMs, pauseBoundMs),
  isEpochClosed: ({ epoch }, view) => epoch === 0 || view?.state === 'closed',
  mayLeaveAgent: ({ holder }, leaseExpired) => holder === undefined || leaseExpired,
  countsTowardSize: ({ phase }) => phase !== 'vacant' && phase !== 'retired',
  nextNodeId: (ids) => takeLowest(ids),
  isRevoked: (outcome) => outcome === 'revoked',
  isCopyVerified,
  isUnstarted,
  mayTakeBack,
};
