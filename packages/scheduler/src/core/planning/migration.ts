/**
 * Volumes move to another driver node by node. Every step is on record before the next is taken, so that whoever leads
 * goes on where the last one stopped: the order, the allocation setting that is about to change, the turn, the copy.
 */
import type { ClusterMigration, NodeRecord } from '@mesos-elasticsearch/contract';
import { agentId, taskId } from '@mesos-elasticsearch/mesos-v1';
import { inState, rolledBack } from '../migration/orders.ts';
import { isToldByItsEnd } from '../migration/proof.ts';
import { stuckText } from '../migration/texts.ts';
import {
  hasTurn,
  purged,
  startsForgotten,
  takenBack,
  turnBegun,
  turnedBack,
  type MigratingRecord,
} from '../migration/transitions.ts';
import { isWayBack, nodesToMove, nodeVolumesOf, turnOf } from '../migration/volumes.ts';
import { heldNodes } from '../model.ts';
import type { Step } from '../steps.ts';
import {
  askHealth,
  healthNow,
  recordMigration,
  restoreAllocation,
  restrictAllocation,
} from './allocation.ts';
import { recordNode, waitFor, type PlanContext } from './context.ts';
import { nodeThatNeverRan } from './framework.ts';
import { surplusNodes } from './launches.ts';
import { MOST_TRIES } from './migration-launch.ts';

export function planMigration(context: PlanContext): Step[] {
  const { model } = context;
  const migration = model.framework?.record.migration;
  const steps = migration === undefined ? [] : stateSteps(context, migration);
  return [...planPurges(context), ...pendingOrder(context), ...steps];
}

function stateSteps(context: PlanContext, migration: ClusterMigration): Step[] {
  const record = turnOf(context.model);
  const turn = record !== undefined && hasTurn(record) ? record : undefined;
  switch (migration.state) {
    case 'running':
      if (turn === undefined) return nextTurn(context, migration);
      return turn.migration.id !== migration.id && isWayBack(context.desired, turn, migration.to)
        ? turnBack(context, migration, turn)
        : turnSteps(context, migration, turn);
    case 'paused':
      return [
        ...(turn === undefined ? [] : pausedTurn(context, turn)),
        ...restoreAllocation(context, migration),
      ];
    case 'rolling-back':
      return [...rollBack(context, migration, turn), ...restoreAllocation(context, migration)];
    case 'done':
      return restoreAllocation(context, migration);
  }
}

function pendingOrder({ model }: PlanContext): Step[] {
  const never = model.orderedMigration?.kind === 'begin' ? nodeThatNeverRan(model) : undefined;
  return never === undefined ? [] : [waitFor('migration-turn', `it begins when node ${never} has run`)];
}

/** Former volumes are forgotten only while the node runs on others. */
function planPurges({ model }: PlanContext): Step[] {
  return [...model.purges].flatMap(([nodeId, { driver, epoch }]) => {
    const record = model.nodes.get(nodeId)?.record;
    const next = record === undefined ? undefined : purged(record, driver, epoch);
    return next === undefined || next.phase !== 'running' || hasTurn(next) ? [] : [recordNode(model, next)];
  });
}

/** The node stops, is copied, and comes up again, by steps that are planned with those of all other nodes. */
function turnSteps(context: PlanContext, migration: ClusterMigration, turn: MigratingRecord): Step[] {
  const { nodeId, migration: own, phase } = turn;
  switch (own.stage) {
    case 'stopping':
      return phase === 'running' || phase === 'assigned' ? stop(context, turn, 'it stops for its turn') : [];
    case 'copying': {
      if (own.failedTries >= MOST_TRIES) {
        const why = `node ${nodeId}: ${own.failedTries} tries to copy have failed, last: ${turn.why}`;
        return recordMigration(context.model, inState(migration, 'rolling-back', why, context.now.wallMs));
      }
      return turn.holder === undefined
        ? []
        : [waitFor('migration-copies', progressText(context, turn), nodeId)];
    }
    case 'copied':
      return own.failedStarts !== undefined && own.failedStarts >= MOST_TRIES
        ? recordMigration(context.model, startsFailed(context, migration, turn))
        : [waitFor('migration-copies', `verified: it starts on ${own.to.data.driver}`, nodeId)];
  }
}

/** Lowest node ID first, and each only after the one before serves again. */
function nextTurn(context: PlanContext, migration: ClusterMigration): Step[] {
  const { model, desired, now } = context;
  const [next] = nodesToMove(desired, model, migration.to);
  if (next === undefined) {
    if (migration.allocation !== undefined) return restoreAllocation(context, migration);
    return recordMigration(model, inState(migration, 'done', 'every node is on its new volumes', now.wallMs));
  }
  const unsettled = whyUnsettled(context);
  if (unsettled !== undefined) {
    return [...restoreAllocation(context, migration), waitFor('migration-turn', unsettled, next.nodeId)];
  }
  const { allocation } = migration;
  if (allocation !== undefined && allocation.nodeId !== next.nodeId)
    return restoreAllocation(context, migration);
  const health = healthNow(context, migration);
  if (allocation === undefined) {
    if (health.is !== 'settled') return askHealth(context, next.nodeId, health.reason);
    const recorded = { nodeId: next.nodeId, before: health.allocation };
    return recordMigration(model, { ...migration, allocation: recorded });
  }
  // Restored: what was seen of the cluster since it was restricted was not as wanted.
  if (model.elasticsearch.allocation === 'restored') return restoreAllocation(context, migration);
  if (model.elasticsearch.allocation === undefined) return restrictAllocation(context, next.nodeId);
  if (health.is === 'not-wanted') return restoreAllocation(context, migration);
  if (health.is === 'unknown') return askHealth(context, next.nodeId, health.reason);
  const to = nodeVolumesOf(desired.framework.name, next.nodeId, migration.to);
  return [recordNode(model, turnBegun(next, migration, to))];
}

/** A migration back was ordered in the middle of its turn: once nothing of it runs any more it is copied. */
function turnBack(context: PlanContext, migration: ClusterMigration, turn: MigratingRecord): Step[] {
  const { holder, phase, nodeId } = turn;
  if (holder === undefined || phase === 'releasing')
    return [recordNode(context.model, turnedBack(turn, migration, context.now.wallMs))];
  return phase === 'suspect'
    ? [waitFor('migration', 'it is copied back when its task is known to be gone', nodeId)]
    : stop(context, turn, 'it is stopped: it is copied back to where it was');
}

/** It is tried on; nothing else is done before an operator has seen it. */
function startsFailed(
  { desired, now }: PlanContext,
  migration: ClusterMigration,
  turn: MigratingRecord,
): ClusterMigration {
  const { nodeId, migration: own, why: last } = turn;
  const { driver } = own.to.data;
  const isFree = desired.safety.mayTakeBack(turn) || isToldByItsEnd(turn);
  const next = isFree
    ? 'Elasticsearch has never started there, so rollback is free: it takes the node back to its old volumes'
    : `${stuckText(turn)}. Mend what keeps it from starting: it is tried again by itself`;
  const why = `node ${nodeId}: ${own.failedStarts} starts on its new volumes (${driver}) have failed, last: ${last}. ${next}`;
  return inState(migration, 'paused', why, now.wallMs);
}

function whyUnsettled({ model }: PlanContext): string | undefined {
  if (model.framework?.record.bootstrapped !== true) return 'the cluster has not formed yet';
  const other = heldNodes(model).find(({ phase }) => phase !== 'running');
  if (other !== undefined) return `node ${other.nodeId} is ${other.phase}`;
  const vacancy = Math.min(...model.vacancies);
  if (Number.isFinite(vacancy)) return `node ${vacancy} is not up`;
  const surplus = Math.max(...surplusNodes(model));
  return Number.isFinite(surplus) ? `node ${surplus} is being taken away` : undefined;
}

/** A turn in which nothing was copied yet is no turn; of any other the copy is stopped where it is. */
function pausedTurn(context: PlanContext, turn: MigratingRecord): Step[] {
  const { model, now } = context;
  const { migration, phase, holder, epoch, nodeId } = turn;
  if (migration.stage === 'copied') {
    return migration.failedStarts === undefined ? [] : [recordNode(model, startsForgotten(turn))];
  }
  const untouched = migration.stage === 'stopping' || epoch === migration.sinceEpoch;
  if (untouched && (migration.stage === 'stopping' || holder === undefined)) {
    return [recordNode(model, takenBack(turn, 'migration: paused before its turn had begun', now.wallMs))];
  }
  const copies = holder !== undefined && (phase === 'assigned' || phase === 'migrating');
  return copies
    ? stop(context, turn, 'its copy is stopped: the migration is paused')
    : holder === undefined
      ? []
      : [waitFor('migration-paused', `its copy is ${phase}`, nodeId)];
}

/** Back to the old volumes, as long as nothing can have run on the new ones, or by the word of an operator. */
function rollBack(
  context: PlanContext,
  migration: ClusterMigration,
  turn: MigratingRecord | undefined,
): Step[] {
  const { model, now, desired } = context;
  if (turn === undefined) return recordMigration(model, rolledBack(migration, migration.why, now.wallMs));
  if (!desired.safety.mayTakeBack(turn) && migration.giveUp !== turn.nodeId) {
    if (isToldByItsEnd(turn))
      return stop(context, turn, 'its end says whether it may go back to its old volumes');
    return recordMigration(model, rolledBack(migration, `${migration.why}; ${stuckText(turn)}`, now.wallMs));
  }
  const { phase, nodeId } = turn;
  const back = recordNode(model, takenBack(turn, `migration: rolled back (${migration.why})`, now.wallMs));
  if (turn.migration.stage === 'stopping' || turn.holder === undefined || phase === 'releasing')
    return [back];
  return phase === 'suspect'
    ? [waitFor('migration', 'it goes back to its old volumes when its task is known to be gone', nodeId)]
    : stop(context, turn, 'its copy is stopped: it goes back to its old volumes');
}

/** Not before the task was sent to its agent, and again and again until it has ended. */
function stop({ model, desired, now }: PlanContext, record: NodeRecord, reason: string): Step[] {
  const { holder, nodeId } = record;
  const wait = waitFor('migration', reason, nodeId);
  const killedAtMs = model.stopping.get(nodeId);
  const recent = killedAtMs !== undefined && now.monotonicMs - killedAtMs < desired.timing.killEveryMs;
  if (holder === undefined || recent || model.launches.has(nodeId)) return [wait];
  const target = { taskId: taskId(holder.taskId), agentId: agentId(holder.agentId) };
  return [wait, { kind: 'kill', ...target, rule: 'migration' }];
}

function progressText({ model }: PlanContext, { nodeId, migration }: MigratingRecord): string {
  const copy = model.copies.get(nodeId);
  const to = migration.to.data.driver;
  if (copy === undefined) return `its task starts to copy to ${to}`;
  const verifies = copy.stage === 'verifying';
  const total = sumOf(copy.volumes.map(({ bytesTotal }) => bytesTotal));
  const done = sumOf(copy.volumes.map((each) => (verifies ? each.bytesVerified : each.bytesCopied)));
  // In tenths, so that a wait is not news with each report.
  const tenths = total === 0 ? 0 : Math.floor((10 * done) / total) * 10;
  return `${copy.stage} to ${to}: ${tenths} % of ${total} bytes`;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
