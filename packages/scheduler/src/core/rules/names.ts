/** The rules by name. The same names appear in logs, in the API and in docs. */
export const RULES = {
  'store-answers':
    'Nothing is launched or released while the ledger does not answer: a failure is never read as an empty cluster.',
  'lease-service-answers': 'No epoch is opened or closed while the lease service does not answer.',
  'one-holder':
    'A node ID moves only when its former epoch is closed and its former holder is known to be gone.',
  'suspect-counts': 'A suspect node counts toward the wanted size: no new number is handed out in its stead.',
  'suspect-policy-wait': 'Under the policy "wait" only proof or an operator releases a suspect node.',
  'lease-not-expired':
    'A lease that is being renewed, or has not stood still long enough, belongs to its holder.',
  'lease-lost':
    'A lease that is on record as taken and that the lease service does not know proves nothing: only an operator releases the node.',
  'lease-unguarded':
    'A lease that was not recorded as self-fencing and guarded proves nothing by running out.',
  'epoch-standing': 'A suspect node returns to running only in an epoch that is still open.',
  'initial-masters-together':
    'The first masters are recorded before the first launch; later nodes wait until the cluster has formed.',
  'volume-attached-elsewhere':
    'A node whose process is gone but whose volumes may still be mounted is launched on the same agent, unless its lease has expired or the agent is lost.',
  'relaunch-backoff': 'A node that failed is launched again after a growing pause.',
  'never-took-lease': 'Once its epoch is closed, an executor that never took its lease never will.',
  'framework-id-recorded': 'The FrameworkID is durable before anything else is done with a subscription.',
  'preempt-after':
    'Under the policy "preempt" the storage is taken from a suspect holder only after the stated time.',
  'preempt-revokes':
    'Under the policy "preempt" a node moves only when the driver or the fence command has revoked the old attachment.',
  'retired-volumes':
    'The volumes of a retired node are not used again with old data, unless the operator has said what is to become of it.',
  'isolator-can-mount':
    'A node is launched for an isolator to mount its volumes only if that can be told of them as they are.',
  'size-shrinks':
    'When fewer nodes are wanted the highest node IDs stop, one at a time, while all others run.',
  migration: 'While volumes move to another driver, one node at a time is stopped for its turn.',
  'migration-turn': "A node's turn begins only while every other node runs and none is being taken away.",
  'migration-health':
    "A node's turn begins only when Elasticsearch says that its health is as wanted and nothing relocates or initialises.",
  'migration-allocation':
    'Before a node is stopped for its turn only primaries may be allocated; what was set before is put back when its turn is over.',
  'migration-copies': 'A node is launched on its new volumes only after they were copied and verified.',
  'migration-paused': 'A paused migration copies nothing: resume it, or roll back to the old volumes.',
  'copy-verified':
    'A copy counts only when its own task has said that it was verified, in its own epoch, and has given its lease back.',
  'same-cluster': 'Every node joins the Elasticsearch cluster whose UUID is on record.',
  subscribed: 'Nothing can be launched without a subscription.',
  'unknown-task': 'A task of this framework that no record knows is killed.',
  'offer-wanted': 'An offer is taken only for a node that waits for one.',
  'one-node-per-agent': 'An agent runs one node of this framework at most.',
  'sticks-to-agent': 'With data on the agent disk a node returns to its agent only.',
  'avoids-former-agent':
    'A node that was fenced (its lease expired, its storage was taken) does not go back to that agent for a while.',
  'copies-at-home':
    'Volumes are copied on the agent that had them last, unless it is lost or offers nothing for a while.',
  'agent-available': 'The agent has no maintenance planned.',
  'agent-attributes': 'The agent has the wanted attributes.',
  cpus: 'The offer has enough cpus.',
  mem: 'The offer has enough memory.',
  disk: 'The offer has enough disk.',
  ports: 'The offer has the two ports.',
} as const;
export type RuleName = keyof typeof RULES;
