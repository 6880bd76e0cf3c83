/** Calls of both APIs: encoded for the client, decoded and validated as a real master or agent does. */
import type { ExecutorCall } from '../types/executor-api.ts';
import type { SchedulerCall } from '../types/scheduler-api.ts';
import type { MessageType } from './descriptor.ts';
import { executorCall, schedulerCall } from './descriptor.ts';
import type { Encoding } from './encoding.ts';
import { encodeMessage } from './encoding.ts';
import { CallFormatError, WireFormatError } from './errors.ts';
import { jsonForm } from './json-form.ts';
import { describeSyntaxError, parseJson } from './json-text.ts';
import { protobufForm } from './protobuf-form.ts';
import { toDomain } from './to-domain.ts';
import { executorCallFault, schedulerCallFault } from './validate-call.ts';

const strictJson = jsonForm('refuse');

/** Throws TypeError for a missing required field. */
export function encodeSchedulerCall(call: SchedulerCall, encoding: Encoding): Uint8Array {
  return encodeMessage(schedulerCall, call, encoding);
}
/** Throws TypeError for a missing required field. */
export function encodeExecutorCall(call: ExecutorCall, encoding: Encoding): Uint8Array {
  return encodeMessage(executorCall, call, encoding);
}

/** The master's side. Throws CallFormatError with the text of the 400. */
export function decodeSchedulerCall(bytes: Uint8Array, encoding: Encoding): SchedulerCall {
  const call = decodeCall(schedulerCall, bytes, encoding);
  const fault = schedulerCallFault(call);
  if (fault !== null) throw new CallFormatError(`Failed to validate scheduler::Call: ${fault}`);
  return call as unknown as SchedulerCall;
}
/** The agent's side. Throws CallFormatError with the text of the 400. */
export function decodeExecutorCall(bytes: Uint8Array, encoding: Encoding): ExecutorCall {
  const call = decodeCall(executorCall, bytes, encoding);
  const fault = executorCallFault(call);
  if (fault !== null) throw new CallFormatError(`Failed to validate executor::Call: ${fault}`);
  return call as unknown as ExecutorCall;
}

function decodeCall(schema: MessageType, bytes: Uint8Array, encoding: Encoding): Record<string, unknown> {
  return encoding === 'application/json' ? fromJson(schema, bytes) : fromProtobuf(schema, bytes);
}

function fromJson(schema: MessageType, bytes: Uint8Array): Record<string, unknown> {
  const text = Buffer.from(bytes).toString('utf8');
  let tree: unknown;
  try {
    tree = parseJson(text);
  } catch (cause) {
    throw new CallFormatError(`Failed to parse body into JSON: ${describeSyntaxError(text, cause)}`, {
      cause,
    });
  }
  try {
    return toDomain(schema, tree, strictJson) as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof WireFormatError)) throw cause;
    throw new CallFormatError(`Failed to convert JSON into Call protobuf: ${cause.message}`, { cause });
  }
}

function fromProtobuf(schema: MessageType, bytes: Uint8Array): Record<string, unknown> {
  try {
    return toDomain(schema, schema.decode(bytes), protobufForm) as Record<string, unknown>;
  } catch (cause) {
    throw new CallFormatError('Failed to parse body into Call protobuf', { cause });
  }
}
