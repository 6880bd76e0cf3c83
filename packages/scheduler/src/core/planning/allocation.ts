/** What Elasticsearch is asked while volumes are moved, and what it is told about its shards. */
import type { ClusterMigration, NodeId } from '@mesos-elasticsearch/contract';
import { obstacleOf, type ElasticsearchQuestion } from '../migration/health.ts';
import { heldNodes, type Model } from '../model.ts';
import type { RuleName } from '../rules/names.ts';
import type { Step, StepOf } from '../steps.ts';
import { waitFor, type PlanContext } from './context.ts';

/** settled: as wanted for long enough. wanted: as wanted just now. */
export interface Health {
  readonly is: 'settled' | 'wanted' | 'not-wanted' | 'unknown';
  readonly reason: string;
  /** Of an answer that counts still. */
  readonly allocation: string | null;
}

/** An answer is worth something for as long as the next one but two is not due. */
const STALE_AFTER = 3;

export function healthNow({ model, desired, now }: PlanContext, { wantedHealth }: ClusterMigration): Health {
  const { health, readAtMs, settledSinceMs, failure } = model.elasticsearch;
  const stale = now.monotonicMs - readAtMs > STALE_AFTER * desired.timing.healthEveryMs;
  if (health === undefined || stale || failure !== undefined) {
    const reason = failure === undefined ? 'Elasticsearch was not asked yet' : failure.message;
    return { is: 'unknown', reason, allocation: null };
  }
  const { allocation } = health;
  const obstacle = obstacleOf(health, wantedHealth, heldNodes(model).length);
  if (obstacle !== undefined) return { is: 'not-wanted', reason: obstacle, allocation };
  const settled =
    settledSinceMs !== undefined && now.monotonicMs - settledSinceMs >= desired.timing.healthSettleMs;
  return { is: settled ? 'settled' : 'wanted', reason: 'it must stay as it is for a moment', allocation };
}

/** As often as is due; the wait says what for. */
export function askHealth(context: PlanContext, nodeId: NodeId, reason: string): Step[] {
  const { model, desired, now } = context;
  const due = now.monotonicMs - model.elasticsearch.askedAtMs >= desired.timing.healthEveryMs;
  const ask = due ? question(context, { kind: 'health' }) : undefined;
  return [waitFor('migration-health', reason, nodeId), ...(ask === undefined ? [] : [ask])];
}

export function restrictAllocation(context: PlanContext, nodeId: NodeId): Step[] {
  return change(context, nodeId, { kind: 'restrict-allocation', nodeId }, 'only primaries may be allocated');
}

/** What was set before is put back, and the record says so when it is. */
export function restoreAllocation(context: PlanContext, migration: ClusterMigration): Step[] {
  const { model } = context;
  const { allocation } = migration;
  if (allocation === undefined) return [];
  const { nodeId, before } = allocation;
  if (model.elasticsearch.allocation !== 'restored') {
    const restore = { kind: 'restore-allocation', nodeId, value: before } as const;
    return change(context, nodeId, restore, `its allocation setting is put back to ${before ?? 'nothing'}`);
  }
  const next = { ...migration };
  delete next.allocation;
  return recordMigration(model, next);
}

export function recordMigration(model: Model, migration: ClusterMigration): StepOf<'record-framework'>[] {
  const { framework } = model;
  if (framework === undefined) return [];
  const record = { ...framework.record, migration };
  return [{ kind: 'record-framework', record, expected: framework.version }];
}

function change(context: PlanContext, nodeId: NodeId, asked: ElasticsearchQuestion, what: string): Step[] {
  const { model, desired, now } = context;
  const { failure } = model.elasticsearch;
  const due = failure === undefined || now.monotonicMs - failure.atMs >= desired.timing.healthEveryMs;
  const ask = due ? question(context, asked) : undefined;
  const rule: RuleName = 'migration-allocation';
  const reason = failure === undefined ? what : `${what}: ${failure.message}`;
  return [waitFor(rule, reason, nodeId), ...(ask === undefined ? [] : [ask])];
}

/** One question at a time, to the nodes that run. */
function question(
  { model }: PlanContext,
  asked: ElasticsearchQuestion,
): StepOf<'ask-elasticsearch'> | undefined {
  const { elasticsearch } = model;
  const addresses = heldNodes(model).flatMap(({ phase, addresses: known }) =>
    phase === 'running' && known !== undefined ? [known.http] : [],
  );
  if (elasticsearch.asked > elasticsearch.answered || addresses.length === 0) return undefined;
  return { kind: 'ask-elasticsearch', number: elasticsearch.asked + 1, question: asked, addresses };
}
