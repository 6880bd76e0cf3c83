/** Policy "preempt": after a stated time the storage itself is taken from a holder that cannot be proven gone. */
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import { silenceNeededMs } from '@mesos-elasticsearch/coordination';
import type { LeaseView } from '../model.ts';
import type { Step } from '../steps.ts';
import * as transition from '../transitions.ts';
import { closeEpoch, isSilent, recordNode, waitFor, type PlanContext } from './context.ts';

/**
 * In this order: the time passes, the epoch is closed (a holder that hears of it stops by itself), its lease has run
 * out (no executor attaches, marks or starts anything on a lease that is not fresh), the storage is revoked, the node
 * is free. Where the driver takes the volume away when it is attached elsewhere, the attach of
 * the next holder is the revocation.
 */
export function preemptStep(context: PlanContext, record: NodeRecord, view: LeaseView): Step {
  const { desired, model, now } = context;
  const { preemptAfterMs, fenceCommand, driverRevokes } = desired.suspects;
  const doubtedAtMs = model.runs.get(record.nodeId)?.doubtedAtMs ?? now.monotonicMs;
  const host = record.holder?.host ?? 'no host';
  if (now.monotonicMs - doubtedAtMs < preemptAfterMs) {
    const reason = `the storage is taken from ${host} after ${preemptAfterMs} ms of doubt; ${record.why}`;
    return waitFor('preempt-after', reason, record.nodeId);
  }
  if (view.state !== 'closed') return closeEpoch(context, record, 'one-holder');
  // Otherwise a holder on its way up could attach again what is being taken from it.
  if (view.lease !== undefined && !isSilent(context, view)) {
    const limitMs = silenceNeededMs(view.lease.durationMs, desired.suspects.pauseBoundMs);
    return waitFor(
      'lease-not-expired',
      `the lease on ${host} must stand still for ${limitMs} ms`,
      record.nodeId,
    );
  }
  if (fenceCommand !== undefined) return fenceStep(context, record, host);
  if (driverRevokes) return preempted(context, record, 'the driver takes the volumes from their old host');
  const reason =
    'neither does the driver revoke nor is there a fence command: an operator must say that it is gone';
  return waitFor('preempt-revokes', reason, record.nodeId);
}

function fenceStep(context: PlanContext, record: NodeRecord, host: string): Step {
  const { desired, model, now } = context;
  const last = model.fences.get(record.nodeId);
  const fence = last?.epoch === record.epoch ? last : undefined;
  if (fence?.outcome === 'under-way') {
    return waitFor('preempt-revokes', `the fence command for ${host} is under way`, record.nodeId);
  }
  if (fence !== undefined && desired.safety.isRevoked(fence.outcome)) {
    return preempted(context, record, `the fence command has taken the volumes from ${host}`);
  }
  if (fence !== undefined && now.monotonicMs - fence.atMs < desired.timing.fenceRetryMs) {
    return waitFor('preempt-revokes', `the fence command failed: ${fence.message}`, record.nodeId);
  }
  const { migration } = record;
  // A task that copies has both attached.
  const attached = [record.volumes, migration?.stage === 'copying' ? migration.to : undefined];
  const volumes = attached
    .flatMap((each) => (each === undefined ? [] : [each.config, each.data]))
    .map(({ driver, name }) => ({ driver, name }));
  const attempt = (fence?.attempt ?? 0) + 1;
  return { kind: 'fence', nodeId: record.nodeId, epoch: record.epoch, attempt, host, volumes };
}

function preempted({ model, now }: PlanContext, record: NodeRecord, why: string): Step {
  return recordNode(model, transition.vacated(record, 'preempted', `preempted: ${why}`, now.wallMs));
}
