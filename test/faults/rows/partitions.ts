/** Bytes are swallowed, connections stay open. */
import { AGENT, controlled } from './deeds.ts';
import { LASTING_MS, SETTLED_MS } from './durations.ts';
import type { FaultRow } from './row.ts';

const fault = `cut off for ${LASTING_MS / 1000} s`;
const CUT = { class: 'partition', cluster: 'plain', outcome: 'stays', fault, boundMs: SETTLED_MS } as const;

export const PARTITIONS: readonly FaultRow[] = [
  {
    ...CUT,
    name: 'agent-cut-from-master',
    victim: 'agent from master',
    holds: 'suspect, never released: the lease is being renewed',
    always: true,
    harm: controlled(AGENT, 'partition', 'heal', LASTING_MS),
  },
  {
    ...CUT,
    name: 'scheduler-cut-from-master',
    victim: 'scheduler from master',
    holds: 'every node runs on',
    always: false,
    async harm({ cluster: { links }, lasting }) {
      links.schedulerToMaster.swallow();
      await lasting(LASTING_MS);
      links.schedulerToMaster.heal();
    },
  },
];
