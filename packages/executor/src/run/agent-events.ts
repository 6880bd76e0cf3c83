/** Between the agent's words and the machine's. */
import { encodeJson } from '@mesos-elasticsearch/contract';
import {
  taskId,
  type ExecutorChange,
  type ExecutorEvent,
  type KillPolicy,
  type TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import type { StatusToSend } from '../core/effects.ts';
import type { MachineEvent } from '../core/events.ts';

const NANOSECONDS_PER_MS = 1_000_000n;

/** Undefined for what concerns the session alone. */
export function machineEventOf(
  event: ExecutorEvent,
  environmentNodeId: string | undefined,
): MachineEvent | undefined {
  switch (event.type) {
    case 'LAUNCH': {
      const { task } = event.launch;
      return { kind: 'launch', taskId: task.taskId, data: task.data, environmentNodeId };
    }
    case 'KILL':
      return { kind: 'kill', taskId: event.kill.taskId, graceMs: graceMsOf(event.kill.killPolicy) };
    case 'SHUTDOWN':
      return { kind: 'shutdown' };
    case 'MESSAGE':
      return { kind: 'message', data: event.message.data };
    case 'LAUNCH_GROUP':
    case 'SUBSCRIBED':
    case 'ACKNOWLEDGED':
    case 'ERROR':
    case 'HEARTBEAT':
    case 'UNKNOWN':
      return undefined;
  }
}

/** The session itself tries again until it says that it is over. */
export function machineEventOfChange(change: ExecutorChange): MachineEvent | undefined {
  switch (change.state) {
    case 'agent-lost':
    case 'refused':
      return { kind: 'agent-gone' };
    case 'connecting':
    case 'subscribed':
    case 'disconnected':
      return undefined;
  }
}

function graceMsOf(policy: KillPolicy | undefined): number | undefined {
  const nanoseconds = policy?.gracePeriod?.nanoseconds;
  return nanoseconds === undefined ? undefined : Number(nanoseconds / NANOSECONDS_PER_MS);
}

export function taskStatusOf(status: StatusToSend): TaskStatus {
  const report = status.report ?? status.migration;
  return {
    taskId: taskId(status.taskId),
    state: status.state,
    ...(status.message === undefined ? {} : { message: status.message }),
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
    ...(report === undefined ? {} : { data: encodeJson(report) }),
  };
}
