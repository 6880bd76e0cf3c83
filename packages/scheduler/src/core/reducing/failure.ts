/** Steps that failed. Their outcome counts as unknown. */
import type { OfferId } from '@mesos-elasticsearch/mesos-v1';
import type { CoreEvent } from '../events.ts';
import type { DesiredCluster, Model, Now } from '../model.ts';
import { askAlso } from '../reconcile.ts';
import { withEntry } from './collections.ts';
import { reduceDone } from './done.ts';

type StepFailed = Extract<CoreEvent, { kind: 'step-failed' }>;

export function reduceFailure(desired: DesiredCluster, model: Model, event: StepFailed, now: Now): Model {
  const { step, error } = event;
  const fails = { state: 'fails', error, retryAtMs: now.monotonicMs + desired.timing.retryMs } as const;
  switch (event.service) {
    case 'store':
      if (event.deposed === true) return deposed(model, error);
      // The intent is kept: if the record turns out to have been written, the launch goes on.
      return {
        ...model,
        store: fails,
        launches:
          step.kind === 'assign'
            ? withEntry(model.launches, step.record.nodeId, step.intent)
            : model.launches,
      };
    case 'leases':
      return { ...model, leaseService: fails, leasesAskedAtMs: now.monotonicMs };
    case 'mesos':
      return afterFailedCall(desired, model, step, now);
  }
}

/** Nothing of ours would be written any more: this scheduler stops, as one that Mesos has replaced. */
function deposed(model: Model, message: string): Model {
  return { ...model, session: { state: 'ended', how: 'replaced', message } };
}

/** The master may have taken it. A launch is asked about; everything else repeats itself by its own timer. */
function afterFailedCall(desired: DesiredCluster, model: Model, step: StepFailed['step'], now: Now): Model {
  switch (step.kind) {
    case 'accept': {
      const done = unreturned(desired, reduceDone(desired, model, step, now), [step.intent.offerId], now);
      return {
        ...done,
        reconciliation: askAlso(done.reconciliation, [step.intent.taskId], now.monotonicMs),
      };
    }
    case 'decline':
      return unreturned(desired, reduceDone(desired, model, step, now), step.offerIds, now);
    case 'settle-status':
    case 'kill':
    case 'revive':
    case 'suppress':
    case 'reconcile':
    case 'send-seed-hosts':
      return reduceDone(desired, model, step, now);
    default:
      return model;
  }
}

/** Taken or not, a decline of them later does no harm. */
function unreturned(desired: DesiredCluster, model: Model, offerIds: readonly OfferId[], now: Now): Model {
  const notBeforeMs = now.monotonicMs + desired.timing.retryMs;
  const more = offerIds.map((offerId) => [offerId, notBeforeMs] as const);
  return { ...model, unreturned: new Map([...model.unreturned, ...more]) };
}
