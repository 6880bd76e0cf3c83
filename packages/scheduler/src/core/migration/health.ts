/** What Elasticsearch says of itself, and whether a node may be stopped then. */

/** Of `GET _cluster/health`, and of the persistent settings. */
export interface HealthReading {
  readonly status: 'green' | 'yellow' | 'red';
  readonly dataNodes: number;
  readonly relocatingShards: number;
  readonly initializingShards: number;
  readonly delayedShards: number;
  readonly pendingTasks: number;
  /** `cluster.routing.allocation.enable` as it is set persistently; null: it is not. */
  readonly allocation: string | null;
}

export const ALLOCATION_SETTING = 'cluster.routing.allocation.enable';
/** While a node is away for its turn its shards are not copied elsewhere, but a primary may be taken over. */
export const ALLOCATION_DURING_TURN = 'primaries';

export type ElasticsearchQuestion =
  | { readonly kind: 'health' }
  /** The setting first, then a flush: what is on disk need not be replayed by the node that comes back. */
  | { readonly kind: 'restrict-allocation'; readonly nodeId: number }
  | { readonly kind: 'restore-allocation'; readonly nodeId: number; readonly value: string | null };

export type ElasticsearchOutcome =
  | { readonly kind: 'health'; readonly health: HealthReading }
  | { readonly kind: 'allocation-set' }
  | { readonly kind: 'failed'; readonly message: string };

export interface ElasticsearchView {
  /** Number of the last question, and of the last one that was answered; 0: none. */
  readonly asked: number;
  readonly answered: number;
  /** Monotonic time when it was asked. */
  readonly askedAtMs: number;
  /** Answers to earlier questions say nothing any more: nodes have moved, or a setting has changed, since. */
  readonly countsFrom: number;
  readonly health: HealthReading | undefined;
  readonly readAtMs: number;
  /** Monotonic time since when every reading was as wanted. */
  readonly settledSinceMs: number | undefined;
  /** What went wrong with the last question. */
  readonly failure: { readonly message: string; readonly atMs: number } | undefined;
  /** What the setting was last changed to, as far as this process knows. */
  readonly allocation: 'restricted' | 'restored' | undefined;
}

export const NOTHING_ASKED: ElasticsearchView = {
  asked: 0,
  answered: 0,
  askedAtMs: Number.NEGATIVE_INFINITY,
  countsFrom: 0,
  health: undefined,
  readAtMs: Number.NEGATIVE_INFINITY,
  settledSinceMs: undefined,
  failure: undefined,
  allocation: undefined,
};

/** What is known of the cluster's health is out of date. */
export function outdated(view: ElasticsearchView): ElasticsearchView {
  return { ...view, countsFrom: view.asked + 1, health: undefined, settledSinceMs: undefined };
}

/** Undefined: as wanted. Otherwise what is not. */
export function obstacleOf(
  health: HealthReading,
  wanted: 'green' | 'yellow',
  runningNodes: number,
): string | undefined {
  const { status, relocatingShards, initializingShards, delayedShards, pendingTasks, dataNodes } = health;
  if (status !== 'green' && status !== wanted) return `its health is ${status}, wanted ${wanted}`;
  if (dataNodes < runningNodes) return `it counts ${dataNodes} data nodes, ${runningNodes} run`;
  if (relocatingShards > 0) return `${relocatingShards} shards relocate`;
  if (initializingShards > 0) return `${initializingShards} shards initialise`;
  if (delayedShards > 0) return `${delayedShards} shards wait to be allocated`;
  if (pendingTasks > 0) return `${pendingTasks} tasks of its master are pending`;
  return undefined;
}
