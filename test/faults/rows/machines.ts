/** A whole machine: agent, executor, guard, Elasticsearch and its volume driver together. */
import { freezeAll } from '../cluster/victims.ts';
import { hideFromOtherMachines } from '../cluster/wall.ts';
import { controlled, MACHINE } from './deeds.ts';
import { LASTING_MS, MOVED_MS } from './durations.ts';
import type { FaultRow, Ground } from './row.ts';

const TOGETHER = { class: 'machine', outcome: 'returns', boundMs: MOVED_MS } as const;

export const MACHINES: readonly FaultRow[] = [
  {
    ...TOGETHER,
    name: 'machine-killed',
    cluster: 'plain',
    victim: 'machine, its volume driver included',
    fault: 'kill -9',
    holds: 'moves to another agent when the lease has run out',
    always: true,
    harm: ({ cluster, node }) => cluster.machines.cluster.control.kill({ kind: 'machine', agent: node.host }),
    mend: startMachineAgain,
  },
  {
    ...TOGETHER,
    name: 'machine-frozen',
    cluster: 'plain',
    victim: 'machine, its volume driver included',
    fault: `frozen for ${LASTING_MS / 1000} s`,
    holds: 'storage that cannot be revoked is refused to everyone else until the thawed machine has let go',
    always: false,
    async harm(ground) {
      // Stopped first: the guard's little programs would be gone before they are looked at.
      hideFromOtherMachines(freezeAll(ground.node.taskId));
      await controlled(MACHINE, 'freeze', 'thaw', LASTING_MS)(ground);
    },
  },
];

async function startMachineAgain({ cluster, node }: Ground): Promise<void> {
  await cluster.machines.cluster.control.start({ kind: 'machine', agent: node.host });
  await cluster.plugins.start(node.host);
}
