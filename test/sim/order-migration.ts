/** An operator who moves the volumes to the other driver, and then thinks better of it. */
import type { MigrationOrder } from '@mesos-elasticsearch/scheduler/core';
import { DRIVERS } from './settings.ts';
import type { World } from './world.ts';

/** @returns what was ordered, or undefined where there was nobody to take it; as `run/migration-orders.ts` allows it */
export function orderMigration(
  world: World,
  { target, manner }: { readonly target: number; readonly manner: number },
): string | undefined {
  const { leader } = world.leadership;
  const framework = leader?.model.framework?.record;
  if (leader === undefined || framework === undefined || leader.model.orderedMigration !== undefined) {
    return undefined;
  }
  if (framework.migration?.state === 'running' && manner >= 0.6) {
    rollBackLate(world, LATE_TRIES);
    return 'rollback as soon as a node is launched on its new volumes';
  }
  const former = [...world.ledger.nodes.values()].some(({ record }) => record.formerVolumes !== undefined);
  const order =
    (manner < 0.5 ? undefined : backInItsTurn(world)) ??
    nextOrder(framework.migration, { target, manner, former });
  if (order === undefined) return undefined;
  leader.order({ kind: 'migration-ordered', order });
  return order.kind === 'begin' ? `to ${order.to.data.driver}` : order.kind;
}

const LATE_TRIES = 600;

/** At the worst moment: the node may have acknowledged something on the new volumes, and nobody has heard of it. */
function rollBackLate(world: World, tries: number): void {
  const { leader } = world.leadership;
  const launched = [...world.ledger.nodes.values()].some(
    ({ record }) => record.migration?.stage === 'copied' && record.holder !== undefined,
  );
  if (!launched || leader === undefined) {
    if (tries > 0) world.after(200, () => rollBackLate(world, tries - 1));
    return;
  }
  world.after(world.random.between(0, 5_000), () => {
    leader.order({ kind: 'migration-ordered', order: { kind: 'rollback' } });
    if (world.random.chance(0.5)) copyBack(world, LATE_TRIES);
  });
}

/** It was too late, and before the node has come up the operator wants it copied back. */
function copyBack(world: World, tries: number): void {
  const order = backInItsTurn(world);
  const { leader } = world.leadership;
  if (order !== undefined) leader?.order({ kind: 'migration-ordered', order });
  else if (tries > 0) world.after(50, () => copyBack(world, tries - 1));
}

/** Paused with a node that does not come up on its copy: it is copied back. */
function backInItsTurn(world: World): MigrationOrder | undefined {
  const known = world.ledger.framework?.record.migration;
  const stuck = [...world.ledger.nodes.values()].find(({ record }) => record.migration?.stage === 'copied');
  const from = stuck?.record.migration?.from.data.driver;
  if (known?.state !== 'paused' || from === undefined) return undefined;
  const kind = { driver: from, options: {} };
  const { wantedHealth } = known;
  return { kind: 'begin', to: { config: kind, data: kind }, wantedHealth, overwriteFormer: true };
}

function nextOrder(
  known: NonNullable<World['ledger']['framework']>['record']['migration'],
  { target, manner, former }: { readonly target: number; readonly manner: number; readonly former: boolean },
): MigrationOrder | undefined {
  switch (known?.state) {
    case 'running':
      return { kind: manner < 0.3 ? 'pause' : 'rollback' };
    case 'paused':
      return { kind: manner < 0.7 ? 'resume' : 'rollback' };
    case 'rolling-back':
      return undefined;
    case 'done':
    case undefined: {
      const driver = known?.to.data.driver === DRIVERS[1] ? DRIVERS[0] : DRIVERS[1];
      const kind = { driver, options: {} };
      const wantedHealth = target < 0.5 ? 'green' : 'yellow';
      return { kind: 'begin', to: { config: kind, data: kind }, wantedHealth, overwriteFormer: former };
    }
  }
}
