/** SIGSTOP, and SIGCONT later: alive, and silent for a while. */
import { AGENT, controlled, freezeFor, MASTER, part, plugin } from './deeds.ts';
import { BRIEF_MS, LASTING_MS, SETTLED_MS } from './durations.ts';
import type { FaultRow } from './row.ts';

const seconds = (ms: number) => `frozen for ${ms / 1000} s`;
const FREEZE = {
  class: 'freeze',
  cluster: 'plain',
  outcome: 'stays',
  boundMs: SETTLED_MS,
  always: false,
} as const;
const LASTING = { ...FREEZE, fault: seconds(LASTING_MS) } as const;
const BRIEF = { ...FREEZE, fault: seconds(BRIEF_MS) } as const;

export const FREEZES: readonly FaultRow[] = [
  {
    ...LASTING,
    name: 'scheduler-frozen',
    victim: 'scheduler, none stands by',
    fault: `${seconds(LASTING_MS)}, started again when it has left`,
    holds: 'its session is over, so it leaves and writes nothing; every node runs on',
    async harm(ground) {
      const { schedulers } = ground.cluster;
      const { pid } = schedulers;
      schedulers.expectEnd(pid);
      await freezeFor(LASTING_MS, () => pid)(ground);
      await schedulers.untilEnded(pid);
      await schedulers.start();
    },
  },
  {
    ...LASTING,
    name: 'agent-frozen',
    victim: 'agent',
    holds: 'suspect, never released: the lease is being renewed',
    always: true,
    harm: controlled(AGENT, 'freeze', 'thaw', LASTING_MS),
  },
  {
    ...LASTING,
    name: 'master-frozen',
    victim: 'master',
    holds: 'every node runs on',
    harm: controlled(MASTER, 'freeze', 'thaw', LASTING_MS),
  },
  {
    ...LASTING,
    name: 'plugin-frozen',
    victim: 'volume driver',
    holds: 'the volumes stay attached',
    harm: freezeFor(LASTING_MS, plugin),
  },
  {
    ...LASTING,
    name: 'guard-frozen',
    victim: 'guard',
    holds: 'its Elasticsearch runs on, the executor renews',
    harm: freezeFor(LASTING_MS, part('guard')),
  },
  {
    ...LASTING,
    name: 'elasticsearch-frozen',
    victim: 'Elasticsearch',
    holds: 'unhealthy, not replaced',
    harm: freezeFor(LASTING_MS, part('elasticsearch')),
  },
  {
    ...BRIEF,
    name: 'executor-frozen-briefly',
    victim: 'executor',
    holds: 'within a lease nothing is stopped',
    harm: freezeFor(BRIEF_MS, part('executor')),
  },
  {
    ...BRIEF,
    name: 'zookeeper-frozen-briefly',
    victim: 'ZooKeeper',
    holds: 'within a lease nothing is stopped',
    async harm({ cluster: { links }, lasting }) {
      links.coordination.zookeeper?.freeze();
      await lasting(BRIEF_MS);
      links.coordination.zookeeper?.thaw();
    },
  },
];
