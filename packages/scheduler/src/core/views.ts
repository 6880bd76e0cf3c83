/** What the API and callers see of the model: plain, without secrets. */
import type { NodePhase, NodeRecord, Purpose } from '@mesos-elasticsearch/contract';
import { isToldByItsEnd } from './migration/proof.ts';
import { driversOf, nodesToMove } from './migration/volumes.ts';
import { heldNodes, wantedSize, type DesiredCluster, type Model } from './model.ts';
import { nodeNameOf, retiredVolumesNow, suspectPolicyNow } from './model.ts';
import { volumeNames } from './progress-of.ts';
import type { RuleName } from './rules/names.ts';
import type { WaitStep } from './steps.ts';

export interface NodeView {
  readonly nodeId: number;
  readonly name: string;
  readonly phase: NodePhase;
  /** run; release: its task only lets go of what an earlier holder left behind; migrate: it copies. */
  readonly purpose: Purpose;
  /** Agents where an earlier holder's volumes may still be mounted. */
  readonly leftBehindOn: readonly string[];
  /** 0: never assigned. */
  readonly epoch: number;
  readonly agentId: string | undefined;
  readonly host: string | undefined;
  readonly taskId: string | undefined;
  readonly addresses: { readonly http: string; readonly transport: string } | undefined;
  readonly volumes: readonly string[];
  /** Of its volumes; empty before the first assignment. */
  readonly drivers: readonly string[];
  readonly dataOnRecord: boolean;
  readonly why: string;
  /** Milliseconds since the Unix epoch; 0 for a node without a record. */
  readonly sinceMs: number;
  readonly waitsFor: readonly { readonly rule: RuleName; readonly reason: string }[];
}

/** Every node with a record or a place in the wanted size, by node ID. */
export function nodeViews(desired: DesiredCluster, model: Model, waits: readonly WaitStep[]): NodeView[] {
  const ids = [...new Set([...model.nodes.keys(), ...model.vacancies])].sort((a, b) => a - b);
  return ids.map((nodeId) => {
    const record = model.nodes.get(nodeId)?.record;
    const own = waits.filter((wait) => wait.nodeId === nodeId).map(({ rule, reason }) => ({ rule, reason }));
    const wantsOffer = model.vacancies.has(nodeId) || isWaiting(record);
    const offer = { rule: 'offer-wanted', reason: 'waits for an offer that suits it' } as const;
    return {
      nodeId,
      name: nodeNameOf(desired.framework.name, nodeId),
      phase: record?.phase ?? 'vacant',
      purpose: record?.purpose ?? 'run',
      leftBehindOn: [...new Set((record?.leftBehind ?? []).map(({ agentId }) => agentId))],
      epoch: record?.epoch ?? 0,
      agentId: record?.holder?.agentId,
      host: record?.holder?.host,
      taskId: record?.holder?.taskId,
      addresses: record?.addresses,
      volumes: record === undefined ? [] : volumeNames(record),
      drivers: record?.volumes === undefined ? [] : driversOf(record.volumes),
      dataOnRecord: record?.dataOnRecord ?? false,
      why: record?.why ?? 'never launched',
      sinceMs: record?.since ?? 0,
      waitsFor: own.length === 0 && wantsOffer ? [offer] : own,
    };
  });
}

function isWaiting(record: NodeRecord | undefined): boolean {
  return record?.phase === 'releasing' || (record?.phase === 'migrating' && record.holder === undefined);
}

/** All that is known of the migration; `ordered` stays after it is done. */
export function migrationView(desired: DesiredCluster, model: Model, waits: readonly WaitStep[]) {
  const ordered = model.framework?.record.migration;
  const { health, failure } = model.elasticsearch;
  const waiting =
    ordered === undefined ? [] : nodesToMove(desired, model, ordered.to).map(({ nodeId }) => nodeId);
  return {
    ordered,
    /** Given through the API, and not on record yet. */
    pending: model.orderedMigration?.kind,
    nodesToMove: waiting,
    health,
    healthFailure: failure?.message,
    nodes: [...model.nodes.values()]
      .map(({ record }) => migrationOfNode(desired, model, record))
      .sort((a, b) => a.nodeId - b.nodeId),
    waitsFor: waits
      .filter(({ rule }) => MIGRATION_RULES.has(rule))
      .map(({ rule, nodeId, reason }) => ({ rule, nodeId, reason })),
  };
}
export type MigrationView = ReturnType<typeof migrationView>;

const MIGRATION_RULES: ReadonlySet<RuleName> = new Set([
  'migration',
  'migration-turn',
  'migration-health',
  'migration-allocation',
  'migration-copies',
  'migration-paused',
  'copy-verified',
]);

function migrationOfNode({ safety }: DesiredCluster, model: Model, record: NodeRecord) {
  const { nodeId, phase, epoch, volumes, migration, formerVolumes, why, holder } = record;
  const copy = model.copies.get(nodeId);
  return {
    ...{ nodeId, phase, epoch, why, host: holder?.host, volumes },
    stage: migration?.stage,
    failedTries: migration?.failedTries ?? 0,
    failedStarts: migration?.failedStarts ?? 0,
    /**
     * Of the node whose turn it is. free: nothing has run on its new volumes. if-start-fails: nor will it have, if the
     * launch under way ends before Elasticsearch starts. data-loss: only by giving up what it may have acknowledged.
     */
    rollback: migration === undefined ? undefined : rollbackOf(safety, record),
    /** As the task that copies said it last. */
    copy: copy?.epoch === epoch ? { stage: copy.stage, volumes: copy.volumes } : undefined,
    formerVolumes: formerVolumes ?? [],
  };
}

function rollbackOf(
  safety: DesiredCluster['safety'],
  record: NodeRecord,
): 'free' | 'if-start-fails' | 'data-loss' {
  if (safety.mayTakeBack(record)) return 'free';
  return isToldByItsEnd(record) ? 'if-start-fails' : 'data-loss';
}

export function clusterView(desired: DesiredCluster, model: Model, waits: readonly WaitStep[]) {
  const held = heldNodes(model);
  const framework = model.framework?.record;
  return {
    frameworkName: desired.framework.name,
    frameworkId: framework?.frameworkId,
    clusterName: desired.cluster.name,
    clusterIdentity: framework?.clusterIdentity,
    strategy: desired.cluster.strategy,
    runtime: desired.node.runtime.kind,
    suspectPolicy: suspectPolicyNow(desired, model),
    retiredVolumes: retiredVolumesNow(desired, model),
    clusterUuid: framework?.clusterUuid,
    wantedNodes: wantedSize(model),
    runningNodes: held.filter((record) => record.phase === 'running').length,
    suspectNodes: held.filter((record) => record.phase === 'suspect').map((record) => record.nodeId),
    migration: framework?.migration?.state,
    bootstrapped: framework?.bootstrapped ?? false,
    initialMasterNodes: framework?.initialMasterNodes ?? [],
    subscription: model.session.state,
    store: model.store.state,
    leaseService: model.leaseService.state,
    waitsFor: waits.map(({ rule, nodeId, reason }) => ({ rule, nodeId, reason })),
  };
}
export type ClusterView = ReturnType<typeof clusterView>;
