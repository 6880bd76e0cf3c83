/** Nobody on the old machine can act, guard included: the storage itself is taken away. One rclone an agent. */
import { setTimeout as pause } from 'node:timers/promises';
import { processesOf } from '../cluster/victims.ts';
import { MOVED_MS } from './durations.ts';
import type { Evidence, FaultRow, Ground } from './row.ts';

const REVOKE = { class: 'revoke', cluster: 'revocable', outcome: 'returns', boundMs: MOVED_MS } as const;
const ENDS_WITHIN_MS = 60_000;
const POLL_MS = 100;

export const REVOCATIONS: readonly FaultRow[] = [
  {
    ...REVOKE,
    name: 'node-frozen-preempted',
    victim: 'executor, guard and Elasticsearch together',
    fault: 'frozen until the node has moved, then thawed',
    holds: 'the fence command ends the storage of that machine first; thawed, it can write nothing and ends',
    always: true,
    async harm({ node }) {
      for (const { pid } of processesOf(node.taskId)) process.kill(pid, 'SIGSTOP');
    },
    async mend(ground) {
      await thawAndEnd(ground);
      await ground.cluster.plugins.start(ground.node.host);
    },
    check: frozenHolderWasRevoked,
  },
  {
    ...REVOKE,
    name: 'machine-killed-preempted',
    victim: 'machine; rclone is the storage service and lives on',
    fault: 'kill -9',
    holds: 'its storage is ended before the node moves',
    always: false,
    harm: ({ cluster, node }) => cluster.machines.cluster.control.kill({ kind: 'machine', agent: node.host }),
    async mend({ cluster, node }) {
      await cluster.plugins.start(node.host);
      await cluster.machines.cluster.control.start({ kind: 'machine', agent: node.host });
    },
  },
];

async function thawAndEnd({ node, cluster }: Ground): Promise<void> {
  for (const { pid } of processesOf(node.taskId)) process.kill(pid, 'SIGCONT');
  const deadline = performance.now() + ENDS_WITHIN_MS;
  for (;;) {
    const left = processesOf(node.taskId);
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      const list = left.map(({ pid, argv }) => `${pid} ${argv[0] ?? ''}`).join(', ');
      throw new Error(`thawed, and not ended within ${ENDS_WITHIN_MS / 1000} s: ${list}`);
    }
    await pause(POLL_MS, undefined, { signal: cluster.signal });
  }
}

/** The oracle saw both at once, and that the storage of the frozen one was gone by then: so the case really was. */
function frozenHolderWasRevoked({ audit, node }: Evidence): string[] {
  const seen = audit.revoked.some(({ holders }) =>
    holders.some(({ task }) => task.includes(`/${node.taskId}/`)),
  );
  return seen ? [] : ['the auditor never saw the frozen holder with its storage gone beside the new one'];
}
