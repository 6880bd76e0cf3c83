/** What goes on beside the launches: reading leases, reconciling, killing what has no right to run, telling addresses. */
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import { agentId, executorId, taskId } from '@mesos-elasticsearch/mesos-v1';
import { heldNodes, type Model } from '../model.ts';
import { isAskingDue, isRoundDue } from '../reconcile.ts';
import type { Step } from '../steps.ts';
import type { PlanContext } from './context.ts';

/** A lease that was not read yet is read soon, but not in a tight loop where reading it fails. */
const UNREAD_PAUSE_MS = 100;

export function planLeaseReading({ model, desired, now }: PlanContext): Step[] {
  const { leaseService, leasesAskedAtMs } = model;
  if (leaseService.state === 'fails' && now.monotonicMs < leaseService.retryAtMs) return [];
  const held = heldNodes(model).filter((record) => !model.launches.has(record.nodeId));
  // With nobody to watch, any question tells whether the service answers again: launches wait for that.
  const probed = leaseService.state === 'fails' && held.length === 0 ? everAssigned(model) : held;
  const nodes = probed.map((record) => ({ nodeId: record.nodeId, epoch: record.epoch }));
  const unread = nodes.some((node) => model.leases.get(node.nodeId)?.epoch !== node.epoch);
  const pause = unread ? Math.min(UNREAD_PAUSE_MS, desired.timing.leasePollMs) : desired.timing.leasePollMs;
  const due = leasesAskedAtMs === undefined || now.monotonicMs - leasesAskedAtMs >= pause;
  return nodes.length > 0 && due ? [{ kind: 'read-leases', nodes }] : [];
}

function everAssigned(model: Model): NodeRecord[] {
  return [...model.nodes.values()].map(({ record }) => record).filter(({ epoch }) => epoch > 0);
}

/** Tasks that the master should know: held under the current FrameworkID, and not still on their way to it. */
export function reconcilableTasks(model: Model): { taskId: string; agentId: string }[] {
  const { session } = model;
  if (session.state !== 'subscribed') return [];
  return heldNodes(model).flatMap(({ nodeId, holder }) => {
    if (holder?.frameworkId !== session.frameworkId || model.launches.has(nodeId)) return [];
    return [{ taskId: holder.taskId, agentId: holder.agentId }];
  });
}

export function planReconciliation({ model, desired, now }: PlanContext): Step[] {
  const { reconciliation } = model;
  const { reconcileSuspectsEveryMs } = desired.timing;
  const round = isRoundDue(reconciliation, now.monotonicMs);
  const suspectsDue = now.monotonicMs - reconciliation.askedAtMs >= reconcileSuspectsEveryMs;
  const suspects = suspectsDue ? suspectTaskIds(model) : new Set();
  if (!round && !isAskingDue(reconciliation, now.monotonicMs) && suspects.size === 0) return [];
  const tasks = reconcilableTasks(model)
    .filter(({ taskId }) => round || reconciliation.unanswered.has(taskId) || suspects.has(taskId))
    .map((task) => ({ taskId: taskId(task.taskId), agentId: agentId(task.agentId) }));
  const implicit = round || reconciliation.implicitDue;
  return tasks.length > 0 || implicit ? [{ kind: 'reconcile', tasks, implicit }] : [];
}

function suspectTaskIds(model: Model): Set<string> {
  const suspects = heldNodes(model).filter(({ phase }) => phase === 'suspect');
  return new Set(suspects.flatMap(({ holder }) => (holder === undefined ? [] : [holder.taskId])));
}

export function planKills({ model, desired, now }: PlanContext): Step[] {
  return [...model.strays].flatMap(([id, stray]): Step[] => {
    const recent =
      stray.killedAtMs !== undefined && now.monotonicMs - stray.killedAtMs < desired.timing.killEveryMs;
    return recent ? [] : [{ kind: 'kill', taskId: id, agentId: stray.agentId, rule: 'unknown-task' }];
  });
}

/** Transport addresses of all nodes that have a holder, in the order of their IDs. */
export function seedHosts(model: Model, except?: number): string[] {
  return heldNodes(model)
    .filter((record) => record.nodeId !== except && record.phase !== 'releasing')
    .sort((a, b) => a.nodeId - b.nodeId)
    .flatMap((record) => (record.addresses === undefined ? [] : [record.addresses.transport]));
}

/** At once when an address or an executor is new; repeated, for messages are best effort. */
export function planSeedHosts({ model, desired, now }: PlanContext): Step[] {
  const listeners = heldNodes(model).flatMap(({ nodeId, phase, holder, purpose }) => {
    const launched = phase === 'running' || model.runs.get(nodeId)?.launched === true;
    const listens = launched && phase !== 'releasing' && (purpose ?? 'run') === 'run';
    return holder === undefined || !listens ? [] : [holder];
  });
  if (listeners.length === 0) return [];
  const hosts = seedHosts(model);
  const key = [...hosts, '|', ...listeners.map((holder) => holder.taskId)].join(' ');
  const repeat = now.monotonicMs - model.seedHosts.sentAtMs >= desired.timing.seedHostsEveryMs;
  if (key === model.seedHosts.sent && !repeat) return [];
  const targets = listeners.map((holder) => ({
    agentId: agentId(holder.agentId),
    executorId: executorId(holder.executorId),
  }));
  return [{ kind: 'send-seed-hosts', targets, hosts, key }];
}
