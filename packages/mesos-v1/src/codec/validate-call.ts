/**
 * What a call must contain beyond its required fields, in the order and the words of Mesos (recording 08).
 * Each function returns the fault, or null. Authentication is not looked at here.
 */
type Call = Record<string, unknown>;

/** Type → payload that must be there. A type that is not listed has none. */
const SCHEDULER_PAYLOAD: Record<string, string> = {
  SUBSCRIBE: 'subscribe',
  ACCEPT: 'accept',
  DECLINE: 'decline',
  KILL: 'kill',
  SHUTDOWN: 'shutdown',
  ACKNOWLEDGE: 'acknowledge',
  RECONCILE: 'reconcile',
  MESSAGE: 'message',
  REQUEST: 'request',
};
const EXECUTOR_PAYLOAD: Record<string, string> = {
  SUBSCRIBE: 'subscribe',
  UPDATE: 'update',
  MESSAGE: 'message',
};

const expecting = (name: string) => `Expecting '${name}' to be present`;

function missingPayload(payloads: Record<string, string>, call: Call): string | null {
  const payload = payloads[call.type as string];
  return payload !== undefined && call[payload] === undefined ? expecting(payload) : null;
}

export function schedulerCallFault(call: Call): string | null {
  if (call.type === undefined) return expecting('type');
  if (call.type === 'SUBSCRIBE') {
    if (call.subscribe === undefined) return expecting('subscribe');
    const { frameworkInfo } = call.subscribe as { frameworkInfo: Call };
    if (frameworkInfo.id === call.frameworkId) return null;
    return "'framework_id' differs from 'subscribe.framework_info.id'";
  }
  if (call.frameworkId === undefined) return expecting('framework_id');
  const missing = missingPayload(SCHEDULER_PAYLOAD, call);
  if (missing !== null || call.type !== 'ACKNOWLEDGE') return missing;
  return uuidFault((call.acknowledge as { uuid: string }).uuid);
}

export function executorCallFault(call: Call): string | null {
  if (call.type === undefined) return expecting('type');
  const missing = missingPayload(EXECUTOR_PAYLOAD, call);
  if (missing !== null || call.type !== 'UPDATE') return missing;
  return updateFault(call, (call.update as { status: Call }).status);
}

function updateFault(call: Call, status: Call): string | null {
  if (status.uuid === undefined) return expecting('uuid');
  const who = `executor ${String(call.executorId)} of framework ${String(call.frameworkId)}`;
  if (status.executorId !== undefined && status.executorId !== call.executorId) {
    const [said, set] = [call.executorId as string, status.executorId as string];
    return `ExecutorID in Call: ${said} does not match ExecutorID in TaskStatus: ${set}`;
  }
  if (status.source !== 'SOURCE_EXECUTOR') {
    return `Received Call from ${who} with invalid source, expecting 'SOURCE_EXECUTOR'`;
  }
  if (status.state === 'TASK_STAGING') return `Received TASK_STAGING from ${who} which is not allowed`;
  return uuidFault(status.uuid as string);
}

/** 16 bytes whose version nibble is 1 to 5; anything else is refused (mesos-v1 API, encoding rules). */
function uuidFault(uuid: string): string | null {
  const bytes = Buffer.from(uuid, 'base64');
  const version = (bytes[6] ?? 0) >> 4;
  return bytes.length === 16 && version >= 1 && version <= 5 ? null : 'Not a valid UUID';
}
