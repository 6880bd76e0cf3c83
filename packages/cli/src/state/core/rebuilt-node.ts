/** One node's record out of all that was found about it: in doubt, and never younger than any evidence. */
import type { Holder, LeftBehind, NodeId, NodeRecord } from '@mesos-elasticsearch/contract';
import { exportsOf, leasesOf, type Evidence } from './evidence.ts';

export interface RebuiltNode {
  readonly record: NodeRecord;
  readonly warnings: readonly string[];
}

/** A holder that some evidence names, and the epoch it was given. */
interface NamedHolder {
  readonly epoch: number;
  readonly holder: Holder;
}

export const UNKNOWN = 'unknown';

/** Node IDs that anything was found of, lowest first. */
export function foundNodeIds(evidence: Evidence): NodeId[] {
  const found = [
    ...evidence.exports.flatMap(({ nodes }) => nodes),
    ...evidence.tasks,
    ...evidence.markers.map(({ marker }) => marker),
    ...leasesOf(evidence),
  ];
  return [...new Set(found.map(({ nodeId }) => nodeId))].sort((a, b) => a - b);
}

/** @param frameworkId stands in for the holder's own where the evidence does not tell it */
export function rebuiltNode(
  evidence: Evidence,
  nodeId: NodeId,
  frameworkId: string | undefined,
  nowMs: number,
): RebuiltNode {
  const epoch = highestEpoch(evidence, nodeId);
  const exported = newestExport(evidence, nodeId);
  const holders = namedHolders(evidence, nodeId, frameworkId);
  const named = holders.find((each) => each.epoch === epoch)?.holder;
  const holder = named ?? unknownHolder(nodeId, epoch, frameworkId);
  const same = exported?.epoch === epoch ? exported : undefined;
  const leftBehind = leftBehindBy(evidence, nodeId, holders, holder);
  const record: NodeRecord = {
    nodeId,
    epoch,
    phase: 'suspect',
    holder,
    ...(same?.purpose === undefined ? {} : { purpose: same.purpose }),
    ...(leftBehind.length === 0 ? {} : { leftBehind }),
    ...(same?.addresses === undefined ? {} : { addresses: same.addresses }),
    ...(exported?.volumes === undefined ? {} : { volumes: exported.volumes }),
    dataOnRecord: hasData(evidence, nodeId),
    // No lease that was lost can prove anything by running out.
    suspectPolicy: 'wait',
    ...(exported?.lastAgent === undefined ? {} : { lastAgent: exported.lastAgent }),
    why: `rebuilt: epoch ${epoch} is the highest that was found; whoever held it may be alive`,
    since: nowMs,
  };
  return { record, warnings: warningsOf(record, named !== undefined, exported) };
}

/** Somebody was given this epoch, or may have been. */
export function unknownHolder(nodeId: NodeId, epoch: number, frameworkId = UNKNOWN): Holder {
  const taskId = `${UNKNOWN}-${nodeId}-${epoch}`;
  return { taskId, executorId: taskId, agentId: UNKNOWN, host: UNKNOWN, frameworkId };
}

function highestEpoch(evidence: Evidence, nodeId: NodeId): number {
  const epochs = [
    ...evidence.exports.flatMap(({ nodes }) => nodes),
    ...evidence.tasks,
    ...evidence.markers.map(({ marker }) => marker),
    ...leasesOf(evidence),
  ].flatMap((each) => (each.nodeId === nodeId ? [each.epoch] : []));
  return epochs.reduce<number>((highest, each) => Math.max(highest, each), 0);
}

function newestExport(evidence: Evidence, nodeId: NodeId): NodeRecord | undefined {
  const records = exportsOf(evidence).flatMap(({ nodes }) => nodes.filter((each) => each.nodeId === nodeId));
  return records.reduce<NodeRecord | undefined>(
    (best, each) => (best === undefined || each.epoch > best.epoch ? each : best),
    undefined,
  );
}

/** Tasks first: the master knows where they are. Then what a ledger once said, then leases. */
function namedHolders(evidence: Evidence, nodeId: NodeId, frameworkId: string | undefined): NamedHolder[] {
  const tasks = evidence.tasks.flatMap((task) =>
    task.nodeId === nodeId
      ? [{ epoch: task.epoch, holder: { ...idsOf(task), host: task.host ?? UNKNOWN } }]
      : [],
  );
  const records = exportsOf(evidence)
    .flatMap(({ nodes }) => nodes)
    .flatMap(({ nodeId: id, epoch, holder }) =>
      id === nodeId && holder !== undefined ? [{ epoch, holder }] : [],
    );
  const leases = leasesOf(evidence).flatMap(({ lease }) =>
    lease?.nodeId === nodeId
      ? [{ epoch: lease.epoch, holder: holderOfLease(evidence, lease, frameworkId) }]
      : [],
  );
  return [...tasks, ...records, ...leases];
}

function idsOf({ taskId, executorId, agentId, frameworkId }: Omit<Holder, 'host'>): Omit<Holder, 'host'> {
  return { taskId, executorId, agentId, frameworkId };
}

/** A lease names task and host; each task has an executor of its name. */
function holderOfLease(
  { agents }: Evidence,
  { taskId, host }: { readonly taskId: string; readonly host: string },
  frameworkId = UNKNOWN,
): Holder {
  const there = agents.filter((agent) => agent.host === host);
  const agentId = there.length === 1 ? there[0]?.agentId : undefined;
  return { taskId, executorId: taskId, agentId: agentId ?? UNKNOWN, host, frameworkId };
}

/** Whoever is named besides the holder may still have the volumes mounted under its own name. */
function leftBehindBy(
  evidence: Evidence,
  nodeId: NodeId,
  holders: readonly NamedHolder[],
  holder: Holder,
): LeftBehind[] {
  const recorded = exportsOf(evidence)
    .flatMap(({ nodes }) => nodes.filter((each) => each.nodeId === nodeId))
    .flatMap(({ leftBehind = [] }) => leftBehind);
  const former = holders.map((each) => ({ agentId: each.holder.agentId, taskId: each.holder.taskId }));
  const byTask = new Map<string, LeftBehind>();
  for (const { agentId, taskId } of [...recorded, ...former]) {
    if (taskId === holder.taskId || agentId === UNKNOWN) continue;
    byTask.set(`${agentId} ${taskId}`, { agentId, taskId });
  }
  return [...byTask.values()];
}

function hasData({ exports, tasks, markers }: Evidence, nodeId: NodeId): boolean {
  return (
    markers.some(({ marker }) => marker.nodeId === nodeId) ||
    tasks.some((task) => task.nodeId === nodeId && task.state === 'TASK_RUNNING') ||
    exports.some(({ nodes }) => nodes.some((each) => each.nodeId === nodeId && each.dataOnRecord))
  );
}

function warningsOf(record: NodeRecord, isHolderNamed: boolean, exported: NodeRecord | undefined): string[] {
  const { nodeId, volumes } = record;
  return [
    ...(isHolderNamed
      ? []
      : [
          `node ${nodeId}: nothing names who holds epoch ${record.epoch}; look for its Elasticsearch before you release it`,
        ]),
    ...(volumes === undefined
      ? [
          `node ${nodeId}: driver and options of its volumes were not found, those of the scheduler's settings will count`,
        ]
      : []),
    ...(exported?.phase === 'retired' || exported?.phase === 'migrating'
      ? [
          `node ${nodeId}: it was ${exported.phase} in an export, which may have changed since; now it is suspect`,
        ]
      : []),
    ...(exported?.wipe === true
      ? [
          `node ${nodeId}: its volumes were to be emptied; that is not repeated, for they may hold new data by now`,
        ]
      : []),
  ];
}
