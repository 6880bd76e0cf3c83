/** Offers that are not used go back with a reason; more are asked for only while a node waits. */
import { heldNodes, type Model } from '../model.ts';
import { failed, type EvaluationOutcome } from '../offers/outcome.ts';
import type { RuleName } from '../rules/names.ts';
import type { Step } from '../steps.ts';
import type { PlanContext } from './context.ts';
import { unusedOffers } from './launches.ts';

/** Nodes that need an offer now, or soon may: with their phase, so that a change asks anew. */
export function demand(model: Model): string {
  const held = heldNodes(model).filter(
    (record) => record.phase === 'suspect' || record.phase === 'releasing',
  );
  return [
    ...held.map((record) => `${record.nodeId}:${record.phase}:${record.epoch}`),
    ...[...model.vacancies].map((id) => `${id}:vacant:${model.nodes.get(id)?.record.epoch ?? 0}`),
  ]
    .sort()
    .join(' ');
}

export function planDeclines(
  { model, desired }: PlanContext,
  outcomes: readonly EvaluationOutcome[],
): Step[] {
  const offerIds = unusedOffers(model).map((offer) => offer.id);
  if (offerIds.length === 0) return [];
  const refuseMs = demand(model) === '' ? desired.timing.refuseLongMs : desired.timing.refuseShortMs;
  return [{ kind: 'decline', offerIds, refuseMs, outcomes }];
}

/** Declines for one reason that has nothing to do with the offers themselves. */
export function declineAllFor(context: PlanContext, rule: RuleName, reason: string): Step[] {
  const outcomes = unusedOffers(context.model).map((offer) => ({
    ...failed('offer', `offer ${offer.id} of ${offer.hostname}`),
    children: [failed(rule, reason)],
  }));
  return planDeclines(context, outcomes);
}

/**
 * REVIVE clears filters that may be hours long (our own, or a predecessor's after a takeover), so it is sent
 * whenever a node begins to wait, and now and then while it waits.
 */
export function planOfferFlow({ model, desired, now }: PlanContext): Step[] {
  const waitingFor = demand(model);
  const { mode, revivedAtMs, revivedFor } = model.offerFlow;
  if (waitingFor === '') {
    const launching = model.launches.size > 0;
    return mode === 'suppressed' || launching ? [] : [{ kind: 'suppress' }];
  }
  const stale = now.monotonicMs - revivedAtMs >= desired.timing.reviveEveryMs;
  const fresh = mode === 'revived' && revivedFor === waitingFor && !stale;
  return fresh ? [] : [{ kind: 'revive', waitingFor }];
}
