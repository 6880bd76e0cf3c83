/** Status updates on their way up, acknowledgements and kills on their way down, and reconciliation. */
import { isTerminal } from '@mesos-elasticsearch/mesos-v1';
import type {
  AgentId,
  FrameworkId,
  KillPolicy,
  SchedulerCall,
  TaskId,
  TaskState,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import type { TaskRecord, ToMaster } from '../link-protocol.ts';
import { log, masterUpdate, sendTo, stateFor, taskKey, tellAgent } from './state.ts';
import type { Turn } from './state.ts';
import { omit } from '../omit.ts';

/** An update of the agent's: kept as the task's newest state and passed on as it came. */
export function statusUpdate(
  turn: Turn,
  { frameworkId, status, latestState }: Extract<ToMaster, { type: 'STATUS_UPDATE' }>,
): void {
  if (!turn.state.frameworks.has(frameworkId)) {
    log(turn, 'status update of an unknown framework ignored', { frameworkId, taskId: status.taskId });
    return;
  }
  const key = taskKey(frameworkId, status.taskId);
  const task = turn.state.tasks.get(key);
  if (task !== undefined) {
    // A terminal state stays: an older update may be re-sent after a newer one is known.
    const state = isTerminal(task.state) ? task.state : latestState;
    turn.state.tasks.set(key, {
      ...omit(task, 'healthy', 'containerStatus'),
      state,
      forwarded: status.state as TaskState,
      ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
      ...(status.containerStatus === undefined ? {} : { containerStatus: status.containerStatus }),
    });
  }
  sendTo(turn, frameworkId, { type: 'UPDATE', update: { status } });
}

/** Frees the resources of a task whose terminal update is still queued behind an older one. */
export function latestState(turn: Turn, said: Extract<ToMaster, { type: 'LATEST_STATE' }>): void {
  const key = taskKey(said.frameworkId, said.taskId);
  const task = turn.state.tasks.get(key);
  if (task !== undefined) turn.state.tasks.set(key, { ...task, state: said.latestState });
}

export function acknowledge(
  turn: Turn,
  frameworkId: FrameworkId,
  ack: Extract<SchedulerCall, { type: 'ACKNOWLEDGE' }>['acknowledge'],
): void {
  // Dropped when the agent is away: the update comes again.
  const told = tellAgent(turn, ack.agentId, {
    type: 'ACKNOWLEDGE',
    frameworkId,
    taskId: ack.taskId,
    uuid: ack.uuid,
  });
  if (!told) return;
  const key = taskKey(frameworkId, ack.taskId);
  const task = turn.state.tasks.get(key);
  if (task?.agentId === ack.agentId && isTerminal(task.forwarded)) turn.state.tasks.delete(key);
}

/** An unknown task is answered like a reconciliation; a wrong agent ID is ignored in silence. */
export function kill(
  turn: Turn,
  frameworkId: FrameworkId,
  call: { taskId: TaskId; agentId?: AgentId; killPolicy?: KillPolicy },
): void {
  const framework = turn.state.frameworks.get(frameworkId);
  const key = taskKey(frameworkId, call.taskId);
  const task = turn.state.tasks.get(key);
  if (framework === undefined) return;
  if (task === undefined) {
    reconcileOne(turn, frameworkId, call.taskId, call.agentId);
    return;
  }
  if (call.agentId !== undefined && call.agentId !== task.agentId) return;
  const told = tellAgent(turn, task.agentId, {
    type: 'KILL_TASK',
    framework: framework.info,
    taskId: call.taskId,
    ...(call.killPolicy ? { killPolicy: call.killPolicy } : {}),
  });
  if (!told) turn.state.pendingKills.add(key);
}

export function reconcile(
  turn: Turn,
  frameworkId: FrameworkId,
  tasks: readonly { taskId: TaskId; agentId?: AgentId }[],
): void {
  if (tasks.length > 0) {
    for (const { taskId, agentId } of tasks) reconcileOne(turn, frameworkId, taskId, agentId);
    return;
  }
  for (const task of turn.state.tasks.values()) {
    if (task.frameworkId === frameworkId) answerKnown(turn, task);
  }
}

function answerKnown(turn: Turn, task: TaskRecord): void {
  masterUpdate(turn, task.frameworkId, {
    taskId: task.taskId,
    agentId: task.agentId,
    state: task.forwarded,
    reason: 'REASON_RECONCILIATION',
    message: 'Reconciliation: Latest task state',
    ...(task.executorId === undefined ? {} : { executorId: task.executorId }),
    ...(task.healthy === undefined ? {} : { healthy: task.healthy }),
    ...(task.containerStatus === undefined ? {} : { containerStatus: task.containerStatus }),
  });
}

type Answer = Pick<TaskStatus, 'state' | 'message' | 'unreachableTime'>;

/** The table of the reference, section 1.6: first match wins; undefined means silence. */
function answerUnknown(
  turn: Turn,
  frameworkId: FrameworkId,
  agentId: AgentId | undefined,
): Answer | undefined {
  const { recovered, agents, unreachable } = turn.state;
  const fine = (state: TaskState) => stateFor(turn.state.frameworks.get(frameworkId)?.info, state);
  if (agentId === undefined ? recovered.size > 0 : recovered.has(agentId)) return undefined;
  if (agentId !== undefined && agents.has(agentId)) {
    return { state: fine('TASK_GONE'), message: 'Reconciliation: Task is unknown to the agent' };
  }
  const lost = agentId === undefined ? undefined : unreachable.get(agentId);
  if (lost !== undefined) {
    return {
      state: fine('TASK_UNREACHABLE'),
      message: 'Reconciliation: Task is unreachable',
      unreachableTime: { nanoseconds: lost.since },
    };
  }
  return { state: fine('TASK_UNKNOWN'), message: 'Reconciliation: Task is unknown' };
}

function reconcileOne(
  turn: Turn,
  frameworkId: FrameworkId,
  taskId: TaskId,
  agentId: AgentId | undefined,
): void {
  const known = turn.state.tasks.get(taskKey(frameworkId, taskId));
  if (known !== undefined) {
    answerKnown(turn, known);
    return;
  }
  const answer = answerUnknown(turn, frameworkId, agentId);
  if (answer === undefined) return;
  masterUpdate(turn, frameworkId, {
    taskId,
    ...(agentId === undefined ? {} : { agentId }),
    ...answer,
    reason: 'REASON_RECONCILIATION',
  });
}
