import type { Offer } from '@mesos-elasticsearch/mesos-v1';
import { allOf, anyOf, failed, type EvaluationOutcome } from './outcome.ts';
import * as rules from './rules.ts';
import type { Candidate, OfferContext, OfferRule } from './rules.ts';

const ANY_STRATEGY: readonly OfferRule[] = [
  rules.oneNodePerAgent,
  rules.volumeAttachedElsewhere,
  rules.avoidsFormerAgent,
  rules.copiesAtHome,
  rules.agentAvailable,
  rules.agentAttributes,
  rules.ports,
  rules.cpus,
  rules.mem,
];

/** The two strategies of the original framework: with external volumes the agent's disk does not matter. */
export const STRATEGIES: Readonly<Record<'external' | 'normal', readonly OfferRule[]>> = {
  external: ANY_STRATEGY,
  normal: [...ANY_STRATEGY, rules.sticksToAgent, rules.disk],
};

/** What a copy has no need of: a node's ports, and the space that its volumes take already. */
const NEEDED_TO_RUN: ReadonlySet<OfferRule> = new Set([rules.ports, rules.disk]);

/** Every rule, for one offer and one waiting node. */
export function evaluateFor(offer: Offer, context: OfferContext): EvaluationOutcome {
  const all = STRATEGIES[context.desired.cluster.strategy];
  const asked = context.candidate.purpose === 'run' ? all : all.filter((rule) => !NEEDED_TO_RUN.has(rule));
  const outcomes = asked.map((rule) => rule(offer, context));
  return allOf('node', `node ${context.candidate.nodeId}`, outcomes);
}

export interface OfferDecision {
  readonly outcome: EvaluationOutcome;
  /** The lowest waiting node that the offer suits. */
  readonly candidate: Candidate | undefined;
}

/** One offer against all waiting nodes, lowest node ID first. */
export function evaluateOffer(
  offer: Offer,
  candidates: readonly Candidate[],
  context: Omit<OfferContext, 'candidate'>,
): OfferDecision {
  const label = `offer ${offer.id} of ${offer.hostname}`;
  if (candidates.length === 0) {
    const reason = 'no node waits for an offer';
    return {
      outcome: allOf('offer', label, [failed('offer-wanted', reason)]),
      candidate: undefined,
    };
  }
  const outcomes = candidates.map((candidate) => evaluateFor(offer, { ...context, candidate }));
  const index = outcomes.findIndex((outcome) => outcome.pass);
  return { outcome: anyOf('offer', label, outcomes), candidate: candidates[index] };
}
