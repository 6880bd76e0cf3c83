/**
 * Status updates: one ordered queue per task, one update in flight, the next only after the scheduler's
 * acknowledgement; re-sent after 10 s, doubling to 10 min, paused while the master is away (reference 1.6).
 */
import { isTerminal } from '@mesos-elasticsearch/mesos-v1';
import type {
  FrameworkId,
  FrameworkInfo,
  StatusUuid,
  TaskId,
  TaskState,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import { isPartitionAware, log, putStream, putTask, taskKey, tellExecutor, tellMaster } from './state.ts';
import type { AgentTask, DestroyCause, ExecutorRun, Turn, UpdateStream } from './state.ts';
import { omit } from '../omit.ts';

function send(turn: Turn, stream: UpdateStream): void {
  const status = stream.pending[0];
  if (status === undefined) return;
  const latest = turn.state.tasks.get(taskKey(stream.frameworkId, stream.taskId));
  if (latest !== undefined && latest.forwarded !== status.state) {
    putTask(turn, { ...latest, forwarded: status.state as TaskState });
  }
  tellMaster(turn, {
    type: 'STATUS_UPDATE',
    frameworkId: stream.frameworkId,
    status,
    latestState: latest?.state ?? (status.state as TaskState),
  });
}

/** Queues an update that has its uuid; sends it if it is the first. */
export function enqueue(
  turn: Turn,
  frameworkId: FrameworkId,
  status: TaskStatus & { uuid: StatusUuid },
): void {
  const { resendMinMs } = turn.state.config;
  const known = turn.state.streams.get(taskKey(frameworkId, status.taskId));
  const stream: UpdateStream = {
    frameworkId,
    taskId: status.taskId,
    pending: [...(known?.pending ?? []), status],
    received: [...(known?.received ?? []), status.uuid],
    resendAt: known?.resendAt ?? 0,
    resendMs: known?.resendMs ?? resendMinMs,
  };
  const isFirst = stream.pending.length === 1;
  const started = { ...stream, resendAt: turn.nature.now + resendMinMs, resendMs: resendMinMs };
  putStream(turn, isFirst ? started : stream);
  if (isFirst) send(turn, started);
  else tellLatest(turn, frameworkId, status.taskId);
}

/** The master frees resources by the newest state, even while an older update waits for its acknowledgement. */
function tellLatest(turn: Turn, frameworkId: FrameworkId, taskId: TaskId): void {
  const task = turn.state.tasks.get(taskKey(frameworkId, taskId));
  if (task !== undefined && isTerminal(task.state)) {
    tellMaster(turn, { type: 'LATEST_STATE', frameworkId, taskId, latestState: task.state });
  }
}

function remember(turn: Turn, task: AgentTask, status: TaskStatus): void {
  putTask(turn, {
    ...omit(task, 'healthy', 'containerStatus'),
    state: status.state as TaskState,
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
    ...(status.containerStatus === undefined ? {} : { containerStatus: status.containerStatus }),
  });
}

/** An update made by the agent itself about a task it knows. */
export function agentUpdate(turn: Turn, task: AgentTask, cause: DestroyCause): void {
  if (isTerminal(task.state)) return;
  const status = {
    taskId: task.taskId,
    state: cause.state,
    reason: cause.reason,
    message: cause.message,
    source: 'SOURCE_AGENT' as const,
    ...(turn.state.agentId === undefined ? {} : { agentId: turn.state.agentId }),
    ...(task.executorId === undefined ? {} : { executorId: task.executorId }),
    timestamp: turn.nature.now / 1000,
    uuid: turn.nature.newUuid(),
  };
  putTask(turn, { ...task, state: cause.state });
  enqueue(turn, task.frameworkId, status);
}

/** About a task that this agent does not have; reliable all the same. */
export function updateForUnknown(
  turn: Turn,
  framework: FrameworkInfo,
  taskId: TaskId,
  reason: string,
  message: string,
): void {
  if (framework.id === undefined) return;
  enqueue(turn, framework.id, {
    taskId,
    state: isPartitionAware(framework) ? 'TASK_DROPPED' : 'TASK_LOST',
    reason,
    message,
    source: 'SOURCE_AGENT',
    ...(turn.state.agentId === undefined ? {} : { agentId: turn.state.agentId }),
    timestamp: turn.nature.now / 1000,
    uuid: turn.nature.newUuid(),
  });
}

/** What the executor said, completed with what the agent knows. `status.uuid` has been checked. */
export function executorUpdate(
  turn: Turn,
  key: string,
  run: ExecutorRun,
  status: TaskStatus & { uuid: StatusUuid },
): void {
  const task = turn.state.tasks.get(taskKey(run.frameworkId, status.taskId));
  const stream = turn.state.streams.get(taskKey(run.frameworkId, status.taskId));
  const taken = { taskId: status.taskId, uuid: status.uuid };
  const repeated = stream?.received.includes(status.uuid) === true;
  if (task === undefined || repeated || isTerminal(task.state)) {
    if (!repeated) log(turn, 'update of a finished task discarded', { ...taken, state: status.state });
    tellExecutor(turn, key, { type: 'ACKNOWLEDGED', acknowledged: taken });
    return;
  }
  const full = completed(turn, run, status);
  remember(turn, task, full);
  enqueue(turn, run.frameworkId, full);
  tellExecutor(turn, key, { type: 'ACKNOWLEDGED', acknowledged: taken });
}

function completed<S extends TaskStatus>(turn: Turn, run: ExecutorRun, status: S): S {
  const { agentId, config } = turn.state;
  return {
    ...status,
    ...(agentId === undefined ? {} : { agentId }),
    ...(run.builtIn ? { executorId: run.executorId } : {}),
    containerStatus: {
      containerId: { value: run.containerId },
      ...(run.process ? { executorPid: run.process.pid } : {}),
      networkInfos: [{ ipAddresses: [{ ipAddress: config.ip }] }],
    },
  };
}

/** The scheduler's acknowledgement; one that does not fit the update in flight is dropped. */
export function acknowledged(turn: Turn, frameworkId: FrameworkId, taskId: TaskId, uuid: StatusUuid): void {
  const key = taskKey(frameworkId, taskId);
  const stream = turn.state.streams.get(key);
  const head = stream?.pending[0];
  if (stream === undefined || head === undefined || head.uuid !== uuid) return;
  turn.changed = true;
  if (isTerminal(head.state)) {
    turn.state.streams.delete(key);
    turn.state.tasks.delete(key);
    return;
  }
  const { resendMinMs } = turn.state.config;
  const next = {
    ...stream,
    pending: stream.pending.slice(1),
    resendMs: resendMinMs,
    resendAt: turn.nature.now + resendMinMs,
  };
  putStream(turn, next);
  send(turn, next);
}

export function resendAll(turn: Turn): void {
  for (const stream of [...turn.state.streams.values()]) {
    if (stream.pending.length === 0) continue;
    const { resendMinMs } = turn.state.config;
    turn.state.streams.set(taskKey(stream.frameworkId, stream.taskId), {
      ...stream,
      resendMs: resendMinMs,
      resendAt: turn.nature.now + resendMinMs,
    });
    send(turn, stream);
    if (stream.pending.length > 1) tellLatest(turn, stream.frameworkId, stream.taskId);
  }
}

export function resendDue(turn: Turn): void {
  if (!turn.state.connected) return;
  for (const stream of [...turn.state.streams.values()]) {
    if (stream.pending.length === 0 || stream.resendAt > turn.nature.now) continue;
    const resendMs = Math.min(stream.resendMs * 2, turn.state.config.resendMaxMs);
    turn.state.streams.set(taskKey(stream.frameworkId, stream.taskId), {
      ...stream,
      resendMs,
      resendAt: turn.nature.now + resendMs,
    });
    send(turn, stream);
  }
}
