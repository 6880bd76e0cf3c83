/** Nobody on the old machine can act, guard included: the storage itself is taken away. One rclone an agent. */
import { setTimeout as pause } from 'node:timers/promises';
import { hideFromOtherMachines } from '../cluster/wall.ts';
import { freezeAll, isThere, thawAll, type NodePart } from '../cluster/victims.ts';
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
      hideFromOtherMachines(freezeAll(node.taskId));
    },
    async mend(ground) {
      thawAll(ground.node.taskId);
      await gone(ground, 'elasticsearch', 'guard');
      // Its executor waits for the driver to answer: without that it cannot know what is still attached.
      await ground.cluster.plugins.start(ground.node.host);
      await gone(ground, 'executor');
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

async function gone({ node, cluster }: Ground, ...parts: NodePart[]): Promise<void> {
  const deadline = performance.now() + ENDS_WITHIN_MS;
  while (parts.some((part) => isThere(node.taskId, part))) {
    if (performance.now() > deadline) {
      throw new Error(`thawed, and ${parts.join(' and ')} not ended within ${ENDS_WITHIN_MS / 1000} s`);
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
