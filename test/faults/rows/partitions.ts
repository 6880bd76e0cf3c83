/** Bytes are swallowed, connections stay open. */
import { AGENT, controlled } from './deeds.ts';
import type { LinkProxy } from '../cluster/link-proxy.ts';
import type { Links } from '../cluster/start-cluster.ts';
import { LASTING_MS, MOVED_MS, SETTLED_MS } from './durations.ts';
import { lastWriteBeforeRelease } from './last-write.ts';
import type { FaultRow } from './row.ts';

const fault = `cut off for ${LASTING_MS / 1000} s`;
const CUT = { class: 'partition', cluster: 'plain', outcome: 'stays', fault, boundMs: SETTLED_MS } as const;

export const PARTITIONS: readonly FaultRow[] = [
  {
    ...CUT,
    name: 'agent-cut-from-master',
    victim: 'agent from master',
    holds: 'suspect, never released: the lease is being renewed',
    always: false,
    harm: controlled(AGENT, 'partition', 'heal', LASTING_MS),
  },
  {
    ...CUT,
    name: 'scheduler-cut-from-master',
    victim: 'scheduler from master',
    holds: 'every node runs on',
    always: false,
    async harm({ cluster: { links }, lasting }) {
      links.schedulersToMaster.swallow();
      await lasting(LASTING_MS);
      links.schedulersToMaster.heal();
    },
  },
  {
    ...CUT,
    name: 'executor-cut-from-zookeeper',
    victim: 'executor from ZooKeeper',
    fault: 'cut off until the node has moved',
    outcome: 'returns',
    boundMs: MOVED_MS,
    holds: 'it ends its Elasticsearch by itself before the lease can pass on',
    always: true,
    async harm({ cluster: { links }, node }) {
      agentsWire(links).swallow(node.host);
    },
    async mend({ cluster: { links }, node }) {
      agentsWire(links).heal(node.host);
    },
    check: lastWriteBeforeRelease,
  },
];

function agentsWire({ coordination }: Links): LinkProxy {
  if (coordination.agentsWire === undefined) throw new Error('this cluster has no ZooKeeper');
  return coordination.agentsWire;
}
