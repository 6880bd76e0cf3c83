/**
 * plan(desired, model, now) → the next safe steps, and what is being waited for. Only the next ones: after they
 * were done and their results reduced into the model, the plan is made anew, so it never goes stale.
 */
import { declineAllFor, offersAtHand, planDeclines, planOfferFlow } from './planning/offer-flow.ts';
import { matchOffers, planLaunchesUnderWay, readyNodes } from './planning/launches.ts';
import { waitFor, type PlanContext } from './planning/context.ts';
import { planClusterUuids, planFramework } from './planning/framework.ts';
import { planHolders } from './planning/holders.ts';
import { planMigration } from './planning/migration.ts';
import { planRetirement, planShrinking } from './planning/retirement.ts';
import { planKills, planLeaseReading, planReconciliation, planSeedHosts } from './planning/upkeep.ts';
import { planStatuses } from './planning/statuses.ts';
import type { Step } from './steps.ts';

export type { PlanContext } from './planning/context.ts';

export function plan(context: PlanContext): Step[] {
  const { model, now } = context;
  const { session, store } = model;
  if (session.state === 'ended' && session.how !== 'removed') {
    return [{ kind: 'stop', reason: session.how, message: session.message }];
  }
  // Whatever the reason, the ledger is read whole before anything is decided from it again.
  if (!model.ledgerLoaded || store.state === 'fails') {
    const error = store.state === 'fails' ? store.error : 'the ledger was not read yet';
    const due = store.state === 'answers' || now.monotonicMs >= store.retryAtMs;
    const declines = session.state === 'subscribed' ? declineAllFor(context, 'store-answers', error) : [];
    return [due ? { kind: 'load-ledger' } : waitFor('store-answers', error), ...declines];
  }
  const framework = planFramework(context);
  if (framework.length > 0) return framework;
  if (session.state === 'ended') return [{ kind: 'register-anew' }];
  return planNodes(context);
}

/** The one step of a plan that is carried out before the plan is made anew; undefined: there is only waiting. */
export function nextStep(steps: readonly Step[]): Step | undefined {
  return steps.find((step) => step.kind !== 'wait');
}

function planNodes(context: PlanContext): Step[] {
  const { model } = context;
  const statuses = planStatuses(context);
  const underWay = planLaunchesUnderWay(context);
  const busy = new Set([...statuses, ...underWay].flatMap(nodeOf));
  const holders = planHolders(context, busy);
  const first = [
    ...statuses,
    ...underWay,
    ...holders,
    ...planRetirement(context),
    ...planLeaseReading(context),
  ];
  if (model.session.state !== 'subscribed') {
    return [
      ...first,
      waitFor('subscribed', model.session.state === 'disconnected' ? model.session.why : 'ended'),
    ];
  }
  return [
    ...first,
    ...planMigration(context),
    ...planLaunches(context, new Set([...busy, ...holders.flatMap(nodeOf)])),
    ...planOfferFlow(context),
    ...planReconciliation(context),
    ...planKills(context),
    ...planShrinking(context),
    ...planClusterUuids(context),
    ...planSeedHosts(context),
  ];
}

function planLaunches(context: PlanContext, busy: ReadonlySet<number>): Step[] {
  const ready = readyNodes(context, busy);
  const { leaseService } = context.model;
  if (leaseService.state === 'fails' && ready.candidates.length > 0) {
    const declines = declineAllFor(context, 'lease-service-answers', leaseService.error);
    return [...ready.steps, waitFor('lease-service-answers', leaseService.error), ...declines];
  }
  const { assign, outcomes } = matchOffers(context, ready.candidates);
  if (assign !== undefined) return [...ready.steps, assign];
  // Offers stay in hand while a step of this very turn may make a node ready for them.
  const imminent = [...ready.steps].some((step) => step.kind === 'close-epoch') || busy.size > 0;
  return imminent
    ? [...ready.steps]
    : [...ready.steps, ...planDeclines(context, outcomes, offersAtHand(context))];
}

/** The node that a step acts on; a wait acts on nothing. */
function nodeOf(step: Step): number[] {
  switch (step.kind) {
    case 'record-node':
    case 'assign':
      return [step.record.nodeId];
    case 'open-epoch':
    case 'close-epoch':
    case 'accept':
      return [step.nodeId];
    default:
      return [];
  }
}
