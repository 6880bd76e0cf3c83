/** ACCEPT: all of its offers are valid, or nothing of it happens. */
import { contains } from '@mesos-elasticsearch/mesos-v1';
import type {
  AgentId,
  FrameworkId,
  OfferId,
  Operation,
  Resource,
  SchedulerCall,
  TaskInfo,
} from '@mesos-elasticsearch/mesos-v1';
import { leftOf, pooled } from '../resources.ts';
import { launchTask, taskFault } from './launch.ts';
import { refuse } from './offers.ts';
import { log, masterUpdate, stateFor } from './state.ts';
import type { OutstandingOffer, Turn } from './state.ts';
import { omit } from '../omit.ts';

type Accept = Extract<SchedulerCall, { type: 'ACCEPT' }>['accept'];

export function accept(turn: Turn, frameworkId: FrameworkId, call: Accept): void {
  const ids = call.offerIds ?? [];
  const checked = checkOffers(turn, frameworkId, ids);
  const listed = ids.flatMap((id) => ownOffer(turn, frameworkId, id) ?? []);
  for (const offer of listed) turn.state.offers.delete(offer.id);
  if ('fault' in checked) {
    rejectLaunches(turn, frameworkId, call.operations ?? [], checked.fault);
    return;
  }
  let remaining = pooled(...listed.map((offer) => offer.resources));
  let converted: Resource[] = [];
  for (const operation of call.operations ?? []) {
    if (operation.type === 'LAUNCH') {
      for (const task of operation.launch?.taskInfos ?? []) {
        remaining = launchOrRefuse(turn, frameworkId, checked.agentId, task, remaining);
      }
      continue;
    }
    const conversion = conversionOf(operation);
    if (conversion === undefined || !contains(remaining, conversion.from)) {
      log(turn, 'operation dropped', { frameworkId, type: operation.type });
      continue;
    }
    convert(turn, checked.agentId, conversion);
    remaining = pooled(leftOf(remaining, conversion.from), conversion.to);
    converted = pooled(converted, conversion.to);
  }
  // Converted resources go back without a filter, so that the framework sees what it made.
  refuse(turn, frameworkId, checked.agentId, leftOf(remaining, converted), call.filters);
}

function ownOffer(turn: Turn, frameworkId: FrameworkId, id: OfferId): OutstandingOffer | undefined {
  const offer = turn.state.offers.get(id);
  return offer?.frameworkId === frameworkId ? offer : undefined;
}

function checkOffers(
  turn: Turn,
  frameworkId: FrameworkId,
  ids: readonly OfferId[],
): { agentId: AgentId } | { fault: string } {
  const first = ids[0];
  if (first === undefined) return { fault: 'No offers specified' };
  if (new Set(ids).size !== ids.length) return { fault: 'Duplicate offer in offer list' };
  const stale = ids.find((id) => ownOffer(turn, frameworkId, id) === undefined);
  if (stale !== undefined) return { fault: `Offer ${stale} is no longer valid` };
  const agents = new Set(ids.flatMap((id) => ownOffer(turn, frameworkId, id)?.agentId ?? []));
  const agentId = [...agents][0];
  if (agents.size !== 1 || agentId === undefined)
    return { fault: 'Aggregated offers must belong to one single agent' };
  return { agentId };
}

function rejectLaunches(
  turn: Turn,
  frameworkId: FrameworkId,
  operations: readonly Operation[],
  fault: string,
): void {
  const info = turn.state.frameworks.get(frameworkId)?.info;
  for (const task of operations.flatMap((operation) => operation.launch?.taskInfos ?? [])) {
    masterUpdate(turn, frameworkId, {
      taskId: task.taskId,
      agentId: task.agentId,
      state: stateFor(info, 'TASK_DROPPED'),
      reason: 'REASON_INVALID_OFFERS',
      message: `Task launched with invalid offers: ${fault}`,
    });
  }
}

function launchOrRefuse(
  turn: Turn,
  frameworkId: FrameworkId,
  agentId: AgentId,
  task: TaskInfo,
  remaining: Resource[],
): Resource[] {
  const fault = taskFault(turn, frameworkId, agentId, task, remaining);
  if (fault === undefined) return leftOf(remaining, launchTask(turn, frameworkId, agentId, task));
  masterUpdate(turn, frameworkId, {
    taskId: task.taskId,
    agentId: task.agentId,
    state: 'TASK_ERROR',
    reason: 'REASON_TASK_INVALID',
    message: fault,
  });
  return remaining;
}

interface Conversion {
  readonly from: readonly Resource[];
  readonly to: readonly Resource[];
}

function unreserved(resource: Resource): Resource {
  return { ...omit(resource, 'reservation', 'reservations', 'allocationInfo'), role: '*' };
}

/** RESERVE and UNRESERVE of the old and the new reservation format; persistent volumes are not made here. */
function conversionOf(operation: Operation): Conversion | undefined {
  if (operation.type === 'RESERVE') {
    const to = operation.reserve?.resources ?? [];
    return { from: pooled(to.map(unreserved)), to };
  }
  if (operation.type === 'UNRESERVE') {
    const from = pooled(operation.unreserve?.resources ?? []);
    return { from, to: from.map(unreserved) };
  }
  return undefined;
}

function convert(turn: Turn, agentId: AgentId, { from, to }: Conversion): void {
  const agent = turn.state.agents.get(agentId);
  if (agent === undefined) return;
  turn.state.agents.set(agentId, { ...agent, resources: pooled(leftOf(agent.resources, from), to) });
}
