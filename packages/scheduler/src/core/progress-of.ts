/** What a durable step means to humans. */
import { decodeMigrationReport, type NodeRecord } from '@mesos-elasticsearch/contract';
import type { TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { ProgressEvent } from '../progress.ts';
import type { CoreEvent } from './events.ts';
import type { DesiredCluster, Model, Now } from './model.ts';
import { isUnwanted, recordOfTask } from './planning/statuses.ts';

/** @param before the model that `event` is about to be reduced into */
export function progressOf(
  desired: DesiredCluster,
  before: Model,
  event: CoreEvent,
  now: Now,
): ProgressEvent | undefined {
  const atMs = now.wallMs;
  switch (event.kind) {
    case 'mesos':
      if (event.event.type === 'UPDATE')
        return copyProgress(desired, before, event.event.update.status, atMs);
      if (event.event.type !== 'SUBSCRIBED') return undefined;
      return { kind: 'subscribed', frameworkId: event.event.subscribed.frameworkId, atMs };
    case 'gateway':
      return { kind: 'disconnected', why: reasonOf(event.state), atMs };
    case 'framework-recorded': {
      const formed = event.record.bootstrapped && before.framework?.record.bootstrapped === false;
      const { migration } = event.record;
      if (migration !== undefined && before.framework?.record.migration?.state !== migration.state) {
        const { state, to, why } = migration;
        return { kind: 'migration', state, to: to.data.driver, why, atMs };
      }
      return formed
        ? { kind: 'bootstrapped', nodes: event.record.initialMasterNodes ?? [], atMs }
        : undefined;
    }
    case 'assigned': {
      const { record, intent } = event.step;
      return { kind: 'assigned', ...factsOf(record, atMs), relaunch: intent.relaunch };
    }
    case 'node-recorded':
      return recordProgress(before.nodes.get(event.record.nodeId)?.record, event.record, atMs);
    case 'done':
      return doneProgress(desired, before, event.step, atMs);
    default:
      return undefined;
  }
}

function reasonOf(state: Extract<CoreEvent, { kind: 'gateway' }>['state']): string {
  switch (state.kind) {
    case 'disconnected':
      return state.reason;
    case 'refused':
      return `refused: ${state.message}`;
    case 'replaced':
    case 'removed':
      return state.kind;
  }
}

function doneProgress(
  desired: DesiredCluster,
  before: Model,
  step: Extract<CoreEvent, { kind: 'done' }>['step'],
  atMs: number,
): ProgressEvent | undefined {
  if (step.kind === 'accept') {
    const record = before.nodes.get(step.nodeId)?.record;
    if (record === undefined) return undefined;
    return { kind: 'launched', ...factsOf(record, atMs), relaunch: step.intent.relaunch };
  }
  if (step.kind === 'settle-status') {
    const { taskId, agentId } = step.status;
    const news = isUnwanted(before, desired.framework.name, step.status) && !before.strays.has(taskId);
    return news ? { kind: 'unknown-task-killed', taskId, agentId, atMs } : undefined;
  }
  return undefined;
}

/** The stage of a turn says more than the phase. */
function recordProgress(
  before: NodeRecord | undefined,
  after: NodeRecord,
  atMs: number,
): ProgressEvent | undefined {
  const [had, has] = [before?.migration?.stage, after.migration?.stage];
  const phaseSaysMore = after.phase !== before?.phase && ['running', 'retired'].includes(after.phase);
  if (had === has || phaseSaysMore) return phaseProgress(before, after, atMs);
  return { kind: 'migrating', ...factsOf(after, atMs), stage: has ?? 'taken-back', ...NOTHING_COPIED };
}

const NOTHING_COPIED = { bytesCopied: 0, bytesVerified: 0, bytesTotal: 0, notKept: [] } as const;

/** What a task that copies says of itself, in its own epoch. */
function copyProgress(
  { framework }: DesiredCluster,
  before: Model,
  { taskId, data }: TaskStatus,
  atMs: number,
): ProgressEvent | undefined {
  const record = recordOfTask(before, framework.name, taskId);
  const report = data === undefined ? undefined : decodeMigrationReport(data);
  if (record === undefined || report?.epoch !== record.epoch) return undefined;
  const { stage, volumes } = report;
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  return {
    kind: 'migrating',
    ...factsOf(record, atMs),
    stage,
    bytesCopied: sum(volumes.map((each) => each.bytesCopied)),
    bytesVerified: sum(volumes.map((each) => each.bytesVerified)),
    bytesTotal: sum(volumes.map((each) => each.bytesTotal)),
    notKept: [...new Set(volumes.flatMap((each) => each.notKept))],
  };
}

function phaseProgress(
  before: NodeRecord | undefined,
  after: NodeRecord,
  atMs: number,
): ProgressEvent | undefined {
  if (before?.phase === after.phase) return undefined;
  switch (after.phase) {
    case 'running':
      return {
        kind: 'running',
        ...factsOf(after, atMs),
        http: after.addresses?.http,
        transport: after.addresses?.transport,
      };
    case 'suspect':
    case 'releasing':
      return { kind: after.phase, ...factsOf(after, atMs) };
    case 'vacant':
      return before === undefined
        ? undefined
        : { kind: 'released', ...factsOf({ ...before, why: after.why }, atMs) };
    case 'retired':
      return { kind: 'retired', ...factsOf(after, atMs) };
    case 'assigned':
    case 'migrating':
      return undefined;
  }
}

export function volumeNames(record: NodeRecord): string[] {
  return record.volumes === undefined ? [] : [record.volumes.config.name, record.volumes.data.name];
}

function factsOf(record: NodeRecord, atMs: number) {
  return {
    nodeId: record.nodeId,
    epoch: record.epoch,
    agentId: record.holder?.agentId,
    host: record.holder?.host,
    taskId: record.holder?.taskId,
    volumes: volumeNames(record),
    why: record.why,
    atMs,
  };
}
