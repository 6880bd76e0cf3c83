/** What operators may order about moving volumes, checked against the model. */
import { driverNameSchema, type ClusterMigration } from '@mesos-elasticsearch/contract';
import type { DesiredCluster, Model } from '../core/model.ts';
import type { MigrationOrder } from '../core/migration/orders.ts';
import { isToldByItsEnd } from '../core/migration/proof.ts';
import { stuckText } from '../core/migration/texts.ts';
import { hasTurn, isNamed } from '../core/migration/transitions.ts';
import {
  driversOf,
  isSameVolumes,
  isWayBack,
  nodesToMove,
  nodeVolumesOf,
  sharesDriver,
  turnOf,
} from '../core/migration/volumes.ts';
import { mountingObstacle } from '../core/mounting.ts';
import type { OrderResult } from './http-server.ts';

type Begin = Extract<MigrationOrder, { kind: 'begin' }>;
type Change = Exclude<MigrationOrder, Begin>;

/** @returns an order to refuse with, or undefined when it may be recorded */
export function refuseMigration(
  desired: DesiredCluster,
  model: Model,
  order: MigrationOrder,
): OrderResult | undefined {
  if (model.framework === undefined) return { status: 503, message: 'the cluster has no record yet' };
  if (model.orderedMigration !== undefined) return conflict('another order is being recorded: look again');
  return order.kind === 'begin' ? refuseBegin(desired, model, order) : refuseChange(desired, model, order);
}

function refuseBegin(desired: DesiredCluster, model: Model, order: Begin): OrderResult | undefined {
  const known = model.framework?.record.migration;
  const turn = turnOf(model);
  const isFree = known?.state === 'paused' && (turn === undefined || isWayBack(desired, turn, order.to));
  if (known !== undefined && known.state !== 'done' && !isFree) {
    return conflict(
      `a migration to ${known.to.data.driver} is under way (${known.state}): see GET /v1/cluster/migration`,
    );
  }
  for (const { driver } of [order.to.config, order.to.data]) {
    if (driverNameSchema.safeParse(driver).success) continue;
    return conflict(`${JSON.stringify(driver)} is no driver's name: letters, digits, "_", "." and "-" only`);
  }
  const faults = [order.to.data, order.to.config].flatMap((volume) => desired.driverFaults?.(volume) ?? []);
  if (faults.length > 0)
    return conflict(`${order.to.data.driver} is not what it may move to: ${[...new Set(faults)].join('; ')}`);
  const { runtime } = desired.node;
  if (runtime.kind === 'docker' && desired.cluster.volumePath.kind === 'engine') {
    return conflict(
      'volumes that only the Docker Engine mounts cannot be copied: start the scheduler with the path plugin-socket',
    );
  }
  const moving = nodesToMove(desired, model, order.to);
  if (moving.length === 0)
    return conflict(`every node is on ${order.to.data.driver} with these options already`);
  return moving.map((record) => refuseNode(desired, order, record)).find((refused) => refused !== undefined);
}

function refuseNode(
  desired: DesiredCluster,
  { to, overwriteFormer }: Begin,
  { nodeId, volumes, formerVolumes = [] }: ReturnType<typeof nodesToMove>[number],
): OrderResult | undefined {
  const target = nodeVolumesOf(desired.framework.name, nodeId, to);
  if (volumes !== undefined && sharesDriver(volumes, target)) {
    return conflict(
      `node ${nodeId} has volumes of ${driversOf(volumes).join(' and ')}: old and new would have the same names; ` +
        'other options need another driver name',
    );
  }
  // It would be copied, and then never be launched on them.
  const unmountable = mountingObstacle(desired, 'run', target);
  if (unmountable !== undefined) return conflict(`node ${nodeId} could not run there: ${unmountable}`);
  const kept = formerVolumes.find((former) => sharesDriver(former.volumes, target));
  if (kept === undefined || overwriteFormer) return undefined;
  return conflict(
    `node ${nodeId} has former volumes of ${driversOf(kept.volumes).join(' and ')} from epoch ${kept.epoch}: ` +
      'purge them (volumes migrate --purge), or order overwriteFormer',
  );
}

/** Where it is said that it is so already nothing is refused. */
function refuseChange(
  { safety }: DesiredCluster,
  model: Model,
  { kind: change, giveUp }: Change,
): OrderResult | undefined {
  const known = model.framework?.record.migration;
  if (known === undefined) return { status: 404, message: 'no migration was ordered' };
  if (known.state === 'done')
    return conflict('the migration is done: the way back is a migration of its own');
  const inTurn = turnOf(model)?.nodeId;
  if (giveUp !== undefined && giveUp !== inTurn) {
    const whose = inTurn === undefined ? 'no node has its turn' : `it is the turn of node ${inTurn}`;
    return conflict(`node ${giveUp} has nothing to give up: ${whose}`);
  }
  if (known.state === 'rolling-back') {
    return change === 'rollback' ? undefined : conflict('it is rolling back: it is paused when that is done');
  }
  const turn = turnOf(model);
  if (change !== 'rollback' || turn === undefined || !hasTurn(turn)) return undefined;
  if (safety.mayTakeBack(turn) || isToldByItsEnd(turn) || giveUp === turn.nodeId) return undefined;
  return conflict(stuckText(turn));
}

export interface PurgeOrder {
  readonly nodeId: number;
  readonly driver: string;
  readonly epoch: number;
}

export function refusePurge(model: Model, { nodeId, driver, epoch }: PurgeOrder): OrderResult | undefined {
  const record = [...model.nodes.values()].find((entry) => entry.record.nodeId === nodeId)?.record;
  if (record === undefined) return { status: 404, message: `node ${nodeId} has no record` };
  const former = (record.formerVolumes ?? []).find((each) => isNamed(each, driver, epoch));
  if (former === undefined) {
    return { status: 404, message: `node ${nodeId} has no former volumes of ${driver} from epoch ${epoch}` };
  }
  if (record.phase !== 'running' || hasTurn(record)) {
    return conflict(
      `node ${nodeId} is ${record.phase}: former volumes are kept until it runs on its new ones`,
    );
  }
  if (record.volumes !== undefined && isSameVolumes(record.volumes, former.volumes)) {
    return conflict(`these are the volumes that node ${nodeId} runs on`);
  }
  return undefined;
}

function conflict(message: string): OrderResult {
  return { status: 409, message };
}

export function orderedText(order: MigrationOrder): string {
  if (order.kind !== 'begin')
    return `the migration: ${order.kind} is recorded; see GET /v1/cluster/migration`;
  return `volumes move to ${order.to.data.driver}, node by node; see GET /v1/cluster/migration`;
}

export type MigrationState = ClusterMigration['state'];
