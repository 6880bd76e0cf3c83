import { linesOf } from '../cluster/progress.ts';
import type { Evidence } from './row.ts';

/** Not one byte after: by the auditor's clock and the ledger's: both are this machine's. */
export function lastWriteBeforeRelease({ audit, node, lines }: Evidence): string[] {
  const released = linesOf(lines, 'released', node.nodeId)[0]?.atMs;
  const held = audit.holdings.filter(
    ({ task, volume }) => task.includes(`/${node.taskId}/`) && node.volumes.includes(volume),
  );
  const jvm = held.filter(({ command }) => command.includes('/java '));
  if (released === undefined) return ['the node was not released'];
  if (jvm.length === 0) return ['the auditor never saw the Elasticsearch of the old holder'];
  return jvm
    .filter(({ lastMs }) => lastMs >= released)
    .map(
      ({ volume, pid, lastMs }) => `pid ${pid} had ${volume} open ${lastMs - released} ms after the release`,
    );
}
