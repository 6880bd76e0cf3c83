/** Steps that were carried out, and what they change. */
import type { CoreEvent } from '../events.ts';
import type { DesiredCluster, Model, Now } from '../model.ts';
import { noteAsked } from './migration.ts';
import { isUnwanted, recordOfTask, saysAlive } from '../planning/statuses.ts';
import { reconcilableTasks } from '../planning/upkeep.ts';
import { beginRound, isRoundDue, sent } from '../reconcile.ts';
import type { StepOf } from '../steps.ts';
import { without, withEntry } from './collections.ts';

type DoneStep = Extract<CoreEvent, { kind: 'done' }>['step'];

export function reduceDone(desired: DesiredCluster, model: Model, step: DoneStep, now: Now): Model {
  const { monotonicMs } = now;
  switch (step.kind) {
    case 'accept':
      return {
        ...model,
        offers: without(model.offers, step.intent.offerId),
        launches: without(model.launches, step.nodeId),
      };
    case 'decline':
      return {
        ...model,
        offers: without(model.offers, ...step.offerIds),
        unreturned: without(model.unreturned, ...step.offerIds),
        lastOutcomes: step.outcomes,
      };
    case 'settle-status':
      return settle(desired, model, step);
    case 'fence': {
      const { epoch, attempt } = step;
      const known = model.fences.get(step.nodeId);
      // The outcome may be there before the word that it was begun.
      if (known?.epoch === epoch && known.attempt === attempt) return model;
      const fence = { epoch, attempt, outcome: 'under-way', message: '', atMs: monotonicMs } as const;
      return { ...model, fences: withEntry(model.fences, step.nodeId, fence) };
    }
    case 'ask-elasticsearch':
      return noteAsked(model, step.number, now);
    case 'kill': {
      if (step.rule === 'migration') return noteStopping(desired, model, step, monotonicMs);
      if (step.rule === 'size-shrinks') return noteShrinking(desired, model, step, monotonicMs);
      const stray = { agentId: step.agentId, killedAtMs: monotonicMs };
      return model.strays.has(step.taskId)
        ? { ...model, strays: withEntry(model.strays, step.taskId, stray) }
        : model;
    }
    case 'revive':
      return {
        ...model,
        offerFlow: { mode: 'revived', revivedAtMs: monotonicMs, revivedFor: step.waitingFor },
      };
    case 'suppress':
      return { ...model, offerFlow: { mode: 'suppressed', revivedAtMs: 0, revivedFor: '' } };
    case 'reconcile': {
      const { reconciliation } = model;
      const round = isRoundDue(reconciliation, monotonicMs);
      const tasks = reconcilableTasks(model).map((task) => task.taskId);
      const state = round ? beginRound(tasks, monotonicMs, desired.timing) : reconciliation;
      return { ...model, reconciliation: sent(state, monotonicMs, desired.timing) };
    }
    case 'send-seed-hosts':
      return { ...model, seedHosts: { sent: step.key, sentAtMs: monotonicMs } };
    case 'register-anew':
      // SUBSCRIBED may have come before this.
      if (model.session.state !== 'ended') return model;
      return { ...model, session: { state: 'disconnected', why: 'registering as a new framework' } };
  }
}

function noteShrinking(
  desired: DesiredCluster,
  model: Model,
  { taskId }: StepOf<'kill'>,
  nowMs: number,
): Model {
  const nodeId = recordOfTask(model, desired.framework.name, taskId)?.nodeId;
  return nodeId === undefined ? model : { ...model, shrinking: withEntry(model.shrinking, nodeId, nowMs) };
}

function noteStopping(
  desired: DesiredCluster,
  model: Model,
  { taskId }: StepOf<'kill'>,
  nowMs: number,
): Model {
  const nodeId = recordOfTask(model, desired.framework.name, taskId)?.nodeId;
  return nodeId === undefined ? model : { ...model, stopping: withEntry(model.stopping, nodeId, nowMs) };
}

/** What is unwanted is remembered, and killed again and again, until Mesos says that it has ended or is unknown. */
function settle(desired: DesiredCluster, model: Model, { status }: StepOf<'settle-status'>): Model {
  const inbox = model.inbox.filter((known) => known !== status);
  const known = model.strays.get(status.taskId);
  if (isUnwanted(model, desired.framework.name, status)) {
    const stray = { agentId: status.agentId, killedAtMs: known?.killedAtMs };
    return { ...model, inbox, strays: withEntry(model.strays, status.taskId, stray) };
  }
  return { ...model, inbox, strays: saysAlive(status) ? model.strays : without(model.strays, status.taskId) };
}
