/** The master's orders about tasks: run, kill, answer for those it thinks are here. */
import { executorId as parseExecutorId } from '@mesos-elasticsearch/mesos-v1';
import type {
  ExecutorInfo,
  FrameworkInfo,
  KillPolicy,
  TaskId,
  TaskInfo,
} from '@mesos-elasticsearch/mesos-v1';
import { deliver, shutdownRun } from './executors.ts';
import { agentUpdate, updateForUnknown } from './updates.ts';
import { log, putRun, putTask, runKey, taskKey, tasksOf, tellExecutor } from './state.ts';
import type { AgentTask, ExecutorRun, Turn } from './state.ts';

export function runTask(turn: Turn, framework: FrameworkInfo, task: TaskInfo): void {
  const frameworkId = framework.id;
  const { agentId } = turn.state;
  if (frameworkId === undefined || agentId === undefined) return;
  const known = turn.state.frameworks.get(frameworkId);
  if (known?.terminating === true) {
    updateForUnknown(
      turn,
      framework,
      task.taskId,
      'REASON_EXECUTOR_TERMINATED',
      'Framework is being shut down on this agent',
    );
    return;
  }
  turn.state.frameworks.set(frameworkId, { info: framework, terminating: false });
  const info = executorFor(task);
  const key = runKey(frameworkId, info.executorId);
  const run = turn.state.executors.get(key);
  if (run?.phase === 'TERMINATING') {
    updateForUnknown(turn, framework, task.taskId, 'REASON_EXECUTOR_TERMINATED', 'Executor terminating');
    return;
  }
  const record: AgentTask = {
    frameworkId,
    taskId: task.taskId,
    agentId,
    name: task.name,
    ...(task.executor ? { executorId: info.executorId } : {}),
    resources: task.resources ?? [],
    ...(task.labels?.labels === undefined ? {} : { labels: task.labels.labels }),
    state: 'TASK_STAGING',
    forwarded: 'TASK_STAGING',
    info: task,
    owner: key,
    delivered: false,
  };
  putTask(turn, record);
  if (run === undefined) startRun(turn, key, framework, task, info);
  else if (run.subscribed) deliver(turn, key, task);
  else putRun(turn, key, { ...run, queued: [...run.queued, task] });
}

/** A command task gets an executor of the agent's own, named after the task. */
function executorFor(task: TaskInfo): ExecutorInfo {
  if (task.executor !== undefined) return task.executor;
  return {
    executorId: parseExecutorId(task.taskId),
    name: `Command Executor (Task: ${task.taskId})`,
    source: task.taskId,
    ...(task.command ? { command: task.command } : {}),
    ...(task.container ? { container: task.container } : {}),
  };
}

function startRun(
  turn: Turn,
  key: string,
  framework: FrameworkInfo,
  task: TaskInfo,
  info: ExecutorInfo,
): void {
  const { config, agentId } = turn.state;
  const frameworkId = framework.id;
  if (frameworkId === undefined || agentId === undefined) return;
  const containerId = turn.nature.newContainerId();
  const path = [
    'slaves',
    agentId,
    'frameworks',
    frameworkId,
    'executors',
    info.executorId,
    'runs',
    containerId,
  ];
  const run: ExecutorRun = {
    frameworkId,
    executorId: info.executorId,
    info,
    builtIn: task.executor === undefined,
    containerId,
    directory: [config.workDir, ...path].join('/'),
    checkpoint: framework.checkpoint ?? false,
    phase: 'REGISTERING',
    subscribed: false,
    registerBy: turn.nature.now + config.executorRegistrationTimeoutMs,
    destroyAt: undefined,
    cause: undefined,
    queued: [task],
  };
  putRun(turn, key, run);
  turn.effects.push({ kind: 'LAUNCH', key, run, task, framework });
}

export function killTask(
  turn: Turn,
  framework: FrameworkInfo,
  taskId: TaskId,
  killPolicy?: KillPolicy,
): void {
  if (framework.id === undefined) return;
  const task = turn.state.tasks.get(taskKey(framework.id, taskId));
  const run = task && turn.state.executors.get(task.owner);
  if (task === undefined || run === undefined) {
    // A terminal task whose update still waits for its acknowledgement has said all there is to say.
    if (task === undefined)
      updateForUnknown(turn, framework, taskId, 'REASON_EXECUTOR_TERMINATED', 'Cannot find executor');
    return;
  }
  if (run.queued.some((queued) => queued.taskId === taskId)) {
    killQueued(turn, run, task);
    return;
  }
  if (!run.subscribed) {
    log(turn, 'kill dropped, the executor is not connected', { taskId, executorId: run.executorId });
    return;
  }
  tellExecutor(turn, task.owner, { type: 'KILL', kill: { taskId, ...(killPolicy ? { killPolicy } : {}) } });
}

function killQueued(turn: Turn, run: ExecutorRun, task: AgentTask): void {
  putRun(turn, task.owner, { ...run, queued: run.queued.filter((queued) => queued.taskId !== task.taskId) });
  agentUpdate(turn, task, {
    state: 'TASK_KILLED',
    reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
    message: 'Killed before delivery to the executor',
  });
  const idle = tasksOf(turn, task.owner).every((other) => other.taskId === task.taskId);
  if (idle) shutdownRun(turn, task.owner);
}

export function reconcileTasks(turn: Turn, framework: FrameworkInfo, taskIds: readonly TaskId[]): void {
  for (const taskId of taskIds) {
    if (framework.id === undefined || turn.state.tasks.has(taskKey(framework.id, taskId))) continue;
    updateForUnknown(
      turn,
      framework,
      taskId,
      'REASON_RECONCILIATION',
      'Reconciliation: task unknown to the agent',
    );
  }
}
