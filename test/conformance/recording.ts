/** Recorded conversations of a real Mesos, reduced to what matters: ids, times and hosts differ from run to run. */
import { readFileSync } from 'node:fs';
import { decodeSchedulerEvent } from '@mesos-elasticsearch/mesos-v1';
import type { SchedulerEvent, TaskStatus } from '@mesos-elasticsearch/mesos-v1';

export interface RecordedLine {
  readonly t_ms: number;
  readonly kind: string;
  readonly to?: string;
  readonly from?: string;
  readonly event?: unknown;
  readonly protobuf_base64?: string;
  readonly body?: Record<string, unknown> | string;
  readonly headers?: Record<string, string | null>;
  readonly status?: number;
  readonly response?: string;
  readonly text?: string;
  readonly env?: Record<string, string>;
}

export function recording(name: string): RecordedLine[] {
  const text = readFileSync(new URL(`../fixtures/recordings/${name}.jsonl`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedLine);
}

function decoded(line: RecordedLine): SchedulerEvent {
  if (line.protobuf_base64 !== undefined) {
    return decodeSchedulerEvent(Buffer.from(line.protobuf_base64, 'base64'), 'application/x-protobuf');
  }
  return decodeSchedulerEvent(Buffer.from(JSON.stringify(line.event)), 'application/json');
}

/** Events that went to that scheduler, in order. */
export function recordedEvents(name: string, to = 'scheduler'): SchedulerEvent[] {
  return recording(name)
    .filter((line) => line.kind === 'event' && line.to === to)
    .map(decoded);
}

/** Ids, hosts, and the amounts of whichever agent was used are not the same twice. */
export function withoutIds(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/<uuid>-(O|S)?\d+/g, '<uuid>-$1n')
    .replaceAll(/Agent \S+ is unreachable/g, 'Agent <host> is unreachable');
}

function matterOfUpdate(status: TaskStatus) {
  return {
    event: 'UPDATE',
    task: status.taskId as string,
    state: status.state,
    source: status.source,
    reason: status.reason,
    message: status.message === undefined ? undefined : withoutIds(status.message),
    uuid: status.uuid !== undefined,
    executorId: status.executorId as string | undefined,
    healthy: status.healthy,
    data: status.data === undefined ? undefined : Buffer.from(status.data).toString(),
    agentId: status.agentId !== undefined,
    containerStatus: status.containerStatus !== undefined,
    unreachableTime: status.unreachableTime !== undefined,
  };
}

/** Undefined for what depends on timing alone: offers and heartbeats. */
function matter(event: SchedulerEvent) {
  switch (event.type) {
    case 'UPDATE':
      return matterOfUpdate(event.update.status);
    case 'FAILURE': {
      const { agentId, executorId, status } = event.failure;
      return {
        event: 'FAILURE',
        agentId: agentId !== undefined,
        executorId: executorId as string | undefined,
        status,
      };
    }
    case 'ERROR':
      return { event: 'ERROR', message: event.error.message };
    case 'MESSAGE':
      return {
        event: 'MESSAGE',
        executorId: event.message.executorId as string,
        data: Buffer.from(event.message.data).toString(),
      };
    case 'RESCIND':
      return { event: 'RESCIND' };
    case 'SUBSCRIBED':
      return { event: 'SUBSCRIBED', heartbeatIntervalSeconds: event.subscribed.heartbeatIntervalSeconds };
    default:
      return undefined;
  }
}
export type Matter = NonNullable<ReturnType<typeof matter>>;

/** An update that was sent again (same uuid) counts once. */
export function matters(events: readonly SchedulerEvent[]): Matter[] {
  const seen = new Set<string>();
  return events.flatMap((event) => {
    const uuid = event.type === 'UPDATE' ? event.update.status.uuid : undefined;
    if (uuid !== undefined && seen.has(uuid)) return [];
    if (uuid !== undefined) seen.add(uuid);
    return matter(event) ?? [];
  });
}

/** The story of one task, or of one executor: what parallel tasks do meanwhile may come in any order. */
export function storyOf(name: string, events: readonly SchedulerEvent[]): Matter[] {
  return matters(events).filter(
    (one) => ('task' in one && one.task === name) || ('executorId' in one && one.executorId === name),
  );
}
