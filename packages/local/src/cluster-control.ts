/**
 * The port through which tests and the demo do harm to a cluster, and undo it. The embedded cluster
 * implements it over its processes; a real cluster through the program that `CLUSTER_CONTROL` names
 * (called as `kill|freeze|thaw|start|partition|heal VICTIM`).
 */
export interface ClusterControl {
  /** SIGKILL, at once. For a machine: first silent on the network (all stopped), then all killed. */
  kill(victim: Victim): Promise<void>;
  /** SIGSTOP: alive, silent. */
  freeze(victim: Victim): Promise<void>;
  thaw(victim: Victim): Promise<void>;
  /** Starts what was killed, with the same work directory and identity. */
  start(victim: Victim): Promise<void>;
  /** Bytes between the agent and the master are swallowed; connections stay open. Its executors live on. */
  partition(victim: Victim): Promise<void>;
  heal(victim: Victim): Promise<void>;
}

export type Victim =
  | { readonly kind: 'master' }
  /** The agent process alone; its executors live on. */
  | { readonly kind: 'agent'; readonly agent: string }
  /** The agent, every executor and all below, and whatever else was registered as running on that machine. */
  | { readonly kind: 'machine'; readonly agent: string };
