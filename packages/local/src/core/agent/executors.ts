/** The life of executors on this agent: started, subscribed, shut down, gone. */
import type {
  ExecutorId,
  FrameworkId,
  StatusUuid,
  TaskInfo,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import { agentUpdate, executorUpdate } from './updates.ts';
import {
  isPartitionAware,
  liveTasksOf,
  log,
  putRun,
  putTask,
  runKey,
  taskKey,
  tasksOf,
  tellExecutor,
  tellMaster,
} from './state.ts';
import type { DestroyCause, ExecutorRun, Turn } from './state.ts';

const seconds = (ms: number) => `${ms / 1000}secs`;

export interface Resubscription {
  readonly unacknowledgedTasks: readonly TaskInfo[];
  readonly unacknowledgedUpdates: readonly TaskStatus[];
}

/** The executor opened its event stream (the shell has closed an older one). */
export function executorSubscribed(turn: Turn, key: string, said: Resubscription): void {
  const run = turn.state.executors.get(key);
  if (run === undefined) return;
  const framework = turn.state.frameworks.get(run.frameworkId);
  const hasWork = run.queued.length > 0 || tasksOf(turn, key).length > 0;
  if (framework === undefined || framework.terminating || run.phase === 'TERMINATING' || !hasWork) {
    putRun(turn, key, { ...run, subscribed: true });
    tellExecutor(turn, key, { type: 'SHUTDOWN' });
    if (run.phase !== 'TERMINATING') shutdownRun(turn, key, { silent: true });
    return;
  }
  const first = run.phase === 'REGISTERING';
  putRun(turn, key, { ...run, phase: 'RUNNING', subscribed: true, registerBy: undefined, queued: [] });
  const { config, agentId } = turn.state;
  tellExecutor(turn, key, {
    type: 'SUBSCRIBED',
    subscribed: {
      executorInfo: run.info,
      frameworkInfo: framework.info,
      agentInfo: {
        hostname: config.hostname,
        port: config.port,
        resources: [...config.resources],
        attributes: [...config.attributes],
        ...(agentId === undefined ? {} : { id: agentId }),
      },
      containerId: { value: run.containerId },
    },
  });
  for (const status of said.unacknowledgedUpdates) {
    if (status.uuid !== undefined)
      executorUpdate(turn, key, run, status as TaskStatus & { uuid: StatusUuid });
  }
  if (!first) dropUnheardOf(turn, key, said);
  for (const task of run.queued) deliver(turn, key, task);
}

/** Dispatched, still STAGING, and the executor does not list it: the LAUNCH was lost on the way. */
function dropUnheardOf(turn: Turn, key: string, said: Resubscription): void {
  const listed = new Set(said.unacknowledgedTasks.map((task) => task.taskId));
  for (const task of liveTasksOf(turn, key)) {
    if (!task.delivered || task.state !== 'TASK_STAGING' || listed.has(task.taskId)) continue;
    const framework = turn.state.frameworks.get(task.frameworkId)?.info;
    agentUpdate(turn, task, {
      state: isPartitionAware(framework) ? 'TASK_DROPPED' : 'TASK_LOST',
      reason: 'REASON_AGENT_RESTARTED',
      message: 'Task launched during agent restart',
    });
  }
}

export function deliver(turn: Turn, key: string, task: TaskInfo): void {
  const run = turn.state.executors.get(key);
  const known = run && turn.state.tasks.get(taskKey(run.frameworkId, task.taskId));
  if (known === undefined) return;
  putTask(turn, { ...known, delivered: true });
  tellExecutor(turn, key, { type: 'LAUNCH', launch: { task } });
}

/** SHUTDOWN to the executor, then the hard end when its grace period is over. */
export function shutdownRun(turn: Turn, key: string, options: { silent?: boolean } = {}): void {
  const run = turn.state.executors.get(key);
  if (run === undefined || run.phase === 'TERMINATING') return;
  const own = run.info.shutdownGracePeriod?.nanoseconds;
  const graceMs = own === undefined ? turn.state.config.executorShutdownGraceMs : Number(own / 1_000_000n);
  putRun(turn, key, { ...run, phase: 'TERMINATING', destroyAt: turn.nature.now + graceMs });
  if (run.subscribed && options.silent !== true) tellExecutor(turn, key, { type: 'SHUTDOWN' });
}

export function shutdownExecutor(turn: Turn, frameworkId: FrameworkId, executorId: ExecutorId): void {
  shutdownRun(turn, runKey(frameworkId, executorId));
}

export function shutdownFramework(turn: Turn, frameworkId: FrameworkId): void {
  const framework = turn.state.frameworks.get(frameworkId);
  if (framework === undefined) return;
  turn.state.frameworks.set(frameworkId, { ...framework, terminating: true });
  turn.changed = true;
  for (const [key, stream] of turn.state.streams)
    if (stream.frameworkId === frameworkId) turn.state.streams.delete(key);
  for (const [key, run] of turn.state.executors) if (run.frameworkId === frameworkId) shutdownRun(turn, key);
  forgetIfIdle(turn, frameworkId);
}

function forgetIfIdle(turn: Turn, frameworkId: FrameworkId): void {
  const framework = turn.state.frameworks.get(frameworkId);
  const busy = [...turn.state.executors.values()].some((run) => run.frameworkId === frameworkId);
  if (framework?.terminating !== true || busy) return;
  turn.state.frameworks.delete(frameworkId);
  for (const [key, task] of turn.state.tasks)
    if (task.frameworkId === frameworkId) turn.state.tasks.delete(key);
  turn.changed = true;
}

/** The container is empty. `status`: raw waitpid word of its first process, -1 unknown. */
export function executorExited(turn: Turn, key: string, status: number): void {
  const run = turn.state.executors.get(key);
  if (run === undefined) return;
  turn.state.executors.delete(key);
  turn.changed = true;
  turn.effects.push({ kind: 'CLOSE_EXECUTOR', key });
  const { frameworkId, executorId } = run;
  tellMaster(turn, { type: 'EXECUTOR_EXITED', frameworkId, executorId, status, silent: run.builtIn });
  log(turn, 'executor gone', { frameworkId, executorId, status });
  if (turn.state.frameworks.get(frameworkId)?.terminating === true) {
    forgetIfIdle(turn, frameworkId);
    return;
  }
  const cause = run.cause ?? {
    state: 'TASK_FAILED' as const,
    reason: run.builtIn ? 'REASON_COMMAND_EXECUTOR_FAILED' : 'REASON_EXECUTOR_TERMINATED',
    message: 'Executor terminated',
  };
  for (const task of liveTasksOf(turn, key)) agentUpdate(turn, task, cause);
}

export function launchFailed(turn: Turn, key: string, message: string): void {
  const run = turn.state.executors.get(key);
  if (run === undefined) return;
  const cause: DestroyCause = {
    state: 'TASK_FAILED',
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message: `Failed to launch container: ${message}`,
  };
  putRun(turn, key, { ...run, cause });
  executorExited(turn, key, -1);
}

function destroy(turn: Turn, key: string, run: ExecutorRun, cause: DestroyCause | undefined): void {
  const dying: ExecutorRun = {
    ...run,
    phase: 'TERMINATING',
    registerBy: undefined,
    destroyAt: undefined,
    cause: cause ?? run.cause,
  };
  putRun(turn, key, dying);
  turn.effects.push({ kind: 'DESTROY', key, run: dying });
}

/** Executors that did not register in time, and those whose grace period is over. */
export function tickExecutors(turn: Turn): void {
  const { now } = turn.nature;
  for (const [key, run] of [...turn.state.executors]) {
    if (run.destroyAt !== undefined && run.destroyAt <= now) destroy(turn, key, run, undefined);
    else if (run.registerBy !== undefined && run.registerBy <= now) {
      destroy(turn, key, run, {
        state: 'TASK_FAILED',
        reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
        message: `Executor did not register within ${seconds(turn.state.config.executorRegistrationTimeoutMs)}`,
      });
    }
  }
}

/** The window after a restart is over: who has not come back is destroyed. */
export function endRecovery(turn: Turn): void {
  turn.state = { ...turn.state, recoveringUntil: undefined };
  turn.changed = true;
  for (const [key, run] of [...turn.state.executors]) {
    if (run.subscribed || run.phase === 'TERMINATING') continue;
    const framework = turn.state.frameworks.get(run.frameworkId)?.info;
    destroy(turn, key, run, {
      state: isPartitionAware(framework) ? 'TASK_GONE' : 'TASK_LOST',
      reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
      message: `Executor did not re-register within ${seconds(turn.state.config.executorReregistrationTimeoutMs)}`,
    });
  }
}
