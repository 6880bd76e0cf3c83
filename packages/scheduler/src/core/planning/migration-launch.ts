/** What a node whose turn it is may be launched for, and what holds that up. */
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import type { Model } from '../model.ts';
import type { WaitStep } from '../steps.ts';
import { waitFor } from './context.ts';

/** After that many failed tries a node goes back to its old volumes. */
export const MOST_TRIES = 3;

/** Between the end of the old Elasticsearch and the proof of the copy nothing but a copy is made of its volumes. */
export function purposeOf(record: NodeRecord | undefined): 'run' | 'migrate' {
  const stage = record?.migration?.stage;
  return stage === undefined || stage === 'copied' ? 'run' : 'migrate';
}

export function obstacleOfTurn(
  { framework }: Model,
  { migration, nodeId }: NodeRecord,
): WaitStep | undefined {
  if (migration === undefined) return undefined;
  const state = framework?.record.migration?.state;
  if (state === 'rolling-back') return waitFor('migration', 'it goes back to its old volumes', nodeId);
  if (migration.stage === 'copied') {
    const isLeft = state === 'running' && framework?.record.migration?.id !== migration.id;
    return isLeft ? waitFor('migration', 'it is copied back to where it was', nodeId) : undefined;
  }
  if (state !== 'running') {
    const what =
      'its copy waits: resume the migration, or roll back to start it on its old volumes meanwhile';
    return waitFor('migration-paused', what, nodeId);
  }
  if (migration.failedTries < MOST_TRIES) return undefined;
  return waitFor('migration', `${migration.failedTries} tries to copy have failed`, nodeId);
}
