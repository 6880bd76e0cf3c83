/** Calls to and events from the agent's executor API, as tagged unions (mesos-v1 `executor.proto`). */
import type { ExecutorId, FrameworkId, StatusUuid, TaskId } from './ids.ts';
import type {
  AgentInfo,
  ContainerId,
  ExecutorInfo,
  FrameworkInfo,
  KillPolicy,
  TaskInfo,
  TaskStatus,
} from './messages.ts';

/** What the agent wants of an update: uuid set, `source` explicitly SOURCE_EXECUTOR, state not STAGING. */
export interface Update {
  status: TaskStatus;
}

interface CallPayloads {
  SUBSCRIBE: { subscribe: { unacknowledgedTasks?: TaskInfo[]; unacknowledgedUpdates?: Update[] } };
  UPDATE: { update: Update };
  MESSAGE: { message: { data: Uint8Array } };
}
export type ExecutorCallType = keyof CallPayloads;
export type ExecutorCall = {
  [K in ExecutorCallType]: { type: K; frameworkId: FrameworkId; executorId: ExecutorId } & CallPayloads[K];
}[ExecutorCallType];

interface EventPayloads {
  SUBSCRIBED: {
    subscribed: {
      executorInfo: ExecutorInfo;
      frameworkInfo: FrameworkInfo;
      agentInfo: AgentInfo;
      containerId?: ContainerId;
    };
  };
  LAUNCH: { launch: { task: TaskInfo } };
  LAUNCH_GROUP: { launchGroup: { taskGroup: { tasks?: TaskInfo[] } } };
  KILL: { kill: { taskId: TaskId; killPolicy?: KillPolicy } };
  /** The agent has taken the update over; it does not mean that the scheduler saw it. */
  ACKNOWLEDGED: { acknowledged: { taskId: TaskId; uuid: StatusUuid } };
  MESSAGE: { message: { data: Uint8Array } };
  ERROR: { error: { message: string } };
  SHUTDOWN: object;
  HEARTBEAT: object;
  /** An event type of a newer Mesos; ignore it. */
  UNKNOWN: { unknownType: string };
}
export type ExecutorEventType = keyof EventPayloads;
export type ExecutorEvent = {
  [K in ExecutorEventType]: { type: K } & EventPayloads[K];
}[ExecutorEventType];
