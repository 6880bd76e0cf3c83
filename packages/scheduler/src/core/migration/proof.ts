/** What proves that a copy is whole, and when the old volumes may still count. */
import {
  decodeMigrationReport,
  decodeNodeReport,
  epoch,
  type NodeMigration,
  type NodeRecord,
} from '@mesos-elasticsearch/contract';
import type { TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { LeaseView } from '../model.ts';

/**
 * The task itself says FINISHED with a report of its very node and epoch that both copies were verified, and it has
 * given its lease back: so it had the right to copy up to the end, and has detached old and new. Anything less is a
 * try that failed.
 */
export function isCopyVerified(
  record: NodeRecord,
  { state, source, data }: Pick<TaskStatus, 'state' | 'source' | 'data'>,
  view: LeaseView | undefined,
): boolean {
  if (record.purpose !== 'migrate' || state !== 'TASK_FINISHED' || source !== 'SOURCE_EXECUTOR') return false;
  const report = data === undefined ? undefined : decodeMigrationReport(data);
  return (
    report?.stage === 'verified' &&
    report.nodeId === record.nodeId &&
    report.epoch === record.epoch &&
    view?.epoch === record.epoch &&
    view.state === 'given-back'
  );
}

/** The executor itself says that Elasticsearch was never let start in this very epoch. */
export function isUnstarted(
  record: NodeRecord,
  { state, source, data }: Pick<TaskStatus, 'state' | 'source' | 'data'>,
): boolean {
  if (source !== 'SOURCE_EXECUTOR' || !ENDED.has(state)) return false;
  const report = data === undefined ? undefined : decodeNodeReport(data);
  return report?.neverStarted === true && report.nodeId === record.nodeId && report.epoch === record.epoch;
}
const ENDED: ReadonlySet<string> = new Set(['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED']);

/** Of a node whose copy is verified: the last epoch of which it is known that nothing ran on the new volumes up to its end. */
function unusedUntil({ migration, formerVolumes }: NodeRecord): number | undefined {
  return migration?.unusedUntil ?? formerVolumes?.at(-1)?.epoch;
}

/** The launch of this epoch has ended before Elasticsearch was let start: known to be unused are the new volumes on. */
export function stillUnused(record: NodeRecord): NodeMigration | undefined {
  const { migration } = record;
  if (migration?.stage !== 'copied' || unusedUntil(record) !== record.epoch - 1) return migration;
  return { ...migration, unusedUntil: epoch(record.epoch) };
}

/**
 * Elasticsearch may have acknowledged documents on the new volumes from the moment on that a run was recorded for
 * them, until it is known that this run has ended before it came so far. Where none came so far the old ones hold
 * everything.
 */
export function mayTakeBack(record: NodeRecord): boolean {
  if (record.migration === undefined) return false;
  return record.migration.stage !== 'copied' || record.epoch === unusedUntil(record);
}

/**
 * All launches on the new volumes have failed before Elasticsearch started, and one more is under way: only its end
 * will tell. A first launch is not disturbed: it is the rule that it succeeds.
 */
export function isToldByItsEnd({ migration, phase, epoch: current }: NodeRecord): boolean {
  return phase === 'assigned' && migration?.stage === 'copied' && migration.unusedUntil === current - 1;
}
