/** What is durable, and what follows from it: which node IDs are in use, which are wanted and vacant. */
import type { NodeId, NodeRecord } from '@mesos-elasticsearch/contract';
import type { LedgerSnapshot, Versioned } from '@mesos-elasticsearch/coordination';
import { isHeld, wantedSize } from '../model.ts';
import type { DesiredCluster, Failures, Model, Now, RunFacts } from '../model.ts';
import { stillOrdered } from '../migration/orders.ts';
import { outdated } from '../migration/health.ts';
import { free, nodeIdsInUse } from '../node-ids.ts';
import { askAlso } from '../reconcile.ts';
import type { SafetyRules } from '../safety.ts';
import { without, withEntry } from './collections.ts';

/** The ledger as a whole, at the start and after any failure of the store: nothing known before outlives it. */
export function loadLedger(desired: DesiredCluster, model: Model, snapshot: LedgerSnapshot, now: Now): Model {
  const held = [...snapshot.nodes.values()].map(({ record }) => record).filter(isHeld);
  const runs = held.flatMap((record) => {
    const known = model.runs.get(record.nodeId);
    const taskId = record.holder?.taskId ?? '';
    const fresh = { taskId, launched: false, tied: false, assignedAtMs: now.monotonicMs };
    const run = withDoubt(known?.taskId === taskId ? known : fresh, record, now);
    return [[record.nodeId, run] as const];
  });
  const launches = [...model.launches].filter(
    ([nodeId, intent]) => snapshot.nodes.get(nodeId)?.record.holder?.taskId === intent.taskId,
  );
  const tasks = held.flatMap((record) => (record.holder === undefined ? [] : [record.holder.taskId]));
  return refill(desired, {
    ...model,
    ledgerLoaded: true,
    store: { state: 'answers' },
    framework: snapshot.framework,
    orderedMigration: stillOrdered(model.orderedMigration, snapshot.framework?.record.migration),
    elasticsearch: outdated(model.elasticsearch),
    nodes: snapshot.nodes,
    nodeIds: nodeIdsInUse(held.map((record) => record.nodeId)),
    vacancies: new Set(),
    launches: new Map(launches),
    runs: new Map(runs),
    reconciliation:
      model.session.state === 'subscribed'
        ? askAlso(model.reconciliation, tasks, now.monotonicMs)
        : model.reconciliation,
  });
}

/** Hands out the lowest free numbers until as many nodes are wanted as they should be; a suspect node counts. */
export function refill({ safety }: DesiredCluster, model: Model): Model {
  if (model.framework === undefined || !model.ledgerLoaded) return model;
  const vacancies = new Set(model.vacancies);
  let { nodeIds } = model;
  const spare = wantedSize(model) - countedNodes(safety, model);
  while (vacancies.size > Math.max(spare, 0)) {
    const highest = Math.max(...vacancies) as NodeId;
    vacancies.delete(highest);
    nodeIds = free(nodeIds, highest);
  }
  while (vacancies.size < spare) {
    const taken = safety.nextNodeId(nodeIds);
    vacancies.add(taken.id);
    nodeIds = taken.ids;
  }
  return { ...model, vacancies, nodeIds };
}

function countedNodes(safety: SafetyRules, model: Model): number {
  return [...model.nodes.values()].filter(({ record }) => safety.countsTowardSize(record)).length;
}

export function noteRecord(
  desired: DesiredCluster,
  model: Model,
  written: Versioned<NodeRecord>,
  now: Now,
): Model {
  const { record } = written;
  const { nodeId } = record;
  const before = model.nodes.get(nodeId)?.record;
  const vacancies = new Set(model.vacancies);
  let { nodeIds } = model;
  if (isHeld(record)) vacancies.delete(nodeId);
  else if (before !== undefined && isHeld(before)) nodeIds = free(nodeIds, nodeId);
  const leaves = record.holder?.taskId !== before?.holder?.taskId;
  return refill(desired, {
    ...model,
    nodes: withEntry(model.nodes, nodeId, written),
    vacancies,
    nodeIds,
    failures: countFailure(desired, model, record, before, now),
    doubts: without(model.doubts, nodeId),
    operatorReleases: leaves ? without(model.operatorReleases, nodeId) : model.operatorReleases,
    operatorReuses: without(model.operatorReuses, nodeId),
    fences: leaves && !isFencing(model, nodeId) ? without(model.fences, nodeId) : model.fences,
    shrinking: leaves ? without(model.shrinking, nodeId) : model.shrinking,
    stopping: leaves ? without(model.stopping, nodeId) : model.stopping,
    copies: leaves ? without(model.copies, nodeId) : model.copies,
    purges: without(model.purges, nodeId),
    elasticsearch: outdated(model.elasticsearch),
    clusterUuids: leaves ? without(model.clusterUuids, nodeId) : model.clusterUuids,
    launches: record.phase === 'assigned' ? model.launches : without(model.launches, nodeId),
    runs: leaves ? withRun(model, record, now) : doubted(model, record, now),
  });
}

/** A command that was begun ends by itself; until then it may hit whoever comes next to that host. */
function isFencing(model: Model, nodeId: NodeId): boolean {
  return model.fences.get(nodeId)?.outcome === 'under-way';
}

const DOUBTED: ReadonlySet<NodeRecord['phase']> = new Set(['suspect', 'releasing']);

function withDoubt(run: RunFacts, { phase }: NodeRecord, { monotonicMs }: Now): RunFacts {
  if (DOUBTED.has(phase)) return { ...run, doubtedAtMs: run.doubtedAtMs ?? monotonicMs };
  const { taskId, launched, tied, assignedAtMs } = run;
  return { taskId, launched, tied, assignedAtMs };
}

function doubted(model: Model, record: NodeRecord, now: Now): Model['runs'] {
  const run = model.runs.get(record.nodeId);
  return run === undefined ? model.runs : withEntry(model.runs, record.nodeId, withDoubt(run, record, now));
}

function withRun(model: Model, record: NodeRecord, now: Now): Model['runs'] {
  if (record.holder === undefined) return without(model.runs, record.nodeId);
  return withEntry(model.runs, record.nodeId, {
    taskId: record.holder.taskId,
    launched: false,
    tied: false,
    assignedAtMs: now.monotonicMs,
  });
}

/** These ends are not the node's own fault: it is launched again at once. */
const NOT_ITS_FAULT: ReadonlySet<string> = new Set(['lease-expired', 'preempted', 'operator-word']);

function countFailure(
  { timing }: DesiredCluster,
  model: Model,
  record: NodeRecord,
  before: NodeRecord | undefined,
  now: Now,
): Model['failures'] {
  const copied = record.migration?.stage === 'copied' && before?.purpose === 'migrate';
  if (record.phase === 'running' || copied) return without(model.failures, record.nodeId);
  if (before === undefined || !hasFailed(model, before, record)) return model.failures;
  const count = (model.failures.get(record.nodeId)?.count ?? 0) + 1;
  const inVain = (record.migration?.failedTries ?? 0) > (before.migration?.failedTries ?? 0);
  const pause = inVain ? timing.copyRetryMs * 2 ** (count - 1) : pauseBeforeRelaunch(timing, count);
  const notBeforeMs = now.monotonicMs + Math.min(pause, timing.relaunchMaxMs);
  const failures: Failures = { count, notBeforeMs, last: record.why };
  return withEntry(model.failures, record.nodeId, failures);
}

/** The first time is at once: agents die and offers go stale without any fault of the node's. */
function pauseBeforeRelaunch({ relaunchFirstMs }: DesiredCluster['timing'], count: number): number {
  return count === 1 ? 0 : relaunchFirstMs * 2 ** (count - 2);
}

/** Its task has ended, and not because it was told to. */
function hasFailed(model: Model, before: NodeRecord, record: NodeRecord): boolean {
  const { nodeId, phase, holder, lastAgent } = record;
  const ended = before.holder !== undefined && before.phase !== 'releasing';
  const ends = holder === undefined || phase === 'releasing';
  if (!ended || !ends || before.purpose === 'release') return false;
  if (model.shrinking.has(nodeId) || model.stopping.has(nodeId)) return false;
  return phase === 'releasing' || !NOT_ITS_FAULT.has(lastAgent?.left ?? '');
}
