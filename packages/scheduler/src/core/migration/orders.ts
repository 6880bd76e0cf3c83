/** What an operator orders about the migration, and what becomes of the cluster's record of it. */
import type { ClusterMigration, NodeId } from '@mesos-elasticsearch/contract';
import { isSameKinds, type VolumeKinds } from './volumes.ts';

export type MigrationOrder =
  | {
      readonly kind: 'begin';
      readonly to: VolumeKinds;
      readonly wantedHealth: ClusterMigration['wantedHealth'];
      readonly overwriteFormer: boolean;
    }
  | {
      readonly kind: 'pause' | 'resume' | 'rollback';
      /** With rollback: what this node may have acknowledged on its new volumes is given up. */
      readonly giveUp?: NodeId;
    };

const STATES = { pause: 'paused', resume: 'running', rollback: 'rolling-back' } as const;

/** @returns undefined when the record says what the order asks for, whoever has written that */
export function stillOrdered(
  order: MigrationOrder | undefined,
  known: ClusterMigration | undefined,
): MigrationOrder | undefined {
  if (order === undefined) return undefined;
  if (order.kind === 'begin') {
    const { to, wantedHealth, overwriteFormer } = order;
    const begun =
      known?.state === 'running' &&
      known.wantedHealth === wantedHealth &&
      known.overwriteFormer === overwriteFormer &&
      isSameKinds(known.to, to);
    return begun ? undefined : order;
  }
  const isSo = known?.state === STATES[order.kind] && known.giveUp === order.giveUp;
  return known === undefined || known.state === 'done' || isSo ? undefined : order;
}

/** @param known absent only where the order is to begin */
export function afterOrder(
  order: MigrationOrder,
  known: ClusterMigration | undefined,
  id: string,
  wallMs: number,
): ClusterMigration | undefined {
  if (order.kind === 'begin') {
    const { to, wantedHealth, overwriteFormer } = order;
    // What an earlier one has changed and not put back yet is still to be put back.
    const allocation = known?.allocation === undefined ? {} : { allocation: known.allocation };
    const begun = { id, to, wantedHealth, overwriteFormer, ...allocation };
    return { ...begun, state: 'running', why: 'an operator ordered it', since: wallMs };
  }
  if (known === undefined) return undefined;
  const { kind, giveUp } = order;
  if (giveUp === undefined) return inState(known, STATES[kind], `an operator ordered it: ${kind}`, wallMs);
  const why = `an operator ordered it: ${kind}, and gives up what node ${giveUp} has acknowledged since its copy`;
  return { ...inState(known, STATES[kind], why, wallMs), giveUp };
}

/**
 * The end of rolling back. What a node has written to its new volumes by itself is nobody's copy: that it may be written
 * over when the migration goes on takes another order.
 */
export function rolledBack(known: ClusterMigration, why: string, wallMs: number): ClusterMigration {
  const next = inState(known, 'paused', why, wallMs);
  if (next.giveUp === undefined) return next;
  delete next.giveUp;
  return { ...next, overwriteFormer: false };
}

export function inState(
  known: ClusterMigration,
  state: ClusterMigration['state'],
  why: string,
  wallMs: number,
): ClusterMigration {
  return { ...known, state, why, since: wallMs };
}
