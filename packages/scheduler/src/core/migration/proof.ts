/** What proves that a copy is whole, and when the old volumes may still count. */
import { decodeMigrationReport, type NodeRecord } from '@mesos-elasticsearch/contract';
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

/**
 * Elasticsearch may have acknowledged documents on the new volumes from the moment on that a run was recorded for
 * them, whatever became of it. Up to then the old ones hold everything.
 */
export function mayTakeBack({ migration, epoch, formerVolumes }: NodeRecord): boolean {
  if (migration === undefined) return false;
  return migration.stage !== 'copied' || epoch === formerVolumes?.at(-1)?.epoch;
}
