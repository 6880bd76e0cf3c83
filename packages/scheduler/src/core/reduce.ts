/** reduce(model, event, now) → the next model. It only notes what happened; what to do about it is the plan's. */
import type { CoreEvent } from './events.ts';
import { stillOrdered } from './migration/orders.ts';
import type { DesiredCluster, Model, Now } from './model.ts';
import { reduceDone } from './reducing/done.ts';
import { reduceGateway, reduceMesos } from './reducing/mesos.ts';
import { reduceLeaseReadings, withLeaseView } from './reducing/leases.ts';
import { noteAnswer, noteMigrationRecorded, noteOrder, notePurge } from './reducing/migration.ts';
import { loadLedger, noteRecord, refill } from './reducing/records.ts';
import { reduceFailure } from './reducing/failure.ts';
import { withEntry } from './reducing/collections.ts';

export type { CoreEvent } from './events.ts';

export function reduce(desired: DesiredCluster, model: Model, event: CoreEvent, now: Now): Model {
  switch (event.kind) {
    case 'mesos':
      return reduceMesos(desired, model, event.event, now);
    case 'gateway':
      return reduceGateway(model, event.state);
    case 'ledger-loaded':
      return loadLedger(desired, model, event.snapshot, now);
    case 'framework-recorded': {
      const { record, version } = event;
      const pending = record.wantedNodes === model.orderedSize ? undefined : model.orderedSize;
      const next: Model = {
        ...model,
        framework: { record, version },
        orderedSize: pending,
        orderedSettings: undefined,
        orderedMigration: stillOrdered(model.orderedMigration, record.migration),
      };
      return refill(desired, noteMigrationRecorded(next, model));
    }
    case 'size-ordered':
      return { ...model, orderedSize: event.nodes };
    case 'migration-ordered':
      return noteOrder(model, event.order);
    case 'former-volumes-purged':
      return notePurge(model, event);
    case 'elasticsearch-answered':
      return noteAnswer(model, event, now);
    case 'settings-ordered':
      return { ...model, orderedSettings: { ...model.orderedSettings, ...event.settings } };
    case 'operator-reuse':
      return { ...model, operatorReuses: withEntry(model.operatorReuses, event.nodeId, event.volumes) };
    case 'fenced': {
      const { epoch, attempt, outcome, message } = event;
      const fence = { epoch, attempt, outcome, message, atMs: now.monotonicMs };
      return { ...model, fences: withEntry(model.fences, event.nodeId, fence) };
    }
    case 'node-recorded':
      return noteRecord(desired, model, event, now);
    case 'assigned': {
      const { record, intent } = event.step;
      const noted = noteRecord(desired, model, { record, version: event.version }, now);
      return { ...noted, launches: withEntry(noted.launches, record.nodeId, intent) };
    }
    case 'epoch-opened': {
      const intent = model.launches.get(event.nodeId);
      const answering: Model = { ...model, leaseService: { state: 'answers' } };
      if (intent === undefined) return answering;
      return {
        ...answering,
        launches: withEntry(model.launches, event.nodeId, { ...intent, epochOpened: true }),
      };
    }
    case 'epoch-closed':
      return withLeaseView({ ...model, leaseService: { state: 'answers' } }, event, {
        state: 'closed',
        lease: event.lease,
      });
    case 'leases-read':
      return reduceLeaseReadings(model, event);
    case 'done':
      return reduceDone(desired, model, event.step, now);
    case 'step-failed':
      return reduceFailure(desired, model, event, now);
    case 'operator-release':
      return { ...model, operatorReleases: withEntry(model.operatorReleases, event.nodeId, event.epoch) };
  }
}
