/** Events of both APIs, in both encodings, for both ends of the wire. */
import type { ExecutorEvent } from '../types/executor-api.ts';
import type { SchedulerEvent } from '../types/scheduler-api.ts';
import type { MessageType } from './descriptor.ts';
import { executorEvent, schedulerEvent } from './descriptor.ts';
import type { Encoding } from './encoding.ts';
import { decodeMessage, encodeMessage } from './encoding.ts';
import { WireFormatError } from './errors.ts';

/** Event type → the property that carries its payload; null where there is none. */
type PayloadNames<E extends { type: string }> = Record<Exclude<E['type'], 'UNKNOWN'>, string | null>;

const SCHEDULER_PAYLOADS: PayloadNames<SchedulerEvent> = {
  SUBSCRIBED: 'subscribed',
  OFFERS: 'offers',
  INVERSE_OFFERS: 'inverseOffers',
  RESCIND: 'rescind',
  RESCIND_INVERSE_OFFER: 'rescindInverseOffer',
  UPDATE: 'update',
  MESSAGE: 'message',
  FAILURE: 'failure',
  ERROR: 'error',
  HEARTBEAT: null,
};
const EXECUTOR_PAYLOADS: PayloadNames<ExecutorEvent> = {
  SUBSCRIBED: 'subscribed',
  LAUNCH: 'launch',
  LAUNCH_GROUP: 'launchGroup',
  KILL: 'kill',
  ACKNOWLEDGED: 'acknowledged',
  MESSAGE: 'message',
  ERROR: 'error',
  SHUTDOWN: null,
  HEARTBEAT: null,
};

function decodeEvent(
  schema: MessageType,
  payloads: Record<string, string | null>,
  bytes: Uint8Array,
  encoding: Encoding,
): unknown {
  const event = decodeMessage(schema, bytes, encoding) as Record<string, unknown>;
  const type = typeof event.type === 'string' ? event.type : '';
  const payload = Object.hasOwn(payloads, type) ? payloads[type] : undefined;
  if (payload === undefined) return { type: 'UNKNOWN', unknownType: type };
  if (payload === null) return { type };
  if (event[payload] === undefined) {
    throw new WireFormatError(`event ${type} comes without its '${payload}'`);
  }
  return { type, [payload]: event[payload] };
}

function encodeEvent(schema: MessageType, event: { type: string }, encoding: Encoding): Uint8Array {
  const shown = 'unknownType' in event ? { type: event.unknownType } : event;
  return encodeMessage(schema, shown, encoding);
}

/** Throws WireFormatError. A type we do not know becomes `{ type: 'UNKNOWN', unknownType }`. */
export function decodeSchedulerEvent(bytes: Uint8Array, encoding: Encoding): SchedulerEvent {
  return decodeEvent(schedulerEvent, SCHEDULER_PAYLOADS, bytes, encoding) as SchedulerEvent;
}
/** Throws WireFormatError. A type we do not know becomes `{ type: 'UNKNOWN', unknownType }`. */
export function decodeExecutorEvent(bytes: Uint8Array, encoding: Encoding): ExecutorEvent {
  return decodeEvent(executorEvent, EXECUTOR_PAYLOADS, bytes, encoding) as ExecutorEvent;
}
/** The bytes of one record, without its RecordIO length. Throws TypeError for a missing required field. */
export function encodeSchedulerEvent(event: SchedulerEvent, encoding: Encoding): Uint8Array {
  return encodeEvent(schedulerEvent, event, encoding);
}
/** The bytes of one record, without its RecordIO length. Throws TypeError for a missing required field. */
export function encodeExecutorEvent(event: ExecutorEvent, encoding: Encoding): Uint8Array {
  return encodeEvent(executorEvent, event, encoding);
}
