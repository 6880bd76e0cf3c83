/** What the scheduler wants and what it knows, as plain data. Only `reduce` makes a new model. */
import type { ClusterSettings, FrameworkRecord, LeaseRecord, NodeId } from '@mesos-elasticsearch/contract';
import type {
  MigrationReport,
  NodeRecord,
  RetiredVolumes,
  SuspectPolicy,
} from '@mesos-elasticsearch/contract';
import type { LeaseObservation, LeaseState, Versioned } from '@mesos-elasticsearch/coordination';
import type { AgentId, Offer, OfferId, TaskId, TaskInfo, TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { ClusterOptions, ExecutorOptions, FrameworkOptions, NodeOptions } from '../options.ts';
import type { DriverFaults, SuspectOptions, Timing } from '../options.ts';
import { NOTHING_ASKED, type ElasticsearchView } from './migration/health.ts';
import type { MigrationOrder } from './migration/orders.ts';
import { NO_NODE_IDS, type NodeIds } from './node-ids.ts';
import type { EvaluationOutcome } from './offers/outcome.ts';
import type { SafetyRules } from './safety.ts';
import { NOTHING_TO_RECONCILE, type Reconciliation } from './reconcile.ts';

export interface DesiredCluster {
  readonly framework: FrameworkOptions;
  readonly cluster: ClusterOptions;
  readonly node: NodeOptions;
  readonly executor: ExecutorOptions;
  readonly suspects: SuspectOptions;
  readonly timing: Timing;
  readonly artifacts: Artifacts;
  readonly driverFaults?: DriverFaults;
  /** {@link SAFETY_RULES}, but in tests that show what happens without one of them. */
  readonly safety: SafetyRules;
}

/** Files that the Mesos fetcher gets: where from, under which name, with which checksum. */
export interface Artifact {
  readonly url: string;
  readonly file: string;
  readonly sha256: string;
}
export interface Artifacts {
  readonly executor: Artifact;
  /** Present in jar mode when Elasticsearch comes through the fetcher. */
  readonly archive?: Artifact;
}

export interface Now {
  /** Milliseconds since the Unix epoch: for people. */
  readonly wallMs: number;
  /** For decisions. */
  readonly monotonicMs: number;
}

/** A store or service that failed is left alone until `retryAtMs`; the ledger is then read anew before anything else. */
export type ServiceHealth =
  | { readonly state: 'answers' }
  | { readonly state: 'fails'; readonly error: string; readonly retryAtMs: number };

export type Session =
  | { readonly state: 'disconnected'; readonly why: string }
  | { readonly state: 'subscribed'; readonly frameworkId: string }
  | { readonly state: 'ended'; readonly how: 'replaced' | 'removed' | 'refused'; readonly message: string };

/** The lease of a node's current epoch as last read. */
export interface LeaseView {
  readonly epoch: number;
  readonly state: LeaseState['state'];
  readonly lease: LeaseRecord | undefined;
  /** No lease, although one is on record as taken: the service lost it, or is another one. It proves nothing. */
  readonly isLost: boolean;
  /** How long the counter has stood still; absent without a lease. */
  readonly observation: LeaseObservation | undefined;
  /** Monotonic time before the last certain reading was asked for. */
  readonly readAtMs: number;
}

/** A launch on its way: durable assignment → epoch opened → ACCEPT. */
export interface LaunchIntent {
  readonly taskId: TaskId;
  readonly offerId: OfferId;
  readonly task: TaskInfo;
  readonly relaunch: boolean;
  readonly epochOpened: boolean;
}

/** What is remembered of a node besides its record; nothing here is needed for safety after a restart. */
export interface RunFacts {
  readonly taskId: string;
  /** The executor was seen to have the task. */
  readonly launched: boolean;
  readonly tied: boolean;
  /** Monotonic time of the assignment, or of the start of this process: every earlier epoch was closed before. */
  readonly assignedAtMs: number;
  /** Monotonic time since when the holder is in doubt, as far as this process knows; absent: it is not. */
  readonly doubtedAtMs?: number;
}

/** A fence command for one epoch of a node. */
export interface Fence {
  readonly epoch: number;
  readonly attempt: number;
  readonly outcome: 'under-way' | 'revoked' | 'failed';
  readonly message: string;
  /** Monotonic time of the outcome, or of the start. */
  readonly atMs: number;
}
export interface Failures {
  readonly count: number;
  readonly notBeforeMs: number;
  readonly last: string;
}

export interface Stray {
  readonly agentId: AgentId | undefined;
  readonly killedAtMs: number | undefined;
}

export interface Model {
  readonly configuredSize: number;
  /** Ordered through the API and not durable yet. */
  readonly orderedSize: number | undefined;
  /** Ordered through the API and not durable yet. */
  readonly orderedSettings: ClusterSettings | undefined;
  /** Ordered through the API and not durable yet. */
  readonly orderedMigration: MigrationOrder | undefined;
  readonly ledgerLoaded: boolean;
  readonly store: ServiceHealth;
  readonly leaseService: ServiceHealth;
  readonly session: Session;
  readonly framework: Versioned<FrameworkRecord> | undefined;
  readonly nodes: ReadonlyMap<NodeId, Versioned<NodeRecord>>;
  readonly nodeIds: NodeIds;
  /** Node IDs that are wanted and have no holder. */
  readonly vacancies: ReadonlySet<NodeId>;
  /** Statuses in the order they came, each kept until its consequence is durable. */
  readonly inbox: readonly TaskStatus[];
  /** Doubts about holders that came by other ways than a status: node → the epoch and why. */
  readonly doubts: ReadonlyMap<NodeId, { readonly epoch: number; readonly why: string }>;
  /** An operator's word that this epoch's holder is gone. */
  readonly operatorReleases: ReadonlyMap<NodeId, number>;
  /** An operator's word about the volumes of retired nodes. */
  readonly operatorReuses: ReadonlyMap<NodeId, 'keep' | 'wipe'>;
  /** What came of taking a suspect's storage away, by node. */
  readonly fences: ReadonlyMap<NodeId, Fence>;
  readonly offers: ReadonlyMap<OfferId, Offer>;
  /**
   * Offers that a call used or declined of which nobody knows whether the master took it → monotonic time before which
   * they are not declined again. The master would keep them for ever, and offer their agents to nobody.
   */
  readonly unreturned: ReadonlyMap<OfferId, number>;
  readonly leases: ReadonlyMap<NodeId, LeaseView>;
  readonly leasesAskedAtMs: number | undefined;
  readonly launches: ReadonlyMap<NodeId, LaunchIntent>;
  readonly runs: ReadonlyMap<NodeId, RunFacts>;
  readonly failures: ReadonlyMap<NodeId, Failures>;
  readonly strays: ReadonlyMap<TaskId, Stray>;
  /** Nodes that were told to stop because fewer are wanted → monotonic time of the last KILL. */
  readonly shrinking: ReadonlyMap<NodeId, number>;
  /** Nodes that were told to stop for a migration, or whose copy was → monotonic time of the last KILL. */
  readonly stopping: ReadonlyMap<NodeId, number>;
  /** What the tasks that migrate say of their progress. */
  readonly copies: ReadonlyMap<NodeId, MigrationReport>;
  /** Former volumes that are gone: to be taken off the record. */
  readonly purges: ReadonlyMap<NodeId, { readonly driver: string; readonly epoch: number }>;
  /** Asked only while volumes are moved. */
  readonly elasticsearch: ElasticsearchView;
  /** Elasticsearch's UUID of the cluster that each node says it has joined. */
  readonly clusterUuids: ReadonlyMap<NodeId, string>;
  readonly offerFlow: {
    readonly mode: 'unknown' | 'revived' | 'suppressed';
    readonly revivedAtMs: number;
    /** The waiting nodes that the last REVIVE was sent for. */
    readonly revivedFor: string;
  };
  readonly reconciliation: Reconciliation;
  readonly seedHosts: { readonly sent: string; readonly sentAtMs: number };
  /** Why the last offers were taken or declined. */
  readonly lastOutcomes: readonly EvaluationOutcome[];
}

export function emptyModel(configuredSize: number): Model {
  return {
    configuredSize,
    orderedSize: undefined,
    orderedSettings: undefined,
    orderedMigration: undefined,
    ledgerLoaded: false,
    store: { state: 'answers' },
    leaseService: { state: 'answers' },
    session: { state: 'disconnected', why: 'not subscribed yet' },
    framework: undefined,
    nodes: new Map(),
    nodeIds: NO_NODE_IDS,
    vacancies: new Set(),
    inbox: [],
    doubts: new Map(),
    operatorReleases: new Map(),
    operatorReuses: new Map(),
    fences: new Map(),
    offers: new Map(),
    unreturned: new Map(),
    leases: new Map(),
    leasesAskedAtMs: undefined,
    launches: new Map(),
    runs: new Map(),
    failures: new Map(),
    strays: new Map(),
    shrinking: new Map(),
    stopping: new Map(),
    copies: new Map(),
    purges: new Map(),
    elasticsearch: NOTHING_ASKED,
    clusterUuids: new Map(),
    offerFlow: { mode: 'unknown', revivedAtMs: 0, revivedFor: '' },
    reconciliation: NOTHING_TO_RECONCILE,
    seedHosts: { sent: '', sentAtMs: 0 },
    lastOutcomes: [],
  };
}

/** What counts for the next epoch: an operator's setting, else the flag. */
export function suspectPolicyNow({ suspects }: DesiredCluster, model: Model): SuspectPolicy {
  return model.framework?.record.settings?.suspectPolicy ?? suspects.policy;
}
export function retiredVolumesNow({ suspects }: DesiredCluster, model: Model): RetiredVolumes {
  return model.framework?.record.settings?.retiredVolumes ?? suspects.retiredVolumes;
}

export function wantedSize(model: Model): number {
  return model.framework?.record.wantedNodes ?? model.configuredSize;
}

/** Held: some process may have this node's volumes. Counts toward the wanted size, suspect or not. */
export function isHeld(record: NodeRecord): boolean {
  return record.phase !== 'vacant' && record.phase !== 'retired';
}

export function heldNodes(model: Model): NodeRecord[] {
  return [...model.nodes.values()].map((entry) => entry.record).filter(isHeld);
}

/** The lease as read in the node's current epoch; a reading of an older epoch says nothing. */
export function leaseOf(model: Model, record: NodeRecord): LeaseView | undefined {
  const view = model.leases.get(record.nodeId);
  return view?.epoch === record.epoch ? view : undefined;
}

export function subscribedFrameworkId(model: Model): string | undefined {
  return model.session.state === 'subscribed' ? model.session.frameworkId : undefined;
}

export function nodeNameOf(frameworkName: string, id: NodeId): string {
  return `${frameworkName}-${String(id)}`;
}
