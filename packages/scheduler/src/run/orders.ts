/** What operators may order, checked against the model. */
import type { CoreEvent } from '../core/events.ts';
import { heldNodes, wantedSize, type DesiredCluster, type Model } from '../core/model.ts';
import type { ClusterSettings } from '@mesos-elasticsearch/contract';
import { RETIRE_CONFIRMATION } from './http-server.ts';
import type { OrderResult, ReleaseOrder, RetireOrder, SizeOrder } from './http-server.ts';

/** @returns an order to refuse with, or undefined when the node may be released */
export function refuseRelease(model: Model, { nodeId, epoch }: ReleaseOrder): OrderResult | undefined {
  const record = [...model.nodes.values()].find((entry) => entry.record.nodeId === nodeId)?.record;
  if (record === undefined) return { status: 404, message: `node ${nodeId} has no record` };
  if (record.epoch !== epoch) {
    return {
      status: 409,
      message: `node ${nodeId} is in epoch ${record.epoch}, not ${epoch}: look at it again`,
    };
  }
  if (record.phase !== 'suspect' && record.phase !== 'releasing') {
    return {
      status: 409,
      message: `node ${nodeId} is ${record.phase}: only suspect or releasing nodes are released`,
    };
  }
  return undefined;
}

export function releaseEvent(model: Model, { nodeId, epoch }: ReleaseOrder): CoreEvent | undefined {
  const record = [...model.nodes.values()].find((entry) => entry.record.nodeId === nodeId)?.record;
  return record === undefined ? undefined : { kind: 'operator-release', nodeId: record.nodeId, epoch };
}

/**
 * Nodes whose shards have not been moved first are not taken away, and the first masters never: without them the
 * rest would lose the majority that elects a master.
 */
export function refuseWantedNodes(
  model: Model,
  { nodes, shardsAreMoved }: SizeOrder,
): OrderResult | undefined {
  if (nodes === wantedSize(model)) return undefined;
  const masters = initialMasterCount(model);
  if (nodes < masters) {
    return { status: 409, message: `${nodes} is fewer than the ${masters} nodes that elect the master` };
  }
  const held = heldNodes(model).length;
  if (nodes >= held || shardsAreMoved) return undefined;
  return {
    status: 409,
    message:
      `${nodes} is fewer than the ${held} nodes in use: move the shards away from the highest node IDs ` +
      `(cluster.routing.allocation.exclude), then say so with "confirm": "${RETIRE_CONFIRMATION}"`,
  };
}

/** Only the highest node ID: the lowest free number is handed out first, so any other would be launched again. */
export function refuseRetire(model: Model, { nodeId, epoch }: RetireOrder): OrderResult | undefined {
  const held = heldNodes(model);
  const record = held.find((each) => each.nodeId === nodeId);
  if (record === undefined) return { status: 404, message: `node ${nodeId} has no holder` };
  if (record.epoch !== epoch || record.phase !== 'running') {
    const is = `node ${nodeId} is ${record.phase} in epoch ${record.epoch}`;
    return { status: 409, message: `${is}: a running node is retired, in the epoch that was looked at` };
  }
  const highest = Math.max(...held.map((each) => each.nodeId));
  if (nodeId !== highest) {
    return { status: 409, message: `only the highest node ID can be retired, which is ${highest}` };
  }
  return refuseWantedNodes(model, { nodes: held.length - 1, shardsAreMoved: true });
}

export function refuseReuse(model: Model, wanted: number): OrderResult | undefined {
  const record = [...model.nodes.values()].find((entry) => entry.record.nodeId === wanted)?.record;
  if (record === undefined) return { status: 404, message: `node ${wanted} has no record` };
  if (record.phase === 'retired') return undefined;
  return { status: 409, message: `node ${wanted} is ${record.phase}: only retired nodes are asked about` };
}

export function refuseSettings(
  { suspects }: DesiredCluster,
  { suspectPolicy }: ClusterSettings,
): OrderResult | undefined {
  if (suspectPolicy === undefined || suspects.possiblePolicies.includes(suspectPolicy)) return undefined;
  return {
    status: 409,
    message: `suspectPolicy ${suspectPolicy} is not possible as this scheduler was started: ${suspects.possiblePolicies.join(', ')}`,
  };
}

function initialMasterCount(model: Model): number {
  return model.framework?.record.initialMasterNodes?.length ?? 0;
}
