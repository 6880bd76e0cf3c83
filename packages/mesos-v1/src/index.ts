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
export type { ExecutorIdentity } from './calls/executor-calls.ts';
export { executorCalls } from './calls/executor-calls.ts';
export { schedulerCalls } from './calls/scheduler-calls.ts';
export { fromThousandths, toThousandths } from './resources/thousandths.ts';
export { isUsable, reservedRole, resourceIdentity } from './resources/identity.ts';
export { contains, mergeResources, subtract, sumScalar } from './resources/amounts.ts';
export type { PortNeed, ResourceNeed, Shortage, Taken } from './resources/take.ts';
export { pickPorts, take } from './resources/take.ts';
export type { Clock, SessionLog } from './session/clock.ts';
export { systemClock } from './session/clock.ts';
export type { Credentials, TlsOptions } from './session/connection.ts';
export type { Consequence } from './session/consequences.ts';
export type { SchedulerChange, SchedulerEnding } from './session/scheduler-state.ts';
export type { CallOutcome, SchedulerSession, SchedulerSessionOptions } from './session/scheduler-session.ts';
export { startSchedulerSession } from './session/scheduler-session.ts';
export type { ExecutorChange, ExecutorEnding } from './session/executor-state.ts';
export type { ExecutorSession, ExecutorSessionOptions } from './session/executor-session.ts';
export { newStatusUuid, startExecutorSession } from './session/executor-session.ts';
export { parseMesosDuration } from './session/duration.ts';
export type { ExecutorEnvironment } from './session/executor-environment.ts';
export { executorEnvironment, ExecutorEnvironmentError } from './session/executor-environment.ts';
