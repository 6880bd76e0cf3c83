/** The executor cannot act: its guard must, before the lease can pass on. */
import { thawAll } from '../cluster/victims.ts';
import { send } from './deeds.ts';
import { MOVED_MS } from './durations.ts';
import { lastWriteBeforeRelease } from './last-write.ts';
import type { FaultRow, Ground } from './row.ts';

export const GUARDS: readonly FaultRow[] = [
  {
    name: 'executor-frozen',
    class: 'guard',
    cluster: 'plain',
    victim: 'executor, its Elasticsearch runs',
    fault: 'frozen until the node has moved',
    outcome: 'returns',
    holds: 'the guard kills Elasticsearch before the lease can pass on, not one byte after',
    boundMs: MOVED_MS,
    always: true,
    harm: send('SIGSTOP', 'executor'),
    mend: endFrozenExecutor,
    check: lastWriteBeforeRelease,
  },
];

/** Whoever came next to its agent has ended it; elsewhere it finds its epoch closed, lets go and ends by itself. */
function endFrozenExecutor({ node }: Ground): Promise<void> {
  thawAll(node.taskId);
  return Promise.resolve();
}
