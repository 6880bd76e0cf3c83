/** What Elasticsearch has answered, and what that says of the cluster as a whole. */
import type { CoreEvent } from '../events.ts';
import { obstacleOf, outdated, type ElasticsearchView } from '../migration/health.ts';
import { stillOrdered, type MigrationOrder } from '../migration/orders.ts';
import { heldNodes, type Model, type Now } from '../model.ts';
import { withEntry } from './collections.ts';

type Answered = Extract<CoreEvent, { kind: 'elasticsearch-answered' }>;

/** The answer may be there before the word that the question was sent. */
export function noteAsked(model: Model, number: number, { monotonicMs }: Now): Model {
  const view = model.elasticsearch;
  if (number <= view.asked) return model;
  return { ...model, elasticsearch: { ...view, asked: number, askedAtMs: monotonicMs } };
}

export function noteAnswer(model: Model, { number, question, outcome }: Answered, now: Now): Model {
  const { monotonicMs } = now;
  // As if it was sent just now, where the word that it was is still to come.
  const { elasticsearch } = noteAsked(model, number, now);
  const view: ElasticsearchView = { ...elasticsearch, answered: number, failure: undefined };
  switch (outcome.kind) {
    case 'failed': {
      const failure = { message: outcome.message, atMs: monotonicMs };
      return { ...model, elasticsearch: { ...view, failure, settledSinceMs: undefined } };
    }
    case 'allocation-set': {
      const allocation = question.kind === 'restrict-allocation' ? 'restricted' : 'restored';
      return { ...model, elasticsearch: { ...outdated(view), allocation } };
    }
    case 'health': {
      if (number < view.countsFrom) return { ...model, elasticsearch: view };
      const { health } = outcome;
      const wanted = model.framework?.record.migration?.wantedHealth ?? 'green';
      const isWanted = obstacleOf(health, wanted, heldNodes(model).length) === undefined;
      const settledSinceMs = isWanted ? (view.settledSinceMs ?? monotonicMs) : undefined;
      return { ...model, elasticsearch: { ...view, health, readAtMs: monotonicMs, settledSinceMs } };
    }
  }
}

/** The cluster's record of the migration was written. */
export function noteMigrationRecorded(model: Model, before: Model): Model {
  const [known, written] = [before.framework?.record.migration, model.framework?.record.migration];
  if (known === written) return model;
  const view = outdated(model.elasticsearch);
  const sameAllocation = known?.allocation?.nodeId === written?.allocation?.nodeId;
  return {
    ...model,
    elasticsearch: sameAllocation ? view : { ...view, allocation: undefined },
  };
}

/** An order that is not durable yet. */
export function noteOrder(model: Model, order: MigrationOrder): Model {
  return { ...model, orderedMigration: stillOrdered(order, model.framework?.record.migration) };
}

export function notePurge(model: Model, event: Extract<CoreEvent, { kind: 'former-volumes-purged' }>): Model {
  const { nodeId, driver, epoch } = event;
  return { ...model, purges: withEntry(model.purges, nodeId, { driver, epoch }) };
}
