/** How long faults last, by what they must stay below or go beyond. Milliseconds. */

/** Longer than the demo's: ZooKeeper is killed and started again within one, on a busy machine too. */
export const LEASE_MS = 15_000;
export const PAUSE_BOUND_MS = 2000;
/** Well within a lease. */
export const BRIEF_MS = 3000;
/** Beyond every time-out: the lease, the bound on pauses, and the master's patience with an agent. */
export const LASTING_MS = LEASE_MS + PAUSE_BOUND_MS + 5000;
/** A whole cluster again after a fault that nobody had to recover from. */
export const SETTLED_MS = 60_000;
/** Lease, bound on pauses, launch and a start of Elasticsearch on a busy machine. */
export const MOVED_MS = 120_000;
