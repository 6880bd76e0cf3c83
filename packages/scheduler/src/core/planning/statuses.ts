/** What a status of Mesos leads to: a record first, then its acknowledgement. */
import { decodeNodeReport, type NodeRecord } from '@mesos-elasticsearch/contract';
import type { TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import { leaseOf, subscribedFrameworkId, type Model } from '../model.ts';
import type { Step } from '../steps.ts';
import { copied, hasTurn, startFailed, tryFailed, type MigratingRecord } from '../migration/transitions.ts';
import { parseTaskId } from '../task-id.ts';
import * as transition from '../transitions.ts';
import {
  closeEpoch,
  isSilent,
  haveFormersEnded,
  isEpochClosed,
  letGo,
  recordNode,
  waitFor,
  type PlanContext,
} from './context.ts';

const ALIVE: ReadonlySet<string> = new Set(['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING']);

export function saysAlive(status: TaskStatus): boolean {
  return ALIVE.has(status.state);
}

/** The record whose holder this task is. */
export function recordOfTask(model: Model, frameworkName: string, taskId: string): NodeRecord | undefined {
  const parsed = parseTaskId(frameworkName, taskId);
  const record = parsed === undefined ? undefined : model.nodes.get(parsed.nodeId)?.record;
  return record?.holder?.taskId === taskId ? record : undefined;
}

/** Alive, of this framework, and without a right to be: no record knows it, or its epoch was closed. */
export function isUnwanted(model: Model, frameworkName: string, status: TaskStatus): boolean {
  if (!saysAlive(status)) return false;
  const record = recordOfTask(model, frameworkName, status.taskId);
  return record === undefined || leaseOf(model, record)?.state === 'closed';
}

/** At most one step a task: a later status of the same task waits for the earlier one's effect. */
export function planStatuses(context: PlanContext): Step[] {
  const seen = new Set<string>();
  return context.model.inbox.flatMap((status) => {
    if (seen.has(status.taskId)) return [];
    seen.add(status.taskId);
    return [consequence(context, status)];
  });
}

function consequence(context: PlanContext, status: TaskStatus): Step {
  const { model, desired } = context;
  const record = recordOfTask(model, desired.framework.name, status.taskId);
  const settled: Step = { kind: 'settle-status', status };
  if (record === undefined || isUnwanted(model, desired.framework.name, status)) return settled;
  const next = saysAlive(status)
    ? afterSignOfLife(context, record, status)
    : afterEnd(context, record, status);
  return next ?? settled;
}

/** Undefined: nothing (more) to record. */
function afterSignOfLife(context: PlanContext, record: NodeRecord, status: TaskStatus): Step | undefined {
  const { model, now } = context;
  if (record.phase === 'suspect' || record.phase === 'releasing') {
    const view = leaseOf(model, record);
    if (view === undefined) {
      return waitFor('epoch-standing', 'the lease was not read yet', record.nodeId);
    }
    // A master that has not noticed the death yet goes on answering RUNNING.
    if (isSilent(context, view) || view.state !== 'open') return undefined;
    if (status.state !== 'TASK_RUNNING') {
      return recordNode(model, transition.launching(record, now.wallMs));
    }
  }
  if (status.state !== 'TASK_RUNNING') return undefined;
  if (record.purpose === 'migrate') {
    return record.phase === 'migrating'
      ? undefined
      : recordNode(model, transition.copying(record, now.wallMs));
  }
  const report = status.data === undefined ? undefined : decodeNodeReport(status.data);
  const next = transition.running(record, report?.epoch === record.epoch ? report : undefined, now.wallMs);
  const same =
    record.phase === 'running' &&
    record.addresses?.http === next.addresses?.http &&
    record.addresses?.transport === next.addresses?.transport;
  return same ? undefined : recordNode(model, next);
}

function afterEnd(context: PlanContext, record: NodeRecord, status: TaskStatus): Step | undefined {
  const step = stepAfterEnd(context, record, status);
  if (step?.kind !== 'record-node' || !hasTurn(record) || record.migration.stage !== 'copied') return step;
  // In doubt its end is still to come.
  if (step.record.phase === 'suspect') return step;
  const counts =
    status.state !== 'TASK_KILLED' && context.model.framework?.record.migration?.state === 'running';
  const unstarted = context.desired.safety.isUnstarted(record, status);
  return { ...step, record: startFailed(step.record, { before: record, unstarted, counts }) };
}

function stepAfterEnd(context: PlanContext, record: NodeRecord, status: TaskStatus): Step | undefined {
  const { model, now } = context;
  const { verdict, row } = judge(context, record, status);
  const detail = [status.state, status.reason, status.message].filter(
    (part) => part !== undefined && part !== '',
  );
  const why = `${row}: ${detail.join(', ')}`;
  switch (verdict) {
    case 'released':
      return isCopy(record) ? afterCopy(context, record, status, why) : afterReleased(context, record, why);
    case 'gone-but-mounted': {
      if (record.phase === 'releasing') return undefined;
      const releasing = transition.releasing(record, why, now.wallMs);
      return recordNode(model, isCopy(record) ? tryFailed(record, releasing) : releasing);
    }
    case 'never-started':
      return afterNeverStarted(context, record, why);
    case 'suspect':
      // What is known to be gone does not come back by a vaguer word.
      if (record.phase === 'suspect' || record.phase === 'releasing') return undefined;
      return recordNode(model, transition.suspected(record, why, now.wallMs));
  }
}

function isCopy(record: NodeRecord): record is MigratingRecord {
  return record.purpose === 'migrate' && hasTurn(record);
}

/** Its lease is asked for before its word is believed; a lease that was never given back takes the word's worth away. */
function afterCopy(
  context: PlanContext,
  record: MigratingRecord,
  status: TaskStatus,
  why: string,
): Step | undefined {
  const { model, desired, now } = context;
  const view = leaseOf(model, record);
  if (desired.safety.isCopyVerified(record, status, view)) {
    return recordNode(model, copied(record, now.wallMs));
  }
  const undecided = view?.state !== 'given-back' && view?.state !== 'closed' && !isSilent(context, view);
  if (status.state === 'TASK_FINISHED' && undecided) {
    return waitFor('copy-verified', 'its task has finished and not given its lease back yet', record.nodeId);
  }
  const next = afterReleased(context, record, why);
  // Told to stop, it did what it was told to.
  if (next?.kind !== 'record-node' || status.state === 'TASK_KILLED') return next;
  return { ...next, record: tryFailed(record, next.record) };
}

/**
 * The executor has detached all that it attached, and what earlier holders left behind on its agent if it had the
 * right to: with the lease it had, without it did not.
 */
function afterReleased(context: PlanContext, record: NodeRecord, why: string): Step | undefined {
  const { model, now } = context;
  const released = recordNode(model, transition.vacated(record, 'released', why, now.wallMs));
  if (haveFormersEnded(context, record)) return released;
  if (!isEpochClosed(context, record)) return closeEpoch(context, record, 'one-holder');
  const view = leaseOf(model, record);
  return view?.lease === undefined && view?.isLost !== true
    ? letGo(context, record, 'never-took-lease', why)
    : released;
}

/** Mesos says that nothing ever ran; the lease must not say otherwise. */
function afterNeverStarted(context: PlanContext, record: NodeRecord, why: string): Step | undefined {
  const { model, now } = context;
  if (!isEpochClosed(context, record)) return closeEpoch(context, record, 'never-took-lease');
  const view = leaseOf(model, record);
  if (view?.lease === undefined && view?.isLost !== true) return letGo(context, record, 'never-started', why);
  if (record.phase === 'suspect') return undefined;
  return recordNode(model, transition.suspected(record, `${why}, but its lease was taken`, now.wallMs));
}

function judge({ desired, model }: PlanContext, record: NodeRecord, status: TaskStatus) {
  const run = model.runs.get(record.nodeId);
  const known = run?.taskId === status.taskId ? run : undefined;
  return desired.safety.judgeStatus({
    state: status.state,
    source: status.source,
    reason: status.reason,
    message: status.message,
    launched:
      record.phase === 'running' || known?.launched === true || leaseOf(model, record)?.lease !== undefined,
    runtime: desired.node.runtime.kind,
    tied: known?.tied === true || record.tied === true,
    mounter: record.isolated === true ? 'isolator' : 'executor',
    sameFramework: record.holder?.frameworkId === subscribedFrameworkId(model),
  });
}
