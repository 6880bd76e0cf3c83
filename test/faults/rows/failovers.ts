/** The leading scheduler is lost while another one stands by. */
import { SETTLED_MS } from './durations.ts';
import type { FaultRow, Ground } from './row.ts';

const FAILOVER = { class: 'failover', cluster: 'plain', outcome: 'stays', boundMs: SETTLED_MS } as const;

export const FAILOVERS: readonly FaultRow[] = [
  {
    ...FAILOVER,
    name: 'leader-killed',
    victim: 'leading scheduler, another stands by',
    fault: 'kill -9',
    holds: 'the standby leads with the same FrameworkID, every node runs on',
    always: true,
    async harm({ cluster: { schedulers } }) {
      await schedulers.startStandby();
      await schedulers.kill();
    },
  },
  {
    ...FAILOVER,
    name: 'leader-frozen',
    victim: 'leading scheduler, another stands by',
    fault: 'frozen until the other leads, then thawed',
    holds: 'thawed, it writes nothing, does not fight back and ends',
    always: false,
    harm: (ground) =>
      whileDeposed(ground, {
        begin: (leader) => process.kill(leader, 'SIGSTOP'),
        end: (leader) => process.kill(leader, 'SIGCONT'),
      }),
  },
  {
    ...FAILOVER,
    name: 'leader-cut-from-both',
    victim: 'leading scheduler from master and ZooKeeper, another stands by',
    fault: 'cut off until the other leads, then healed',
    holds: 'the old one writes nothing, does not fight back and ends',
    always: false,
    harm(ground) {
      const { schedulersToMaster, coordination } = ground.cluster.links;
      const wires = [schedulersToMaster, coordination.schedulersWire];
      return whileDeposed(ground, {
        begin: (leader) => wires.forEach((wire) => wire?.swallow(String(leader))),
        end: (leader) => wires.forEach((wire) => wire?.heal(String(leader))),
      });
    },
  },
];

async function whileDeposed(
  { cluster: { schedulers } }: Ground,
  fault: { readonly begin: (leader: number) => void; readonly end: (leader: number) => void },
): Promise<void> {
  await schedulers.startStandby();
  const leader = schedulers.pid;
  schedulers.expectEnd(leader);
  fault.begin(leader);
  await schedulers.untilLeads(leader);
  fault.end(leader);
  await schedulers.untilEnded(leader);
}
