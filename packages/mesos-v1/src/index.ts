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
export type { Encoding } from './codec/encoding.ts';
export { ENCODINGS } from './codec/encoding.ts';
export { CallFormatError, WireFormatError } from './codec/errors.ts';
export {
  decodeExecutorCall,
  decodeSchedulerCall,
  encodeExecutorCall,
  encodeSchedulerCall,
} from './codec/calls.ts';
export {
  decodeExecutorEvent,
  decodeSchedulerEvent,
  encodeExecutorEvent,
  encodeSchedulerEvent,
} from './codec/events.ts';
export type { RecordioLimits, RecordioResult, RecordioState } from './recordio/decode.ts';
export {
  DEFAULT_RECORDIO_LIMITS,
  decodeRecordio,
  initialRecordio,
  recordioEndFault,
} from './recordio/decode.ts';
export { encodeRecord } from './recordio/encode.ts';
