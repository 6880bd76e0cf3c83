/** What an operator orders about the migration, and what becomes of the cluster's record of it. */
import type { ClusterMigration } from '@mesos-elasticsearch/contract';
import { isSameKinds, type VolumeKinds } from './volumes.ts';

export type MigrationOrder =
  | {
      readonly kind: 'begin';
      readonly to: VolumeKinds;
      readonly wantedHealth: ClusterMigration['wantedHealth'];
      readonly overwriteFormer: boolean;
    }
  | { readonly kind: 'pause' | 'resume' | 'rollback' };

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
  const over = known === undefined || known.state === 'done' || known.state === STATES[order.kind];
  return over ? undefined : order;
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
  return inState(known, STATES[order.kind], `an operator ordered it: ${order.kind}`, wallMs);
}

export function inState(
  known: ClusterMigration,
  state: ClusterMigration['state'],
  why: string,
  wallMs: number,
): ClusterMigration {
  return { ...known, state, why, since: wallMs };
}
