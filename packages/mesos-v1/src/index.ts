export type * from './types/enums.ts';
export { isTerminal } from './types/enums.ts';
export type * from './types/ids.ts';
export { agentId, executorId, frameworkId, isValidMesosId, offerId, streamId, taskId } from './types/ids.ts';
export type * from './types/messages.ts';
export type {
  ExecutorCall,
  ExecutorCallType,
  ExecutorEvent,
  ExecutorEventType,
  Update,
} from './types/executor-api.ts';
export type {
  Filters,
  Operation,
  SchedulerCall,
  SchedulerCallType,
  SchedulerEvent,
  SchedulerEventType,
} from './types/scheduler-api.ts';
