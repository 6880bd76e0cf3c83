/** DECLINE, REVIVE, SUPPRESS and the bookkeeping of outstanding offers (ACCEPT is in accept.ts). */
import type { AgentId, Filters, FrameworkId, OfferId, Resource } from '@mesos-elasticsearch/mesos-v1';
import { allocate } from './allocate.ts';
import { sendTo } from './state.ts';
import type { Turn } from './state.ts';

const DEFAULT_REFUSE_SECONDS = 5;
const MAX_REFUSE_SECONDS = 365 * 24 * 3600;

/** Absent or negative: 5 s; 0: no filter; else at least one allocation interval, at most 365 days. */
export function refuseMs(filters: Filters | undefined, allocationIntervalMs: number): number {
  const asked = filters?.refuseSeconds ?? DEFAULT_REFUSE_SECONDS;
  if (asked === 0) return 0;
  const seconds = asked < 0 || Number.isNaN(asked) ? DEFAULT_REFUSE_SECONDS : asked;
  return Math.max(Math.min(seconds, MAX_REFUSE_SECONDS) * 1000, allocationIntervalMs);
}

/** Gives resources back to the pool; they are not offered to the same framework while the filter lasts. */
export function refuse(
  turn: Turn,
  frameworkId: FrameworkId,
  agentId: AgentId,
  refused: readonly Resource[],
  filters: Filters | undefined,
): void {
  const framework = turn.state.frameworks.get(frameworkId);
  const duration = refuseMs(filters, turn.state.config.allocationIntervalMs);
  if (framework === undefined || duration === 0 || refused.length === 0) return;
  const filter = { agentId, refused, expiresAt: turn.now + duration };
  turn.state.frameworks.set(frameworkId, { ...framework, filters: [...framework.filters, filter] });
}

export function decline(
  turn: Turn,
  frameworkId: FrameworkId,
  offerIds: readonly OfferId[],
  filters: Filters | undefined,
): void {
  for (const id of offerIds) {
    const offer = turn.state.offers.get(id);
    if (offer?.frameworkId !== frameworkId) continue;
    turn.state.offers.delete(id);
    refuse(turn, frameworkId, offer.agentId, offer.resources, filters);
  }
}

export function revive(turn: Turn, frameworkId: FrameworkId): void {
  const framework = turn.state.frameworks.get(frameworkId);
  if (framework === undefined) return;
  turn.state.frameworks.set(frameworkId, { ...framework, suppressed: false, filters: [] });
  allocate(turn);
}

/** No further offers; those outstanding stay valid. */
export function suppress(turn: Turn, frameworkId: FrameworkId): void {
  const framework = turn.state.frameworks.get(frameworkId);
  if (framework !== undefined) turn.state.frameworks.set(frameworkId, { ...framework, suppressed: true });
}

/** The agent went away: its offers are dead, and their owners are told. */
export function rescindOffersOf(turn: Turn, agentId: AgentId): void {
  for (const offer of [...turn.state.offers.values()]) {
    if (offer.agentId !== agentId) continue;
    turn.state.offers.delete(offer.id);
    sendTo(turn, offer.frameworkId, { type: 'RESCIND', rescind: { offerId: offer.id } });
  }
}

/** The framework went away or failed over: its offers go back without a word. */
export function dropOffersOf(turn: Turn, frameworkId: FrameworkId): void {
  for (const offer of [...turn.state.offers.values()]) {
    if (offer.frameworkId === frameworkId) turn.state.offers.delete(offer.id);
  }
}
