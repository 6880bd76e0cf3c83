/** The agent's whole memory as plain data; what must survive its death is written down before it is acted upon. */
import { isTerminal } from '@mesos-elasticsearch/mesos-v1';
import type {
  AgentId,
  Attribute,
  ContainerIdValue,
  ExecutorEvent,
  ExecutorId,
  ExecutorInfo,
  FrameworkId,
  FrameworkInfo,
  Resource,
  StatusUuid,
  TaskId,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import type { TaskRecord, ToMaster } from '../link-protocol.ts';

export interface AgentConfig {
  readonly workDir: string;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  readonly resources: readonly Resource[];
  readonly attributes: readonly Attribute[];
  readonly executorRegistrationTimeoutMs: number;
  readonly executorReregistrationTimeoutMs: number;
  readonly executorShutdownGraceMs: number;
  readonly resendMinMs: number;
  readonly resendMaxMs: number;
}

export interface KnownFramework {
  readonly info: FrameworkInfo;
  /** Being shut down here: its updates are ignored, its executors die. */
  readonly terminating: boolean;
}

/** Why a container is destroyed by the agent, as its tasks will read it. */
export interface DestroyCause {
  readonly state: TaskState;
  readonly reason: string;
  readonly message: string;
}

export interface ExecutorRun {
  readonly frameworkId: FrameworkId;
  readonly executorId: ExecutorId;
  readonly info: ExecutorInfo;
  /** The agent's own executor for a task that has a command and no executor. */
  readonly builtIn: boolean;
  readonly containerId: ContainerIdValue;
  /** The sandbox. */
  readonly directory: string;
  readonly checkpoint: boolean;
  readonly phase: 'REGISTERING' | 'RUNNING' | 'TERMINATING';
  /** Its event stream is open. */
  readonly subscribed: boolean;
  /** pid of the container's first process, and its start time (so that a reused pid is not taken for it). */
  readonly process?: { readonly pid: number; readonly startTime: string };
  readonly registerBy: number | undefined;
  readonly destroyAt: number | undefined;
  readonly cause: DestroyCause | undefined;
  /** Accepted, not yet delivered. */
  readonly queued: readonly TaskInfo[];
}

export interface AgentTask extends TaskRecord {
  readonly info: TaskInfo;
  readonly owner: string;
  /** LAUNCH was written to the executor. */
  readonly delivered: boolean;
}

/** One task's updates in order; the first one is in flight until the scheduler acknowledges it. */
export interface UpdateStream {
  readonly frameworkId: FrameworkId;
  readonly taskId: TaskId;
  readonly pending: readonly TaskStatus[];
  /** Every uuid taken over, so that a repetition is acknowledged and not queued twice. */
  readonly received: readonly StatusUuid[];
  readonly resendAt: number;
  readonly resendMs: number;
}

export interface AgentState {
  readonly config: AgentConfig;
  readonly agentId: AgentId | undefined;
  readonly connected: boolean;
  /** After a restart: executors may come back until then; no master is spoken to meanwhile. */
  readonly recoveringUntil: number | undefined;
  readonly frameworks: Map<FrameworkId, KnownFramework>;
  readonly executors: Map<string, ExecutorRun>;
  readonly tasks: Map<string, AgentTask>;
  readonly streams: Map<string, UpdateStream>;
}

interface EffectPayloads {
  TELL_MASTER: { message: ToMaster };
  TELL_EXECUTOR: { key: string; event: ExecutorEvent };
  CLOSE_EXECUTOR: { key: string };
  LAUNCH: { key: string; run: ExecutorRun; task: TaskInfo; framework: FrameworkInfo };
  /** Kill everything of the container; answered by an EXECUTOR_EXITED input. */
  DESTROY: { key: string; run: ExecutorRun };
  LOG: { message: string; fields: Record<string, unknown> };
}
export type AgentEffect = {
  [K in keyof EffectPayloads]: { kind: K } & EffectPayloads[K];
}[keyof EffectPayloads];

/** Sources of what a decision must not invent by itself. */
export interface Nature {
  readonly now: number;
  /** A version 4 uuid: base64 of its 16 bytes. */
  readonly newUuid: () => StatusUuid;
  readonly newContainerId: () => ContainerIdValue;
}

export interface Turn {
  state: AgentState;
  /** Something changed that must survive a restart. */
  changed: boolean;
  readonly effects: AgentEffect[];
  readonly nature: Nature;
}

export const runKey = (frameworkId: FrameworkId, executorId: ExecutorId) => `${frameworkId}/${executorId}`;
export const taskKey = (frameworkId: FrameworkId, taskId: TaskId) => `${frameworkId}/${taskId}`;

export function initialAgentState(config: AgentConfig): AgentState {
  return {
    config,
    agentId: undefined,
    connected: false,
    recoveringUntil: undefined,
    frameworks: new Map(),
    executors: new Map(),
    tasks: new Map(),
    streams: new Map(),
  };
}

export function beginTurn(state: AgentState, nature: Nature): Turn {
  return {
    state: {
      ...state,
      frameworks: new Map(state.frameworks),
      executors: new Map(state.executors),
      tasks: new Map(state.tasks),
      streams: new Map(state.streams),
    },
    changed: false,
    effects: [],
    nature,
  };
}

export function putRun(turn: Turn, key: string, run: ExecutorRun): void {
  turn.state.executors.set(key, run);
  turn.changed = true;
}

export function putTask(turn: Turn, task: AgentTask): void {
  turn.state.tasks.set(taskKey(task.frameworkId, task.taskId), task);
  turn.changed = true;
}

export function putStream(turn: Turn, stream: UpdateStream): void {
  turn.state.streams.set(taskKey(stream.frameworkId, stream.taskId), stream);
  turn.changed = true;
}

export function tellMaster(turn: Turn, message: ToMaster): void {
  if (turn.state.connected) turn.effects.push({ kind: 'TELL_MASTER', message });
}

export function tellExecutor(turn: Turn, key: string, event: ExecutorEvent): void {
  turn.effects.push({ kind: 'TELL_EXECUTOR', key, event });
}

export function log(turn: Turn, message: string, fields: Record<string, unknown>): void {
  turn.effects.push({ kind: 'LOG', message, fields });
}

export function tasksOf(turn: Turn, key: string): AgentTask[] {
  return [...turn.state.tasks.values()].filter((task) => task.owner === key);
}

export function liveTasksOf(turn: Turn, key: string): AgentTask[] {
  return tasksOf(turn, key).filter((task) => !isTerminal(task.state));
}

export function isPartitionAware(info: FrameworkInfo | undefined): boolean {
  return (info?.capabilities ?? []).some(({ type }) => type === 'PARTITION_AWARE');
}
