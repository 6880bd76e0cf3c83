/** The offer rules, each a function of one offer and one waiting node. All are evaluated, whatever the others say. */
import type { NodeId, NodeRecord } from '@mesos-elasticsearch/contract';
import { pickPorts, sumScalar, type Offer, type PortNeed } from '@mesos-elasticsearch/mesos-v1';
import type { DesiredCluster } from '../model.ts';
import { judged, passed, type EvaluationOutcome } from './outcome.ts';

/** A node that waits for an offer. */
export interface Candidate {
  readonly nodeId: NodeId;
  /** Absent before the first assignment. */
  readonly record: NodeRecord | undefined;
  /** migrate: its volumes are copied, nothing runs on them. */
  readonly purpose: 'run' | 'migrate';
  /** Its volumes may be attached elsewhere than on its former agent: the lease has expired, or that agent is lost. */
  readonly mayLeaveAgent: boolean;
}

export interface OfferContext {
  readonly desired: DesiredCluster;
  readonly candidate: Candidate;
  /** Agent → the node of ours that has a holder there. */
  readonly agentsInUse: ReadonlyMap<string, NodeId>;
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
}

export type OfferRule = (offer: Offer, context: OfferContext) => EvaluationOutcome;

export const oneNodePerAgent: OfferRule = (offer, { agentsInUse, candidate }) => {
  const other = agentsInUse.get(offer.agentId);
  const free = other === undefined || other === candidate.nodeId;
  return judged(free, 'one-node-per-agent', free ? 'no other node of ours there' : `node ${other} is there`);
};

export const volumeAttachedElsewhere: OfferRule = (offer, { candidate }) => {
  const { record, mayLeaveAgent } = candidate;
  if (record?.phase !== 'releasing' || record.holder === undefined) {
    return passed('volume-attached-elsewhere', 'the volumes are attached nowhere we know of');
  }
  if (record.holder.agentId === offer.agentId) {
    return passed('volume-attached-elsewhere', 'the volumes may still be mounted on this very agent');
  }
  return judged(
    mayLeaveAgent,
    'volume-attached-elsewhere',
    mayLeaveAgent
      ? 'the former agent is lost or the lease has expired'
      : `the volumes may still be mounted on ${record.holder.host}`,
  );
};

/** Whatever made it silent there may still be so, and a fence command may still be at work. */
const FENCED: ReadonlySet<string> = new Set(['lease-expired', 'preempted']);

export const avoidsFormerAgent: OfferRule = (offer, { candidate, desired, wallMs }) => {
  const { record } = candidate;
  const hasNoHolder = record?.phase === 'vacant' || record?.phase === 'migrating';
  const former = hasNoHolder ? record.lastAgent : undefined;
  const fresh = record !== undefined && wallMs - record.since < desired.timing.avoidAgentMs;
  const avoid = former !== undefined && FENCED.has(former.left) && former.agentId === offer.agentId && fresh;
  return judged(
    !avoid,
    'avoids-former-agent',
    avoid ? 'it was fenced on this agent a moment ago' : 'no reason to avoid it',
  );
};

/** An agent whose executor has just ended offers what it held within seconds. */
const HOME_OFFER_MS = 60_000;
/** The agent was reachable, and its executor detached in order. */
const IN_ORDER: ReadonlySet<string> = new Set(['released', 'lease-given-back']);

/**
 * A driver that writes back may have something of the volume on the agent where it was last attached, and nowhere else
 * yet. Only for a while: an agent that is full or drained must not hold up the migration for ever.
 */
export const copiesAtHome: OfferRule = (offer, { candidate, wallMs }) => {
  const { record, purpose } = candidate;
  const home = purpose === 'migrate' && record?.phase === 'migrating' ? record.lastAgent : undefined;
  if (home === undefined || home.agentId === offer.agentId || !IN_ORDER.has(home.left))
    return passed('copies-at-home', 'no reason to wait for another agent');
  const waitedMs = wallMs - (record?.since ?? 0);
  return judged(
    waitedMs >= HOME_OFFER_MS,
    'copies-at-home',
    waitedMs >= HOME_OFFER_MS
      ? `${home.host} has offered nothing that suits`
      : `its volumes were attached on ${home.host} last`,
  );
};

export const sticksToAgent: OfferRule = (offer, { candidate }) => {
  const former = candidate.record?.dataOnRecord === true ? candidate.record.lastAgent : undefined;
  const home = candidate.record?.holder?.agentId ?? former?.agentId;
  return judged(
    home === undefined || home === offer.agentId,
    'sticks-to-agent',
    home === undefined ? 'the node has no data yet' : `its data is on agent ${home}`,
  );
};

export const agentAvailable: OfferRule = (offer) =>
  judged(
    offer.unavailability === undefined,
    'agent-available',
    offer.unavailability === undefined ? 'no maintenance planned' : 'maintenance is planned for this agent',
  );

export const agentAttributes: OfferRule = (offer, { desired }) => {
  const wanted = Object.entries(desired.cluster.agentAttributes ?? {});
  const missing = wanted.filter(
    ([name, value]) =>
      !(offer.attributes ?? []).some((has) => has.name === name && has.text?.value === value),
  );
  const list = missing.map(([name, value]) => `${name}=${value}`).join(', ');
  return judged(missing.length === 0, 'agent-attributes', list === '' ? 'all there' : `missing: ${list}`);
};

/** Roles whose reservations we may use; unreserved resources always are. */
export function rolesOf({ framework }: DesiredCluster): string[] {
  return framework.role === '*' ? [] : [framework.role];
}

/** Any two ports, or exactly the user's: HTTP, then transport. */
export function portsWanted({ node }: DesiredCluster): PortNeed {
  return node.ports === 'any' ? 2 : [node.ports.http, node.ports.transport];
}

function scalarRule(name: 'cpus' | 'mem' | 'disk', wanted: (context: OfferContext) => number): OfferRule {
  return (offer, context) => {
    const there = sumScalar(offer.resources ?? [], name, rolesOf(context.desired));
    const need = wanted(context);
    return judged(there >= need, name, `wanted ${need}, offered ${there}`);
  };
}
export const cpus = scalarRule(
  'cpus',
  ({ desired: { node, executor }, candidate }) =>
    executor.cpus + (candidate.purpose === 'run' ? node.cpus : MIGRATE_TASK.cpus),
);
export const mem = scalarRule(
  'mem',
  ({ desired: { node, executor }, candidate }) =>
    executor.memMb + (candidate.purpose === 'run' ? node.memMb : MIGRATE_TASK.mem),
);
export const disk = scalarRule('disk', ({ desired }) => desired.node.diskMb);

/** What a task that copies takes for itself: one stream of files, read and written in pieces. */
export const MIGRATE_TASK = { cpus: 0.1, mem: 256 } as const;

export const ports: OfferRule = (offer, { desired }) => {
  const need = portsWanted(desired);
  const text = typeof need === 'number' ? `any ${need}` : need.join(' and ');
  const there = pickPorts(offer.resources ?? [], need, rolesOf(desired)) !== null;
  return judged(there, 'ports', `wanted ${text}, ${there ? 'offered' : 'not offered'}`);
};
