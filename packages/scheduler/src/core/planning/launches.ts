/** From a waiting node and an offer to a launch: record, open the epoch, accept. */
import type { LeftBehind, NodeId, NodeRecord, NodeVolumes, Purpose } from '@mesos-elasticsearch/contract';
import type { Offer } from '@mesos-elasticsearch/mesos-v1';
import { buildTask, claimFor, publishHostOf } from '../launch.ts';
import { kindsNow, nodeVolumesOf } from '../migration/volumes.ts';
import { heldNodes, leaseOf, nodeNameOf, retiredVolumesNow, subscribedFrameworkId } from '../model.ts';
import { suspectPolicyNow, wantedSize } from '../model.ts';
import type { LaunchIntent, Model } from '../model.ts';
import { isIsolated, mountingObstacle } from '../mounting.ts';
import { evaluateOffer } from '../offers/evaluate.ts';
import type { EvaluationOutcome } from '../offers/outcome.ts';
import type { Candidate } from '../offers/rules.ts';
import type { Step, StepOf } from '../steps.ts';
import { executorIdOf, makeTaskId } from '../task-id.ts';
import * as transition from '../transitions.ts';
import {
  closeEpoch,
  hasLeaseExpired,
  haveFormersEnded,
  isEpochClosed,
  recordNode,
  waitFor,
  type PlanContext,
} from './context.ts';
import { obstacleOfTurn, purposeOf } from './migration-launch.ts';
import { seedHosts } from './upkeep.ts';

/** Carries on what was begun. Its node's record is durable already. */
export function planLaunchesUnderWay(context: PlanContext): Step[] {
  const { model, desired, now } = context;
  return [...model.launches].flatMap(([nodeId, intent]): Step[] => {
    const record = model.nodes.get(nodeId)?.record;
    if (record?.holder?.taskId !== intent.taskId || record.phase !== 'assigned') return [];
    if (!model.offers.has(intent.offerId)) {
      const why = 'offer-gone: the offer was withdrawn before it was accepted';
      return [recordNode(model, transition.suspected(record, why, now.wallMs))];
    }
    if (intent.epochOpened) {
      return [{ kind: 'accept', nodeId, intent, refuseMs: desired.timing.refuseShortMs }];
    }
    const { leaseService } = model;
    if (leaseService.state === 'fails' && now.monotonicMs < leaseService.retryAtMs) {
      return [waitFor('lease-service-answers', leaseService.error, nodeId)];
    }
    return [{ kind: 'open-epoch', nodeId, epoch: record.epoch }];
  });
}

/** Nodes that wait for a launch, lowest ID first: vacancies, and those whose process is known to be gone. */
export function waitingNodes(model: Model): NodeId[] {
  const gone = heldNodes(model).filter(
    ({ phase, holder }) => phase === 'releasing' || (phase === 'migrating' && holder === undefined),
  );
  return [...model.vacancies, ...gone.map((record) => record.nodeId)].sort((a, b) => a - b);
}

export interface Readiness {
  readonly candidates: readonly Candidate[];
  /** Steps that must come first, and waits for those that may not be launched yet. */
  readonly steps: readonly Step[];
}

/** Which of the waiting nodes may be launched now, whatever the offers. */
export function readyNodes(context: PlanContext, busy: ReadonlySet<number>): Readiness {
  const candidates: Candidate[] = [];
  const steps: Step[] = [];
  for (const nodeId of waitingNodes(context.model)) {
    if (busy.has(nodeId)) continue;
    const record = context.model.nodes.get(nodeId)?.record;
    const obstacle = obstacleTo(context, nodeId, record);
    if (obstacle === undefined) {
      const purpose = purposeOf(record);
      candidates.push({ nodeId, record, purpose, mayLeaveAgent: mayLeaveAgent(context, record) });
    } else steps.push(obstacle);
  }
  return { candidates, steps };
}

function obstacleTo(context: PlanContext, nodeId: NodeId, record: NodeRecord | undefined): Step | undefined {
  const { model, now, desired } = context;
  if (record !== undefined && !isEpochClosed(context, record))
    return closeEpoch(context, record, 'one-holder');
  if (model.fences.get(nodeId)?.outcome === 'under-way') {
    const what = 'a fence command for its former host is under way, and would hit the next holder there';
    return waitFor('preempt-revokes', what, nodeId);
  }
  const ofTurn = record === undefined ? undefined : obstacleOfTurn(model, record);
  if (ofTurn !== undefined) return ofTurn;
  const failures = model.failures.get(nodeId);
  if (failures !== undefined && now.monotonicMs < failures.notBeforeMs) {
    return waitFor('relaunch-backoff', `failed ${failures.count} times, last: ${failures.last}`, nodeId);
  }
  const refused = record?.phase === 'retired' && record.wipe !== true;
  if (refused && retiredVolumesNow(desired, model) === 'refuse') {
    const what =
      'its volumes hold data from before it was retired: say keep or wipe (nodes reuse, or retiredVolumes)';
    return waitFor('retired-volumes', what, nodeId);
  }
  const unmountable = mountingObstacle(
    desired,
    purposeOf(record),
    transition.volumesFor(record, newVolumesOf(context, nodeId)),
  );
  if (unmountable !== undefined) return waitFor('isolator-can-mount', unmountable, nodeId);
  const framework = model.framework?.record;
  const name = nodeNameOf(desired.framework.name, nodeId);
  if (framework?.bootstrapped === false && framework.initialMasterNodes?.includes(name) !== true) {
    const masters = framework.initialMasterNodes?.join(', ') ?? 'not chosen yet';
    return waitFor(
      'initial-masters-together',
      `waits until the first masters have formed a cluster: ${masters}`,
      nodeId,
    );
  }
  return undefined;
}

function newVolumesOf({ desired, model }: PlanContext, nodeId: NodeId): NodeVolumes {
  return nodeVolumesOf(desired.framework.name, nodeId, kindsNow(desired, model));
}

/** That the master lost the agent meanwhile proves nothing about what is mounted there. */
function mayLeaveAgent(context: PlanContext, record: NodeRecord | undefined): boolean {
  if (record === undefined) return true;
  const view = leaseOf(context.model, record);
  const neverAttached = view?.state === 'closed' && view.lease === undefined && !view.isLost;
  const expired = neverAttached || hasLeaseExpired(context, record, view);
  return context.desired.safety.mayLeaveAgent(record, expired && haveFormersEnded(context, record));
}

export interface OfferPlan {
  readonly assign: StepOf<'assign'> | undefined;
  readonly outcomes: readonly EvaluationOutcome[];
}

/** Agent → the node of ours that has a holder there. */
export function agentsInUse(model: Model): ReadonlyMap<string, NodeId> {
  return new Map(
    heldNodes(model).flatMap((record) =>
      record.holder === undefined ? [] : [[record.holder.agentId, record.nodeId] as const],
    ),
  );
}

/** All offers on hand against all ready nodes; the first match is assigned, the rest is looked at again afterwards. */
export function matchOffers(context: PlanContext, candidates: readonly Candidate[]): OfferPlan {
  const { model, desired, now } = context;
  const surplus = surplusNodes(model);
  // A turn that has begun ends, wanted or not: its node is retired after it.
  const wanted = candidates.filter(({ nodeId, purpose }) => purpose === 'migrate' || !surplus.has(nodeId));
  const outcomes: EvaluationOutcome[] = [];
  for (const offer of homeFirst(unusedOffers(model), wanted)) {
    const { outcome, candidate } = evaluateOffer(offer, wanted, {
      desired,
      agentsInUse: agentsInUse(model),
      wallMs: now.wallMs,
    });
    outcomes.push(outcome);
    const assign =
      candidate === undefined ? undefined : assignStep(context, candidate, offer, candidate.purpose);
    if (assign !== undefined) return { assign, outcomes };
  }
  return { assign: releaseTask(context, candidates), outcomes };
}

/** What is copied is copied where it was used, if there is an offer of that agent. */
function homeFirst(offers: readonly Offer[], candidates: readonly Candidate[]): readonly Offer[] {
  const homes = new Set(
    candidates.flatMap(({ purpose, record }) => (purpose === 'migrate' ? [record?.lastAgent?.agentId] : [])),
  );
  if (homes.size === 0) return offers;
  const isHome = ({ agentId }: Offer) => homes.has(agentId);
  return [...offers.filter(isHome), ...offers.filter((offer) => !isHome(offer))];
}

/**
 * What is gone and still mounted, on an agent that cannot run the node now (too small an offer, maintenance, other
 * attributes) or of a node that is not wanted any more: a task there that ends and unmounts, and nothing else. It is
 * an epoch of its own, so that it holds the lease like any other holder and nobody can be beside it.
 */
function releaseTask(context: PlanContext, candidates: readonly Candidate[]): StepOf<'assign'> | undefined {
  for (const candidate of candidates) {
    const { record, mayLeaveAgent } = candidate;
    const surplus = surplusNodes(context.model).has(candidate.nodeId);
    if (record?.phase !== 'releasing' || (mayLeaveAgent && !surplus)) continue;
    const there = unusedOffers(context.model).find(({ agentId }) => agentId === record.holder?.agentId);
    const assign = there === undefined ? undefined : assignStep(context, candidate, there, 'release');
    if (assign !== undefined) return assign;
  }
  return undefined;
}

/** Of the nodes that have a holder, those above the wanted size: the highest node IDs. */
export function surplusNodes(model: Model): ReadonlySet<NodeId> {
  const held = heldNodes(model)
    .map(({ nodeId }) => nodeId)
    .sort((a, b) => a - b);
  return new Set(held.slice(wantedSize(model)));
}

/** A releasing holder never let go of what it attached; its lease tells from when on it has ended for certain. */
function leftBehindOf({ model }: PlanContext, before: NodeRecord | undefined): readonly LeftBehind[] {
  const known = before?.leftBehind ?? [];
  if (before?.phase !== 'releasing' || before.holder === undefined) return known;
  const view = leaseOf(model, before);
  const lease = view?.lease;
  if (lease === undefined && view?.isLost !== true) return known;
  const { agentId, taskId } = before.holder;
  const fences = before.suspectPolicy === 'fence' && lease?.selfFencing === true && lease.guarded;
  const isolated = before.isolated === true ? { isolated: true } : {};
  return [...known, { agentId, taskId, ...isolated, ...(fences ? { fencedAfterMs: lease.durationMs } : {}) }];
}

function wipedIfRetired(
  { desired, model }: PlanContext,
  record: NodeRecord | undefined,
): NodeRecord | undefined {
  if (record?.phase !== 'retired' || retiredVolumesNow(desired, model) !== 'wipe') return record;
  return { ...record, wipe: true };
}

/** Offers that no launch under way has in hand. */
export function unusedOffers(model: Model): Offer[] {
  const used = new Set([...model.launches.values()].map((intent) => intent.offerId));
  return [...model.offers.values()].filter((offer) => !used.has(offer.id));
}

function assignStep(
  context: PlanContext,
  candidate: Candidate,
  offer: Offer,
  purpose: Purpose,
): StepOf<'assign'> | undefined {
  const { desired, model, now } = context;
  const { nodeId } = candidate;
  const frameworkId = subscribedFrameworkId(model);
  const framework = model.framework?.record;
  const claim = claimFor(purpose, desired, offer);
  if (claim === undefined || frameworkId === undefined || framework === undefined) return undefined;
  const before = wipedIfRetired(context, candidate.record);
  const taskId = makeTaskId(desired.framework.name, nodeId, (before?.epoch ?? 0) + 1, context.uuid);
  const holder = {
    taskId,
    executorId: executorIdOf(taskId),
    agentId: offer.agentId,
    host: offer.hostname,
    frameworkId,
  };
  const publishHost = publishHostOf(desired, offer);
  const { http, transport } = claim.ports;
  const addresses = { http: `${publishHost}:${http}`, transport: `${publishHost}:${transport}` };
  const record = transition.assigned(before, {
    nodeId,
    holder,
    purpose,
    policy: suspectPolicyNow(desired, model),
    addresses: purpose === 'run' ? addresses : undefined,
    leftBehind: leftBehindOf(context, before),
    newVolumes: newVolumesOf(context, nodeId),
    isolated: isIsolated(desired, purpose),
    wallMs: now.wallMs,
  });
  const task = buildTask(desired, { record, offer, claim, framework, seedHosts: seedHosts(model, nodeId) });
  const relaunch = (before?.epoch ?? 0) > 0;
  const intent: LaunchIntent = { taskId, offerId: offer.id, task, relaunch, epochOpened: false };
  return { kind: 'assign', record, expected: model.nodes.get(nodeId)?.version ?? 0, intent };
}
