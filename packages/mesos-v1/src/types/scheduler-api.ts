/** Calls to and events from the master's scheduler API, as tagged unions (mesos-v1 `scheduler.proto`). */
import type { AgentId, ExecutorId, FrameworkId, OfferId, StatusUuid, TaskId } from './ids.ts';
import type {
  FrameworkInfo,
  InverseOffer,
  KillPolicy,
  MasterInfo,
  Offer,
  Resource,
  TaskInfo,
  TaskStatus,
} from './messages.ts';
import type { Open } from './enums.ts';

/** `refuseSeconds` absent: 5 s; 0: no filter; above 365 days: 365 days. */
export interface Filters {
  refuseSeconds?: number;
}
export interface Operation {
  type: Open<'LAUNCH' | 'RESERVE' | 'UNRESERVE' | 'CREATE' | 'DESTROY'>;
  launch?: { taskInfos?: TaskInfo[] };
  reserve?: { resources?: Resource[] };
  unreserve?: { resources?: Resource[] };
  create?: { volumes?: Resource[] };
  destroy?: { volumes?: Resource[] };
}

interface CallPayloads {
  SUBSCRIBE: { subscribe: { frameworkInfo: FrameworkInfo; suppressedRoles?: string[] } };
  TEARDOWN: object;
  ACCEPT: { accept: { offerIds?: OfferId[]; operations?: Operation[]; filters?: Filters } };
  DECLINE: { decline: { offerIds?: OfferId[]; filters?: Filters } };
  REVIVE: { revive?: { roles?: string[] } };
  SUPPRESS: { suppress?: { roles?: string[] } };
  KILL: { kill: { taskId: TaskId; agentId?: AgentId; killPolicy?: KillPolicy } };
  SHUTDOWN: { shutdown: { executorId: ExecutorId; agentId: AgentId } };
  ACKNOWLEDGE: { acknowledge: { agentId: AgentId; taskId: TaskId; uuid: StatusUuid } };
  RECONCILE: { reconcile: { tasks?: { taskId: TaskId; agentId?: AgentId }[] } };
  MESSAGE: { message: { agentId: AgentId; executorId: ExecutorId; data: Uint8Array } };
  REQUEST: { request: { requests?: { agentId?: AgentId; resources?: Resource[] }[] } };
}
export type SchedulerCallType = keyof CallPayloads;
/** `frameworkId` is filled in by the session for every call but the first SUBSCRIBE. */
export type SchedulerCall = {
  [K in SchedulerCallType]: { type: K; frameworkId?: FrameworkId } & CallPayloads[K];
}[SchedulerCallType];

interface EventPayloads {
  SUBSCRIBED: {
    subscribed: { frameworkId: FrameworkId; heartbeatIntervalSeconds?: number; masterInfo?: MasterInfo };
  };
  OFFERS: { offers: { offers?: Offer[] } };
  INVERSE_OFFERS: { inverseOffers: { inverseOffers?: InverseOffer[] } };
  RESCIND: { rescind: { offerId: OfferId } };
  RESCIND_INVERSE_OFFER: { rescindInverseOffer: { inverseOfferId: OfferId } };
  UPDATE: { update: { status: TaskStatus } };
  MESSAGE: { message: { agentId: AgentId; executorId: ExecutorId; data: Uint8Array } };
  /** Only `agentId`: agent lost. With `executorId` and `status` (raw waitpid word): executor exited. A hint only. */
  FAILURE: { failure: { agentId?: AgentId; executorId?: ExecutorId; status?: number } };
  ERROR: { error: { message: string } };
  HEARTBEAT: object;
  /** An event type of a newer Mesos; ignore it. */
  UNKNOWN: { unknownType: string };
}
export type SchedulerEventType = keyof EventPayloads;
export type SchedulerEvent = {
  [K in SchedulerEventType]: { type: K } & EventPayloads[K];
}[SchedulerEventType];
