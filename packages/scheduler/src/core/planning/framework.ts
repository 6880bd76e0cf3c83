/** The framework's own record: identity, FrameworkID, first masters, whether the cluster has formed. */
import type { ClusterMigration, FrameworkRecord } from '@mesos-elasticsearch/contract';
import { nodeId, type ClusterIdentity } from '@mesos-elasticsearch/contract';
import { afterOrder } from '../migration/orders.ts';
import { heldNodes, nodeNameOf, subscribedFrameworkId, wantedSize, type Model } from '../model.ts';
import type { Step } from '../steps.ts';
import { waitFor, type PlanContext } from './context.ts';

/** One step at most: each builds on the version that the one before has written. */
export function planFramework(context: PlanContext): Step[] {
  const { desired, model, uuid } = context;
  const known = model.framework;
  if (known === undefined) {
    const record: FrameworkRecord = {
      clusterIdentity: uuid as ClusterIdentity,
      frameworkName: desired.framework.name,
      clusterName: desired.cluster.name,
      bootstrapped: false,
    };
    return [{ kind: 'record-framework', record, expected: 0 }];
  }
  const next = nextFrameworkRecord(context, known.record);
  return next === undefined ? [] : [{ kind: 'record-framework', record: next, expected: known.version }];
}

function nextFrameworkRecord(context: PlanContext, record: FrameworkRecord): FrameworkRecord | undefined {
  const { desired, model } = context;
  const current = subscribedFrameworkId(model);
  if (current !== undefined && record.frameworkId !== current) return { ...record, frameworkId: current };
  if (
    model.session.state === 'ended' &&
    model.session.how === 'removed' &&
    record.frameworkId !== undefined
  ) {
    const next = { ...record };
    delete next.frameworkId;
    return next;
  }
  if (record.initialMasterNodes === undefined && !record.bootstrapped) {
    return { ...record, initialMasterNodes: initialMasters(desired.framework.name, wantedSize(model)) };
  }
  const ordered = model.orderedSize;
  if (ordered !== undefined && ordered !== record.wantedNodes) return { ...record, wantedNodes: ordered };
  const settings = model.orderedSettings;
  if (settings !== undefined) return { ...record, settings: { ...record.settings, ...settings } };
  const migration = orderedMigration(context, record);
  if (migration !== undefined) return { ...record, migration };
  const reported = [...model.clusterUuids.values()][0];
  if (record.clusterUuid === undefined && reported !== undefined && record.bootstrapped) {
    return { ...record, clusterUuid: reported };
  }
  if (!record.bootstrapped && quorumRuns(model, desired.framework.name, record.initialMasterNodes ?? [])) {
    return { ...record, bootstrapped: true };
  }
  return undefined;
}

/**
 * It begins when every node that was assigned has run, so that what has data is on record: whoever has none is launched
 * on new volumes from then on.
 */
function orderedMigration(
  { model, uuid, now }: PlanContext,
  { migration: known }: FrameworkRecord,
): ClusterMigration | undefined {
  const order = model.orderedMigration;
  if (order === undefined || (order.kind === 'begin' && nodeThatNeverRan(model) !== undefined))
    return undefined;
  return afterOrder(order, known, uuid, now.wallMs);
}

export function nodeThatNeverRan(model: Model): number | undefined {
  const wanted = [...model.vacancies].flatMap((id) => model.nodes.get(id)?.record ?? []);
  return [...heldNodes(model), ...wanted].find(({ dataOnRecord }) => !dataOnRecord)?.nodeId;
}

/** A node that has formed or joined a cluster of its own serves data that is not ours: said loudly, by name. */
export function planClusterUuids({ model }: PlanContext): Step[] {
  const ours = model.framework?.record.clusterUuid;
  return [...model.clusterUuids].flatMap(([nodeId, uuid]) =>
    ours === undefined || uuid === ours
      ? []
      : [waitFor('same-cluster', `it has joined cluster ${uuid}, ours is ${ours}`, nodeId)],
  );
}

/** An odd number of masters, three at most, the lowest node IDs: 1 → 1, 2 → 1, 3 and more → 1, 2, 3. */
export function initialMasters(frameworkName: string, size: number): string[] {
  return (size >= 3 ? [1, 2, 3] : [1]).map((id) => nodeNameOf(frameworkName, nodeId(id)));
}

function quorumRuns(model: Model, frameworkName: string, masters: readonly string[]): boolean {
  const running = [...model.nodes.values()].filter(
    ({ record }) => record.phase === 'running' && masters.includes(nodeNameOf(frameworkName, record.nodeId)),
  );
  return masters.length > 0 && running.length > masters.length / 2;
}
