/** How a process shows whose it is: in the environment of the executor, of the guard and of all below them. */
import type { ClusterIdentity, Epoch, NodeId } from './node-id.ts';

export const NODE_MARK_VARIABLE = 'MESOS_ELASTICSEARCH_NODE';

interface MarkedNode {
  readonly clusterIdentity: ClusterIdentity;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
}

/** `<cluster identity>/<node ID>/<epoch>` */
export function nodeMark({ clusterIdentity, nodeId, epoch }: MarkedNode): string {
  return `${clusterIdentity}/${String(nodeId)}/${String(epoch)}`;
}

/** True for a mark of the same node with a lower epoch; never for a newer one, never for another node. */
export function isOrphanMark(mark: string, node: MarkedNode): boolean {
  const [identity, nodeId, epoch, ...more] = mark.split('/');
  if (more.length > 0 || epoch === undefined || !/^[1-9][0-9]*$/.test(epoch)) return false;
  return (
    identity === node.clusterIdentity && nodeId === String(node.nodeId) && Number(epoch) < Number(node.epoch)
  );
}
