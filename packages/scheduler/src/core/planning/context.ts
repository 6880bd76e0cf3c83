import type { NodeId, NodeRecord } from '@mesos-elasticsearch/contract';
import { leaseOf, type DesiredCluster, type LeaseView, type Model, type Now } from '../model.ts';
import type { RuleName } from '../rules/names.ts';
import type { Step, StepOf, WaitStep } from '../steps.ts';

/** One snapshot, one clock reading, one random id: all that a plan may look at. */
export interface PlanContext {
  readonly desired: DesiredCluster;
  readonly model: Model;
  readonly now: Now;
  /** Used for at most one new task or cluster identity a plan. */
  readonly uuid: string;
}

export function waitFor(rule: RuleName, reason: string, nodeId?: NodeId): WaitStep {
  return { kind: 'wait', rule, nodeId, reason };
}

export function recordNode(model: Model, record: NodeRecord): StepOf<'record-node'> {
  return { kind: 'record-node', record, expected: model.nodes.get(record.nodeId)?.version ?? 0 };
}

/** Closing needs the lease service; while it fails, that is what is waited for. */
export function closeEpoch(context: PlanContext, record: NodeRecord, rule: RuleName): Step {
  const { leaseService } = context.model;
  if (leaseService.state === 'fails' && context.now.monotonicMs < leaseService.retryAtMs) {
    return waitFor('lease-service-answers', leaseService.error, record.nodeId);
  }
  return { kind: 'close-epoch', nodeId: record.nodeId, epoch: record.epoch, rule };
}

/** Closed by us or found closed: no executor can take this epoch's lease any more, and no renewal succeeds. */
export function isEpochClosed({ model, desired }: PlanContext, record: NodeRecord): boolean {
  return desired.safety.isEpochClosed(record, leaseOf(model, record));
}

export function hasLeaseExpired(
  { desired }: PlanContext,
  record: NodeRecord,
  view: LeaseView | undefined,
): boolean {
  return desired.safety.hasLeaseExpired(record, view, desired.suspects.pauseBoundMs);
}
