import type { LeaseRecord, NodeId } from '@mesos-elasticsearch/contract';
import { observeLease } from '@mesos-elasticsearch/coordination';
import type { CoreEvent } from '../events.ts';
import type { LeaseView, Model } from '../model.ts';
import { withEntry } from './collections.ts';

type LeasesRead = Extract<CoreEvent, { kind: 'leases-read' }>;

export function reduceLeaseReadings(model: Model, event: LeasesRead): Model {
  const answering: Model = { ...model, leaseService: { state: 'answers' }, leasesAskedAtMs: event.askedAtMs };
  return event.readings.reduce((known, { nodeId, epoch, lease }) => {
    const view = { state: lease.state, lease: lease.state === 'absent' ? undefined : lease.lease };
    return withLeaseView(known, { nodeId, epoch, ...event }, view);
  }, answering);
}

/**
 * Times err on the safe side: a counter counts as first seen when the answer came, and as still standing when
 * the question was sent.
 */
export function withLeaseView(
  model: Model,
  asked: {
    readonly nodeId: NodeId;
    readonly epoch: number;
    readonly askedAtMs: number;
    readonly answeredAtMs: number;
  },
  reading: { readonly state: LeaseView['state']; readonly lease: LeaseRecord | undefined },
): Model {
  const { nodeId, epoch } = asked;
  const record = model.nodes.get(nodeId)?.record;
  if (record?.epoch !== epoch) return model;
  const before = model.leases.get(nodeId);
  const known = before?.epoch === epoch ? before : undefined;
  // Closed stays closed; a reading that was under way when we closed it knows less.
  if (known?.state === 'closed' && reading.state !== 'closed') return model;
  const { lease } = reading;
  const view: LeaseView = {
    epoch,
    state: reading.state,
    lease,
    isLost: lease === undefined && record.leaseTaken === true,
    observation:
      lease === undefined ? undefined : observeLease(known?.observation, lease, asked.answeredAtMs),
    readAtMs: asked.askedAtMs,
  };
  const run = model.runs.get(nodeId);
  const launched = lease === undefined || run === undefined ? undefined : { ...run, launched: true };
  return {
    ...model,
    leases: withEntry(model.leases, nodeId, view),
    runs: launched === undefined ? model.runs : withEntry(model.runs, nodeId, launched),
  };
}
