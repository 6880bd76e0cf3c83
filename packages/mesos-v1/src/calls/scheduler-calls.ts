/** One builder per scheduler call. The session adds the framework ID and the stream ID. */
import type { AgentId, ExecutorId, OfferId, TaskId } from '../types/ids.ts';
import type { FrameworkInfo, KillPolicy, TaskStatus } from '../types/messages.ts';
import type { Filters, Operation, SchedulerCall } from '../types/scheduler-api.ts';

type Call<T extends SchedulerCall['type']> = Extract<SchedulerCall, { type: T }>;

/** The call's framework ID must equal that of `frameworkInfo`: without one, a new framework is made. */
function subscribe(frameworkInfo: FrameworkInfo, suppressedRoles: string[] = []): Call<'SUBSCRIBE'> {
  return {
    type: 'SUBSCRIBE',
    ...(frameworkInfo.id === undefined ? {} : { frameworkId: frameworkInfo.id }),
    subscribe: { frameworkInfo, ...(suppressedRoles.length > 0 ? { suppressedRoles } : {}) },
  };
}

/** All offers must be of one agent and one role; one invalid offer fails the whole call. */
function accept(accepted: {
  offerIds: OfferId[];
  operations: Operation[];
  filters?: Filters;
}): Call<'ACCEPT'> {
  return { type: 'ACCEPT', accept: accepted };
}

/** Without `filters` the same resources come again after 5 s. */
function decline(offerIds: OfferId[], filters?: Filters): Call<'DECLINE'> {
  return { type: 'DECLINE', decline: { offerIds, ...(filters ? { filters } : {}) } };
}

/** Removes decline filters and suppression, of all roles unless some are named. */
function revive(roles: string[] = []): Call<'REVIVE'> {
  return { type: 'REVIVE', ...(roles.length > 0 ? { revive: { roles } } : {}) };
}

/** No offers until REVIVE, of all roles unless some are named. */
function suppress(roles: string[] = []): Call<'SUPPRESS'> {
  return { type: 'SUPPRESS', ...(roles.length > 0 ? { suppress: { roles } } : {}) };
}

/** Give the agent's ID: for a task that the master does not know this becomes an explicit reconciliation. */
function kill(killed: { taskId: TaskId; agentId?: AgentId; killPolicy?: KillPolicy }): Call<'KILL'> {
  return { type: 'KILL', kill: killed };
}

/** Forwarded once, without feedback; not remembered by a master that cannot reach the agent. */
function shutdown(target: { executorId: ExecutorId; agentId: AgentId }): Call<'SHUTDOWN'> {
  return { type: 'SHUTDOWN', shutdown: target };
}

/**
 * Null if `status` must not be acknowledged: only updates with a uuid come from an agent, the others were
 * made by the master.
 */
function acknowledge(status: TaskStatus): Call<'ACKNOWLEDGE'> | null {
  const { agentId, taskId, uuid } = status;
  if (uuid === undefined || agentId === undefined) return null;
  return { type: 'ACKNOWLEDGE', acknowledge: { agentId, taskId, uuid } };
}

/** No tasks: implicit reconciliation. Give the agent ID stored at launch, or a live task may answer as gone. */
function reconcile(tasks: { taskId: TaskId; agentId?: AgentId }[]): Call<'RECONCILE'> {
  return { type: 'RECONCILE', reconcile: { tasks } };
}

/** Best effort: no retry, no answer. */
function message(sent: { agentId: AgentId; executorId: ExecutorId; data: Uint8Array }): Call<'MESSAGE'> {
  return { type: 'MESSAGE', message: sent };
}

/** Kills every task and removes the framework for good. */
function teardown(): Call<'TEARDOWN'> {
  return { type: 'TEARDOWN' };
}

export const schedulerCalls = {
  subscribe,
  accept,
  decline,
  revive,
  suppress,
  kill,
  shutdown,
  acknowledge,
  reconcile,
  message,
  teardown,
};
