/** A rebuilt ledger in words. */
import type { FrameworkRecord, NodeRecord } from '@mesos-elasticsearch/contract';

export function describeRebuilt(
  framework: FrameworkRecord,
  nodes: readonly NodeRecord[],
  warnings: readonly string[],
): string {
  return [
    `Framework ${framework.frameworkName} (${framework.frameworkId ?? 'registers anew'}), cluster ${framework.clusterName}, ` +
      `cluster identity ${framework.clusterIdentity}, ${nodes.length} nodes wanted`,
    ...nodes.map(nodeLine),
    ...warnings.map((warning) => `Note: ${warning}`),
  ].join('\n');
}

function nodeLine({ nodeId, epoch, holder, dataOnRecord }: NodeRecord): string {
  const data = dataOnRecord ? 'data on record' : 'no data on record';
  return `  node ${nodeId}: suspect, epoch ${epoch}, task ${holder?.taskId ?? 'none'} on ${holder?.host ?? 'no host'}, ${data}`;
}
