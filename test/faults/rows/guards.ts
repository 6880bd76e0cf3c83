/** The executor cannot act: its guard must, before the lease can pass on. */
import { linesOf } from '../cluster/progress.ts';
import { processesOf } from '../cluster/victims.ts';
import { send } from './deeds.ts';
import { MOVED_MS } from './durations.ts';
import type { Evidence, FaultRow, Ground } from './row.ts';

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
  for (const { pid } of processesOf(node.taskId)) process.kill(pid, 'SIGCONT');
  return Promise.resolve();
}

/** By the auditor's clock and the ledger's: both are this machine's. */
function lastWriteBeforeRelease({ audit, node, lines }: Evidence): string[] {
  const released = linesOf(lines, 'released', node.nodeId)[0]?.atMs;
  const held = audit.holdings.filter(
    ({ task, volume }) => task.includes(`/${node.taskId}/`) && node.volumes.includes(volume),
  );
  const jvm = held.filter(({ command }) => command.includes('/java '));
  if (released === undefined) return ['the node was not released'];
  if (jvm.length === 0) return ['the auditor never saw the Elasticsearch of the frozen executor'];
  return jvm
    .filter(({ lastMs }) => lastMs >= released)
    .map(
      ({ volume, pid, lastMs }) => `pid ${pid} had ${volume} open ${lastMs - released} ms after the release`,
    );
}
