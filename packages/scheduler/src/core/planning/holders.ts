/** What is done about nodes that have a holder: doubts, suspects, releases. */
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import { silenceNeededMs } from '@mesos-elasticsearch/coordination';
import { heldNodes, leaseOf, subscribedFrameworkId, type LeaseView } from '../model.ts';
import type { Step } from '../steps.ts';
import * as transition from '../transitions.ts';
import {
  closeEpoch,
  hasLeaseExpired,
  isSilent,
  haveFormersEnded,
  letGo,
  recordNode,
  waitFor,
  type PlanContext,
} from './context.ts';
import { preemptStep } from './preemption.ts';

/** @param busy nodes for which this plan has a step already */
export function planHolders(context: PlanContext, busy: ReadonlySet<number>): Step[] {
  return heldNodes(context.model)
    .filter((record) => !busy.has(record.nodeId))
    .flatMap((record) => holderSteps(context, record));
}

function holderSteps(context: PlanContext, record: NodeRecord): Step[] {
  const view = leaseOf(context.model, record);
  const byOperator = afterOperatorsWord(context, record, view);
  if (byOperator !== undefined) return [byOperator];
  switch (record.phase) {
    case 'assigned':
    case 'migrating':
    case 'running': {
      const doubt = doubtAbout(context, record, view);
      if (doubt === undefined) return [];
      return [recordNode(context.model, transition.suspected(record, doubt, context.now.wallMs))];
    }
    case 'suspect':
      return [suspectStep(context, record, view)];
    case 'releasing':
      return releasingSteps(context, record, view);
    case 'vacant':
    case 'retired':
      return [];
  }
}

function doubtAbout(
  context: PlanContext,
  record: NodeRecord,
  view: LeaseView | undefined,
): string | undefined {
  const { model, now, desired } = context;
  if (record.holder === undefined) return undefined;
  const doubt = model.doubts.get(record.nodeId);
  if (doubt?.epoch === record.epoch) return doubt.why;
  const current = subscribedFrameworkId(model);
  if (current !== undefined && record.holder.frameworkId !== current) {
    return `task-of-an-earlier-framework-id: ${record.holder.frameworkId} is not ${current}`;
  }
  if (isSilent(context, view)) {
    return 'lease-not-renewed: the lease has stood still beyond its length and the bound on pauses';
  }
  if (view?.state === 'closed') return 'epoch-standing: the epoch was closed';
  const run = model.runs.get(record.nodeId);
  const waited = run === undefined ? 0 : now.monotonicMs - run.assignedAtMs;
  const untaken = view !== undefined && view.lease === undefined;
  if (record.phase === 'assigned' && untaken && waited > desired.timing.launchTimeoutMs) {
    return 'launch-timeout: the executor never took its lease';
  }
  return undefined;
}

function suspectStep(context: PlanContext, record: NodeRecord, view: LeaseView | undefined): Step {
  const free = (left: transition.Left, why: string): Step => {
    const step = letGo(context, record, left, `${left}: ${why}`);
    return step ?? waitFor('one-holder', why, record.nodeId);
  };
  if (view === undefined) return waitFor('lease-not-expired', 'the lease was not read yet', record.nodeId);
  if (isProofOfDetach(record, view)) {
    const why = 'lease-given-back: the executor has detached everything and gave its lease back';
    return recordNode(context.model, transition.vacated(record, 'lease-given-back', why, context.now.wallMs));
  }
  if (view.isLost) {
    const reason = `its lease on ${holderHost(record)} is on record as taken, and the lease service knows nothing of it`;
    return waitFor('lease-lost', reason, record.nodeId);
  }
  if (view.lease === undefined) {
    if (view.state === 'closed') return free('never-took-lease', 'the epoch is closed, its lease untaken');
    return closeEpoch(context, record, 'never-took-lease');
  }
  if (hasLeaseExpired(context, record, view)) {
    if (view.state !== 'closed') return closeEpoch(context, record, 'one-holder');
    return free('lease-expired', 'self-fencing and guarded, it has run out');
  }
  return record.suspectPolicy === 'preempt'
    ? preemptStep(context, record, view)
    : waitForProof(context, record, view);
}

/** What an isolator has mounted its executor cannot give back: it ends before that is unmounted. */
function isProofOfDetach({ isolated }: NodeRecord, view: LeaseView | undefined): boolean {
  return view?.state === 'given-back' && isolated !== true;
}

function waitForProof({ desired }: PlanContext, record: NodeRecord, view: LeaseView): Step {
  const { observation } = view;
  if (record.suspectPolicy === 'wait' || observation === undefined) {
    return waitFor(
      'suspect-policy-wait',
      `the holder on ${holderHost(record)} may be alive; ${record.why}`,
      record.nodeId,
    );
  }
  const { lease } = observation;
  if (!lease.selfFencing || !lease.guarded) {
    return waitFor(
      'lease-unguarded',
      `the lease of ${holderHost(record)} proves nothing by running out`,
      record.nodeId,
    );
  }
  const limitMs = silenceNeededMs(lease.durationMs, desired.suspects.pauseBoundMs);
  return waitFor(
    'lease-not-expired',
    `the lease on ${holderHost(record)} must stand still for ${limitMs} ms; ${record.why}`,
    record.nodeId,
  );
}

/**
 * The process is gone: closing the epoch costs nothing and shows whether anything was ever attached. The
 * launch itself waits for a fitting offer (rule volume-attached-elsewhere).
 */
function releasingSteps(context: PlanContext, record: NodeRecord, view: LeaseView | undefined): Step[] {
  const { model, now } = context;
  if (isProofOfDetach(record, view)) {
    return [recordNode(model, transition.vacated(record, 'lease-given-back', record.why, now.wallMs))];
  }
  if (view?.state !== 'closed') return view === undefined ? [] : [closeEpoch(context, record, 'one-holder')];
  if (view.lease === undefined && !view.isLost && haveFormersEnded(context, record)) {
    return [recordNode(model, transition.vacated(record, 'never-took-lease', record.why, now.wallMs))];
  }
  return record.suspectPolicy === 'preempt' ? [preemptStep(context, record, view)] : [];
}

function afterOperatorsWord(
  context: PlanContext,
  record: NodeRecord,
  view: LeaseView | undefined,
): Step | undefined {
  if (context.model.operatorReleases.get(record.nodeId) !== record.epoch) return undefined;
  if (record.phase !== 'suspect' && record.phase !== 'releasing') return undefined;
  if (view?.state !== 'closed') return closeEpoch(context, record, 'one-holder');
  const why = 'operator-word: an operator says that the holder is gone';
  return recordNode(context.model, transition.vacated(record, 'operator-word', why, context.now.wallMs));
}

function holderHost(record: NodeRecord): string {
  return record.holder?.host ?? 'no host';
}
