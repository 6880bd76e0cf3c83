/** How a node's record goes through its turn. Each keeps what the next stage still needs, and says why. */
import { epoch } from '@mesos-elasticsearch/contract';
import type { ClusterMigration, FormerVolumes, NodeRecord } from '@mesos-elasticsearch/contract';
import type { NodeMigration, NodeVolumes } from '@mesos-elasticsearch/contract';
import * as transition from '../transitions.ts';
import { stillUnused } from './proof.ts';
import { isSameVolumes } from './volumes.ts';

export type MigratingRecord = NodeRecord & { readonly migration: NodeMigration };

export function hasTurn(record: NodeRecord): record is MigratingRecord {
  return record.migration !== undefined;
}

/** Its turn begins: it runs on, and is told to stop as soon as this is durable. */
export function turnBegun(before: NodeRecord, { id }: ClusterMigration, to: NodeVolumes): NodeRecord {
  if (before.volumes === undefined) return before;
  const migration: NodeMigration = {
    id,
    stage: 'stopping',
    from: before.volumes,
    to,
    sinceEpoch: epoch(before.epoch),
    failedTries: 0,
  };
  return { ...before, migration, why: `migration: stops to move to ${to.data.driver}` };
}

/** The copy is verified: from now on these are the node's volumes, and the old ones are kept as they are. */
export function copied(before: MigratingRecord, wallMs: number): NodeRecord {
  const { migration } = before;
  const why = `copy-verified: its volumes are on ${migration.to.data.driver}`;
  const vacated = transition.vacated(before, 'released', why, wallMs);
  return {
    ...vacated,
    phase: 'vacant',
    volumes: migration.to,
    migration: { ...migration, stage: 'copied' },
    formerVolumes: withFormer(before, migration.to, migration.from),
  };
}

/** A task that was to copy has ended without a verified copy. */
export function tryFailed(before: MigratingRecord, after: NodeRecord): NodeRecord {
  if (after.migration === undefined) return after;
  const failedTries = before.migration.failedTries + 1;
  return { ...after, migration: { ...after.migration, failedTries } };
}

/**
 * Its copy is proven, it does not come up on it, and a migration back is ordered: what it may have written since is copied. Its
 * volumes are those that it may have written to, until that copy is proven.
 */
export function turnedBack(before: MigratingRecord, { id }: ClusterMigration, wallMs: number): NodeRecord {
  const { from: to, to: from } = before.migration;
  const sinceEpoch = epoch(before.epoch);
  const goesOn = before.phase !== 'vacant';
  return {
    ...before,
    phase: goesOn ? before.phase : 'migrating',
    migration: { id, stage: 'copying', from, to, sinceEpoch, failedTries: 0 },
    why: `migration: goes back to ${to.data.driver}, which is copied to`,
    since: goesOn ? before.since : wallMs,
  };
}

/**
 * A launch on the new volumes has ended before the node came up.
 * @param unstarted Elasticsearch was never let start. @param counts not one that was told to stop, while the migration runs
 */
export function startFailed(
  after: NodeRecord,
  { before, unstarted, counts }: { before: MigratingRecord; unstarted: boolean; counts: boolean },
): NodeRecord {
  // Its own end may have said so already.
  const known = after.migration?.unusedUntil === before.epoch || !unstarted;
  const migration = known ? after.migration : stillUnused(before);
  if (migration === undefined) return after;
  const failedStarts = (before.migration.failedStarts ?? 0) + 1;
  return { ...after, migration: counts ? { ...migration, failedStarts } : migration };
}

/** They are on record in the migration's reason: from now on they are counted anew. */
export function startsForgotten(before: MigratingRecord): NodeRecord {
  const migration = { ...before.migration };
  delete migration.failedStarts;
  return { ...before, migration };
}

/** Nothing ran on the new volumes, or an operator gives that up: the old ones count on. What may have been written of a copy is kept on record. */
export function takenBack(before: MigratingRecord, why: string, wallMs: number): NodeRecord {
  const { migration, ...rest } = before;
  const goesOn = before.phase !== 'migrating' && before.phase !== 'vacant';
  const next: NodeRecord = {
    ...rest,
    phase: before.phase === 'migrating' ? 'vacant' : before.phase,
    volumes: migration.from,
    ...(migration.stage === 'stopping' ? {} : { takenBack: migration.id }),
    why,
    since: goesOn ? before.since : wallMs,
  };
  const mayHoldCopy = migration.stage !== 'stopping' && before.epoch > migration.sinceEpoch;
  const formerVolumes = mayHoldCopy
    ? withFormer(before, migration.from, migration.to)
    : (before.formerVolumes ?? []);
  if (formerVolumes.length > 0) next.formerVolumes = formerVolumes;
  else delete next.formerVolumes;
  return next;
}

/** @returns undefined when there is nothing of that driver and epoch to forget */
export function purged(before: NodeRecord, driver: string, lastEpoch: number): NodeRecord | undefined {
  const kept = (before.formerVolumes ?? []).filter((each) => !isNamed(each, driver, lastEpoch));
  if (kept.length === (before.formerVolumes ?? []).length) return undefined;
  const next: NodeRecord = { ...before, formerVolumes: kept };
  if (kept.length === 0) delete next.formerVolumes;
  return next;
}

export function isNamed({ volumes, epoch: last }: FormerVolumes, driver: string, lastEpoch: number): boolean {
  return last === lastEpoch && (volumes.data.driver === driver || volumes.config.driver === driver);
}

function withFormer(before: NodeRecord, current: NodeVolumes, former: NodeVolumes): FormerVolumes[] {
  const others = (before.formerVolumes ?? []).filter(
    ({ volumes }) => !isSameVolumes(volumes, current) && !isSameVolumes(volumes, former),
  );
  return [...others, { volumes: former, epoch: epoch(before.epoch) }];
}
