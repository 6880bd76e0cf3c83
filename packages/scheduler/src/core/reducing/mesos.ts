/** What Mesos says, and how the subscription fares. */
import { decodeMigrationReport, decodeNodeReport } from '@mesos-elasticsearch/contract';
import type { Offer, OfferId, SchedulerEvent, TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { GatewayState } from '../../ports.ts';
import { heldNodes, type DesiredCluster, type Model, type Now } from '../model.ts';
import { recordOfTask } from '../planning/statuses.ts';
import { reconcilableTasks } from '../planning/upkeep.ts';
import { answered, askAlso, beginRound } from '../reconcile.ts';
import { without, withEntry } from './collections.ts';

export function reduceMesos(desired: DesiredCluster, model: Model, event: SchedulerEvent, now: Now): Model {
  switch (event.type) {
    case 'SUBSCRIBED': {
      // A new subscription: offers and filters of the old one are gone, and tasks may have changed meanwhile.
      const { frameworkId } = event.subscribed;
      const session = { state: 'subscribed', frameworkId } as const;
      const fresh = { ...withoutOffers(model), session };
      const tasks = reconcilableTasks(fresh).map((task) => task.taskId);
      return { ...fresh, reconciliation: beginRound(tasks, now.monotonicMs, desired.timing) };
    }
    case 'OFFERS':
      return addOffers(model, event.offers.offers ?? []);
    case 'RESCIND': {
      const { offerId } = event.rescind;
      return {
        ...model,
        offers: without(model.offers, offerId),
        unreturned: without(model.unreturned, offerId),
      };
    }
    case 'UPDATE':
      return receive(desired, model, event.update.status);
    case 'FAILURE':
      return noteFailure(model, event.failure, now);
    case 'ERROR':
    case 'HEARTBEAT':
    case 'INVERSE_OFFERS':
    case 'RESCIND_INVERSE_OFFER':
    case 'MESSAGE':
    case 'UNKNOWN':
      return model;
  }
}

export function reduceGateway(model: Model, state: GatewayState): Model {
  const fresh = withoutOffers(model);
  switch (state.kind) {
    case 'disconnected':
      return { ...fresh, session: { state: 'disconnected', why: state.reason } };
    case 'replaced':
      return {
        ...fresh,
        session: { state: 'ended', how: 'replaced', message: 'another scheduler took over' },
      };
    case 'removed':
      return {
        ...fresh,
        session: { state: 'ended', how: 'removed', message: 'the master removed the framework' },
      };
    case 'refused':
      return { ...fresh, session: { state: 'ended', how: 'refused', message: state.message } };
  }
}

function withoutOffers(model: Model): Model {
  return {
    ...model,
    offers: new Map(),
    unreturned: new Map(),
    offerFlow: { mode: 'unknown', revivedAtMs: 0, revivedFor: '' },
  };
}

function addOffers(model: Model, offers: readonly Offer[]): Model {
  const all = new Map<OfferId, Offer>([
    ...model.offers,
    ...offers.map((offer) => [offer.id, offer] as const),
  ]);
  return { ...model, offers: all };
}

function receive(desired: DesiredCluster, model: Model, status: TaskStatus): Model {
  const again = status.uuid !== undefined && model.inbox.some((known) => known.uuid === status.uuid);
  const next: Model = {
    ...model,
    inbox: again ? model.inbox : [...model.inbox, status],
    reconciliation: answered(model.reconciliation, status.taskId),
  };
  return withRunFacts(desired, next, status);
}

function withRunFacts(desired: DesiredCluster, model: Model, status: TaskStatus): Model {
  const record = recordOfTask(model, desired.framework.name, status.taskId);
  const run = record === undefined ? undefined : model.runs.get(record.nodeId);
  const launched = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'].includes(status.state);
  if (record === undefined || run === undefined || !launched) return model;
  const report = status.data === undefined ? undefined : decodeNodeReport(status.data);
  const copy = status.data === undefined ? undefined : decodeMigrationReport(status.data);
  const facts = { ...run, launched: true, tied: report?.tied ?? run.tied };
  const uuid = report?.epoch === record.epoch ? report.clusterUuid : undefined;
  return {
    ...model,
    runs: withEntry(model.runs, record.nodeId, facts),
    copies: copy?.epoch === record.epoch ? withEntry(model.copies, record.nodeId, copy) : model.copies,
    clusterUuids:
      uuid === undefined ? model.clusterUuids : withEntry(model.clusterUuids, record.nodeId, uuid),
  };
}

/** Without an executor: the agent is lost. With one: it exited, a status follows. A hint in both cases: ask. */
function noteFailure(
  model: Model,
  failure: { readonly agentId?: string; readonly executorId?: string },
  now: Now,
): Model {
  const there = heldNodes(model).filter(({ holder }) => holder?.agentId === failure.agentId);
  if (failure.agentId === undefined) return model;
  const tasks = there.flatMap(({ holder }) => (holder === undefined ? [] : [holder.taskId]));
  const asking: Model = { ...model, reconciliation: askAlso(model.reconciliation, tasks, now.monotonicMs) };
  if (failure.executorId !== undefined) return asking;
  const doubts = there
    .filter(({ phase }) => phase === 'assigned' || phase === 'running' || phase === 'migrating')
    .map(
      (record) =>
        [record.nodeId, { epoch: record.epoch, why: 'agent-lost: the master lost its agent' }] as const,
    );
  return { ...asking, doubts: new Map([...model.doubts, ...doubts]) };
}
