/** kill -9, one process at a time. */
import { AGENT, controlled, MASTER, send } from './deeds.ts';
import { BRIEF_MS, MOVED_MS, SETTLED_MS } from './durations.ts';
import type { FaultRow } from './row.ts';

const KILL = { class: 'kill', cluster: 'plain', fault: 'kill -9', always: false } as const;
const AGAIN = { ...KILL, fault: 'kill -9, started again', outcome: 'stays', boundMs: SETTLED_MS } as const;

export const KILLS: readonly FaultRow[] = [
  {
    ...AGAIN,
    name: 'scheduler-killed',
    victim: 'scheduler',
    holds: 'every node runs on',
    async harm({ cluster: { schedulers } }) {
      await schedulers.kill();
      await schedulers.start();
    },
  },
  {
    ...KILL,
    name: 'executor-killed',
    victim: 'executor',
    outcome: 'returns',
    holds: 'its Elasticsearch ends before the next one starts',
    boundMs: MOVED_MS,
    always: true,
    harm: send('SIGKILL', 'executor'),
  },
  {
    ...KILL,
    name: 'guard-killed',
    victim: 'guard',
    outcome: 'returns',
    holds: 'nothing of Elasticsearch outlives its guard',
    boundMs: MOVED_MS,
    harm: send('SIGKILL', 'guard'),
  },
  {
    ...KILL,
    name: 'elasticsearch-killed',
    victim: 'Elasticsearch',
    outcome: 'returns',
    holds: 'released by its executor, after the unmount',
    boundMs: MOVED_MS,
    harm: send('SIGKILL', 'elasticsearch'),
  },
  {
    ...AGAIN,
    name: 'agent-killed',
    victim: 'agent',
    holds: 'executor and Elasticsearch run on',
    harm: controlled(AGENT, 'kill', 'start', BRIEF_MS),
  },
  {
    ...AGAIN,
    name: 'master-killed',
    victim: 'master',
    holds: 'every node runs on',
    harm: controlled(MASTER, 'kill', 'start', BRIEF_MS),
  },
  {
    ...AGAIN,
    name: 'zookeeper-killed',
    victim: 'ZooKeeper',
    holds: 'within a lease nothing is stopped',
    fault: 'kill -9, started again at once',
    async harm({ cluster: { links } }) {
      const { zookeeper } = links.coordination;
      await zookeeper?.kill();
      await zookeeper?.start();
    },
  },
  {
    ...AGAIN,
    name: 'plugin-killed',
    victim: 'volume driver',
    holds: 'the volumes stay attached',
    async harm({ cluster: { plugins }, node, lasting }) {
      await plugins.kill(node.host);
      await lasting(BRIEF_MS);
      await plugins.start(node.host);
    },
  },
];
