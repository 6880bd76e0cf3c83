/** What operators may order, checked against the model. */
import type { CoreEvent } from '../core/events.ts';
import { heldNodes, wantedSize, type Model } from '../core/model.ts';
import type { OrderResult, ReleaseOrder } from './http-server.ts';

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

/** Fewer nodes than have volumes in use would take shards away without moving them first. */
export function refuseWantedNodes(model: Model, wanted: number): OrderResult | undefined {
  if (wanted === wantedSize(model)) return undefined;
  const masters = model.framework?.record.bootstrapped === true ? 0 : initialMasterCount(model);
  const least = Math.max(heldNodes(model).length, masters);
  if (wanted >= least) return undefined;
  return {
    status: 409,
    message: `${wanted} is fewer than the ${least} nodes in use: nodes are not taken away while their shards are on them`,
  };
}

function initialMasterCount(model: Model): number {
  return model.framework?.record.initialMasterNodes?.length ?? 0;
}
