/**
 * Branded ids of the Mesos v1 API. Each is made only by its parser, so that a task ID can never be handed
 * over where an agent ID is wanted. Rule of the master for all of them: non-empty, at most 255 bytes, not
 * `.` or `..`, no control characters, no slash or backslash.
 */
declare const brand: unique symbol;
export type Branded<B extends string> = string & { readonly [brand]: B };

export type FrameworkId = Branded<'FrameworkId'>;
export type AgentId = Branded<'AgentId'>;
export type OfferId = Branded<'OfferId'>;
export type TaskId = Branded<'TaskId'>;
export type ExecutorId = Branded<'ExecutorId'>;
export type ContainerIdValue = Branded<'ContainerIdValue'>;
/** Value of the `Mesos-Stream-Id` header; names one subscription. */
export type StreamId = Branded<'StreamId'>;
/** A status update's uuid: base64 of the 16 raw bytes. Its presence means: acknowledge. */
export type StatusUuid = Branded<'StatusUuid'>;

const MAX_ID_BYTES = 255;

/** True if the master would take `text` as an id (see the rule at the top of this file). */
export function isValidMesosId(text: string): boolean {
  if (text === '' || text === '.' || text === '..') return false;
  if (Buffer.byteLength(text) > MAX_ID_BYTES) return false;
  return !/[\u0000-\u001f\u007f/\\]/.test(text);
}

function checked(kind: string, text: string): string {
  if (!isValidMesosId(text)) throw new TypeError(`not a valid Mesos ${kind}: ${JSON.stringify(text)}`);
  return text;
}

/** Each parser throws TypeError for a text that the master would refuse. */
export const frameworkId = (text: string) => checked('framework ID', text) as FrameworkId;
export const agentId = (text: string) => checked('agent ID', text) as AgentId;
export const offerId = (text: string) => checked('offer ID', text) as OfferId;
export const taskId = (text: string) => checked('task ID', text) as TaskId;
export const executorId = (text: string) => checked('executor ID', text) as ExecutorId;
export const streamId = (text: string) => checked('stream ID', text) as StreamId;
