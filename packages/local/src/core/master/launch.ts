/** What the master checks of a task before it hands it to the agent (mesos-v1 reference, "Launch validation"). */
import type { AgentId, ExecutorInfo, FrameworkId, Resource, TaskInfo } from '@mesos-elasticsearch/mesos-v1';
import { contains, isValidMesosId } from '@mesos-elasticsearch/mesos-v1';
import { allocatedTo, describe, pooled, withoutAllocation } from '../resources.ts';
import { executorKey, taskKey, tellAgent } from './state.ts';
import type { Turn } from './state.ts';

function comparable(info: ExecutorInfo, frameworkId: FrameworkId): string {
  const resources = (info.resources ?? []).map((resource) => ({
    ...withoutAllocation(resource),
    role: resource.role ?? '*',
  }));
  return JSON.stringify({ type: 'CUSTOM', ...info, frameworkId, resources }, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return value;
  });
}

function runningExecutor(turn: Turn, frameworkId: FrameworkId, agentId: AgentId, info: ExecutorInfo) {
  return turn.state.executors.get(executorKey(agentId, frameworkId, info.executorId));
}

/** What the launch takes from the offer: an executor that already runs there costs nothing more. */
function cost(turn: Turn, frameworkId: FrameworkId, agentId: AgentId, task: TaskInfo): Resource[] {
  const { executor } = task;
  const extra = executor && !runningExecutor(turn, frameworkId, agentId, executor) ? executor.resources : [];
  return pooled(task.resources ?? [], extra ?? []);
}

function identityFault(
  turn: Turn,
  frameworkId: FrameworkId,
  agentId: AgentId,
  task: TaskInfo,
): string | undefined {
  const key = taskKey(frameworkId, task.taskId);
  if (!isValidMesosId(task.taskId)) return `Task ID '${task.taskId}' is invalid`;
  if (turn.state.tasks.has(key) || turn.state.unreachableTasks.has(key)) {
    return `Task has duplicate ID: ${task.taskId}`;
  }
  if (task.agentId !== agentId) {
    return `Task uses invalid agent ${task.agentId} while agent ${agentId} is expected`;
  }
  return undefined;
}

function executorFault(
  turn: Turn,
  frameworkId: FrameworkId,
  agentId: AgentId,
  task: TaskInfo,
): string | undefined {
  const { executor } = task;
  if ((executor === undefined) === (task.command === undefined)) {
    return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
  }
  if (executor === undefined) return undefined;
  if (executor.type === 'DEFAULT') return "'ExecutorInfo.type' must be 'CUSTOM'";
  if (executor.command === undefined) return "'ExecutorInfo.command' must be set for 'CUSTOM' executor";
  if (executor.frameworkId !== undefined && executor.frameworkId !== frameworkId) {
    return `ExecutorInfo has an invalid FrameworkID (Actual: ${executor.frameworkId} vs Expected: ${frameworkId})`;
  }
  const running = runningExecutor(turn, frameworkId, agentId, executor);
  if (running && comparable(running.info, frameworkId) !== comparable(executor, frameworkId)) {
    return 'ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.';
  }
  return undefined;
}

/** The TASK_ERROR text, or undefined when the task may be launched out of `remaining`. */
export function taskFault(
  turn: Turn,
  frameworkId: FrameworkId,
  agentId: AgentId,
  task: TaskInfo,
  remaining: readonly Resource[],
): string | undefined {
  const fault =
    identityFault(turn, frameworkId, agentId, task) ?? executorFault(turn, frameworkId, agentId, task);
  if (fault !== undefined) return fault;
  if ((task.resources ?? []).length === 0) return 'Task uses no resources';
  const wanted = cost(turn, frameworkId, agentId, task);
  if (contains(remaining, wanted)) return undefined;
  const role = turn.state.frameworks.get(frameworkId)?.role ?? '*';
  return (
    `Total resources ${describe(wanted, role)} required by task and its executor is more than available ` +
    describe(remaining, role)
  );
}

/** Records the task as STAGING, tells the agent, and says what it took. */
export function launchTask(
  turn: Turn,
  frameworkId: FrameworkId,
  agentId: AgentId,
  task: TaskInfo,
): Resource[] {
  const framework = turn.state.frameworks.get(frameworkId);
  if (framework === undefined) return [];
  const taken = cost(turn, frameworkId, agentId, task);
  const role = framework.role ?? '*';
  const { executor } = task;
  const info = executor && {
    ...executor,
    type: 'CUSTOM' as const,
    frameworkId,
    resources: allocatedTo(role, executor.resources ?? []),
  };
  const resources = allocatedTo(role, task.resources ?? []);
  if (info) {
    turn.state.executors.set(executorKey(agentId, frameworkId, info.executorId), {
      agentId,
      frameworkId,
      executorId: info.executorId,
      info,
    });
  }
  turn.state.tasks.set(taskKey(frameworkId, task.taskId), {
    frameworkId,
    taskId: task.taskId,
    agentId,
    name: task.name,
    ...(info ? { executorId: info.executorId } : {}),
    resources,
    ...(task.labels?.labels === undefined ? {} : { labels: task.labels.labels }),
    state: 'TASK_STAGING',
    forwarded: 'TASK_STAGING',
  });
  const launched: TaskInfo = { ...task, resources, ...(info ? { executor: info } : {}) };
  tellAgent(turn, agentId, { type: 'RUN_TASK', framework: framework.info, task: launched });
  return taken;
}
