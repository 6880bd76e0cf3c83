import type { NodeId, NodeRecord } from '@mesos-elasticsearch/contract';
import { isLeaseSilent, silenceNeededMs } from '@mesos-elasticsearch/coordination';
import { leaseOf, type DesiredCluster, type LeaseView, type Model, type Now } from '../model.ts';
import type { RuleName } from '../rules/names.ts';
import type { Step, StepOf, WaitStep } from '../steps.ts';
import * as transition from '../transitions.ts';

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

/**
 * Nobody has renewed the lease for as long as would end one that fences, up to a reading that was answered. A reason to
 * doubt under every policy, for an agent goes on answering RUNNING for an executor that is frozen; a proof under none.
 */
export function isSilent({ desired }: PlanContext, view: LeaseView | undefined): boolean {
  if (view?.observation === undefined) return false;
  return isLeaseSilent(view.observation, view.readAtMs, desired.suspects.pauseBoundMs);
}

/**
 * Earlier holders on the present agent that were let go on its word alone ("the container was destroyed") must have
 * ended before the node may be attached elsewhere. Their epochs were closed before the present one was assigned, so
 * by then a lease that fences has run out whatever became of them.
 */
export function haveFormersEnded({ desired, model, now }: PlanContext, record: NodeRecord): boolean {
  const assignedAtMs = model.runs.get(record.nodeId)?.assignedAtMs ?? now.monotonicMs;
  const silentMs = now.monotonicMs - assignedAtMs;
  return (record.leftBehind ?? [])
    .filter(({ agentId }) => agentId === record.holder?.agentId)
    .every(({ fencedAfterMs }) => {
      if (fencedAfterMs === undefined) return false;
      return fencedAfterMs === 0 || silentMs > silenceNeededMs(fencedAfterMs, desired.suspects.pauseBoundMs);
    });
}

/**
 * This holder is gone, or never came. The node is free, unless somebody before it on the same agent was only said to
 * be gone: then it is where it was before this holder. Undefined: that is on record already.
 */
export function letGo(
  context: PlanContext,
  record: NodeRecord,
  left: transition.Left,
  why: string,
): StepOf<'record-node'> | undefined {
  const { model, now } = context;
  if (haveFormersEnded(context, record)) {
    return recordNode(model, transition.vacated(record, left, why, now.wallMs));
  }
  if (record.phase === 'releasing') return undefined;
  return recordNode(model, transition.releasing(record, why, now.wallMs));
}
