/** Offers that are not used go back with a reason; more are asked for only while a node waits. */
import { heldNodes, retiredVolumesNow, type DesiredCluster, type Model } from '../model.ts';
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import type { Offer, OfferId } from '@mesos-elasticsearch/mesos-v1';
import { evaluateFor } from '../offers/evaluate.ts';
import { failed, type EvaluationOutcome } from '../offers/outcome.ts';
import type { RuleName } from '../rules/names.ts';
import type { Step } from '../steps.ts';
import type { PlanContext } from './context.ts';
import { agentsInUse, unusedOffers } from './launches.ts';
import { purposeOf } from './migration-launch.ts';

/** Nodes that need an offer now, or soon may: with their phase, so that a change asks anew. */
export function demand(desired: DesiredCluster, model: Model): string {
  const refusing = retiredVolumesNow(desired, model) === 'refuse';
  const copies = model.framework?.record.migration?.state === 'running';
  const held = heldNodes(model).filter(
    ({ phase, holder }) =>
      phase === 'suspect' ||
      phase === 'releasing' ||
      (copies && phase === 'migrating' && holder === undefined),
  );
  return [
    ...held.map((record) => `${record.nodeId}:${record.phase}:${record.epoch}`),
    ...[...model.vacancies].flatMap((id) => {
      const record = model.nodes.get(id)?.record;
      const refused = refusing && record?.phase === 'retired' && record.wipe !== true;
      return refused ? [] : [`${id}:vacant:${record?.epoch ?? 0}`];
    }),
  ]
    .sort()
    .join(' ');
}

export function planDeclines(
  { model, desired, now }: PlanContext,
  outcomes: readonly EvaluationOutcome[],
  kept: ReadonlySet<OfferId> = new Set(),
): Step[] {
  const unused = unusedOffers(model)
    .map((offer) => offer.id)
    .filter((id) => !kept.has(id));
  const unreturned = [...model.unreturned].filter(([, notBeforeMs]) => now.monotonicMs >= notBeforeMs);
  const offerIds = [...unused, ...unreturned.map(([id]) => id)];
  if (offerIds.length === 0) return [];
  const refuseMs = demand(desired, model) === '' ? desired.timing.refuseLongMs : desired.timing.refuseShortMs;
  return [{ kind: 'decline', offerIds, refuseMs, outcomes }];
}

/**
 * One offer for each node that may be proven free by itself soon, so that it does not have to wait for the next
 * allocation when it is. For a limited time: other frameworks want offers too.
 */
export function offersAtHand(context: PlanContext): ReadonlySet<OfferId> {
  const { model, desired, now } = context;
  const kept = new Set<OfferId>();
  for (const record of heldNodes(model)) {
    const doubtedAtMs = model.runs.get(record.nodeId)?.doubtedAtMs;
    const lately = doubtedAtMs !== undefined && now.monotonicMs - doubtedAtMs < desired.timing.holdOffersMs;
    if (!lately || record.suspectPolicy === 'wait') continue;
    const suits = unusedOffers(model).find(
      (offer) => !kept.has(offer.id) && wouldSuit(context, record, offer),
    );
    if (suits !== undefined) kept.add(suits.id);
  }
  return kept;
}

function wouldSuit({ model, desired, now }: PlanContext, record: NodeRecord, offer: Offer): boolean {
  if (offer.agentId === record.holder?.agentId) return false;
  const purpose = purposeOf(record);
  const candidate = { nodeId: record.nodeId, record, purpose, mayLeaveAgent: true };
  const context = { desired, candidate, agentsInUse: agentsInUse(model), wallMs: now.wallMs };
  return evaluateFor(offer, context).pass;
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
  const waitingFor = demand(desired, model);
  const { mode, revivedAtMs, revivedFor } = model.offerFlow;
  if (waitingFor === '') {
    const launching = model.launches.size > 0;
    return mode === 'suppressed' || launching ? [] : [{ kind: 'suppress' }];
  }
  const stale = now.monotonicMs - revivedAtMs >= desired.timing.reviveEveryMs;
  const fresh = mode === 'revived' && revivedFor === waitingFor && !stale;
  return fresh ? [] : [{ kind: 'revive', waitingFor }];
}
