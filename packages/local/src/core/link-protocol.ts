/**
 * What master and agent say to each other over their link: one connection, one JSON message a line in each
 * direction. It is ours alone (a real Mesos uses libprocess there); order is kept, nothing is re-sent.
 */
import type {
  AgentId,
  Attribute,
  ContainerStatus,
  ExecutorId,
  ExecutorInfo,
  FrameworkId,
  FrameworkInfo,
  KillPolicy,
  Label,
  Resource,
  StatusUuid,
  TaskId,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';

/** A task as master and agent keep it after launch. */
export interface TaskRecord {
  readonly frameworkId: FrameworkId;
  readonly taskId: TaskId;
  readonly agentId: AgentId;
  readonly name: string;
  /** Absent for command tasks, as in a real master's answers. */
  readonly executorId?: ExecutorId;
  readonly resources: readonly Resource[];
  readonly labels?: readonly Label[];
  /** Newest state that the agent knows. */
  readonly state: TaskState;
  /** State of the newest update that went to the scheduler; reconciliation answers with it. */
  readonly forwarded: TaskState;
  readonly healthy?: boolean;
  readonly containerStatus?: ContainerStatus;
}

export interface ExecutorRecord {
  readonly frameworkId: FrameworkId;
  readonly executorId: ExecutorId;
  readonly info: ExecutorInfo;
}

export interface AgentRegistration {
  /** Absent on the first registration. */
  readonly agentId?: AgentId;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  readonly resources: readonly Resource[];
  readonly attributes: readonly Attribute[];
  readonly tasks: readonly TaskRecord[];
  /** Custom executors only. */
  readonly executors: readonly ExecutorRecord[];
  readonly frameworks: readonly FrameworkInfo[];
}

interface ToMasterPayloads {
  REGISTER: { agent: AgentRegistration };
  /** A restarted agent that still waits for its executors: alive, but not to be given anything. */
  RECOVERING: { agentId: AgentId };
  PONG: object;
  STATUS_UPDATE: {
    frameworkId: FrameworkId;
    status: TaskStatus;
    /** May be ahead of `status`: the update stream sends one at a time. */
    latestState: TaskState;
  };
  /** A task is over, though an older update of it still waits for its acknowledgement. */
  LATEST_STATE: { frameworkId: FrameworkId; taskId: TaskId; latestState: TaskState };
  EXECUTOR_MESSAGE: { frameworkId: FrameworkId; executorId: ExecutorId; data: Uint8Array };
  /** `status`: raw waitpid word, -1 unknown. `silent`: a command executor, of which frameworks hear nothing. */
  EXECUTOR_EXITED: { frameworkId: FrameworkId; executorId: ExecutorId; status: number; silent: boolean };
}
export type ToMaster = {
  [K in keyof ToMasterPayloads]: { type: K } & ToMasterPayloads[K];
}[keyof ToMasterPayloads];

interface ToAgentPayloads {
  /** `totalPingTimeoutMs`: after so long without a word the agent looks for its master anew. */
  REGISTERED: { agentId: AgentId; totalPingTimeoutMs: number };
  PING: object;
  RUN_TASK: { framework: FrameworkInfo; task: TaskInfo };
  KILL_TASK: { framework: FrameworkInfo; taskId: TaskId; killPolicy?: KillPolicy };
  ACKNOWLEDGE: { frameworkId: FrameworkId; taskId: TaskId; uuid: StatusUuid };
  SHUTDOWN_EXECUTOR: { frameworkId: FrameworkId; executorId: ExecutorId };
  SHUTDOWN_FRAMEWORK: { frameworkId: FrameworkId };
  FRAMEWORK_MESSAGE: { frameworkId: FrameworkId; executorId: ExecutorId; data: Uint8Array };
  /** Tasks that the master knows and the agent did not list: it answers for those it does not have. */
  RECONCILE_TASKS: { framework: FrameworkInfo; taskIds: readonly TaskId[] };
}
export type ToAgent = {
  [K in keyof ToAgentPayloads]: { type: K } & ToAgentPayloads[K];
}[keyof ToAgentPayloads];
