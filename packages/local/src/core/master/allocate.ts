/** Who is offered what: per agent, the eligible framework with the smallest dominant share gets all that is free. */
import { offerId as parseOfferId } from '@mesos-elasticsearch/mesos-v1';
import type { AgentId, FrameworkId, Offer, OfferId, Resource } from '@mesos-elasticsearch/mesos-v1';
import { contains, isTerminal, reservedRole } from '@mesos-elasticsearch/mesos-v1';
import { allocatedTo, leftOf, pooled, total } from '../resources.ts';
import { hasCapability, sendTo } from './state.ts';
import type { Agent, Framework, MasterState, Turn } from './state.ts';

const MIN_CPUS = 0.01;
const MIN_MEM_MB = 32;

/** Used by tasks and executors on that agent; terminal tasks use nothing, acknowledged or not. */
export function usedOn(state: MasterState, agentId: AgentId): Resource[] {
  const tasks = [...state.tasks.values()]
    .filter((task) => task.agentId === agentId && !isTerminal(task.state))
    .map((task) => task.resources);
  const executors = [...state.executors.values()]
    .filter((executor) => executor.agentId === agentId)
    .map((executor) => executor.info.resources ?? []);
  return pooled(...tasks, ...executors);
}

export function freeOn(state: MasterState, agent: Agent): Resource[] {
  const offered = [...state.offers.values()]
    .filter((offer) => offer.agentId === agent.id)
    .map((offer) => offer.resources);
  return leftOf(leftOf(agent.resources, usedOn(state, agent.id)), pooled(...offered));
}

function dominantShare(state: MasterState, framework: Framework): number {
  const mine = pooled(
    ...[...state.tasks.values()]
      .filter((task) => task.frameworkId === framework.id && !isTerminal(task.state))
      .map((task) => task.resources),
    ...[...state.executors.values()]
      .filter((executor) => executor.frameworkId === framework.id)
      .map((executor) => executor.info.resources ?? []),
    ...[...state.offers.values()]
      .filter((offer) => offer.frameworkId === framework.id)
      .map((offer) => offer.resources),
  );
  const all = pooled(...[...state.agents.values()].map((agent) => agent.resources));
  const shares = ['cpus', 'mem'].map((name) => total(mine, name) / Math.max(total(all, name), 0.001));
  return Math.max(...shares);
}

function filtered(framework: Framework, agentId: AgentId, resources: readonly Resource[]): boolean {
  return framework.filters.some(
    (filter) => filter.agentId === agentId && contains(filter.refused, resources),
  );
}

function offerable(framework: Framework, agentId: AgentId, free: readonly Resource[]): Resource[] {
  const { role } = framework;
  if (role === undefined || framework.streamId === undefined || framework.suppressed) return [];
  const resources = free.filter((resource) => ['*', role].includes(reservedRole(resource) ?? '*'));
  const enough = total(resources, 'cpus') >= MIN_CPUS || total(resources, 'mem') >= MIN_MEM_MB;
  return enough && !filtered(framework, agentId, resources) ? resources : [];
}

function toOffer(turn: Turn, framework: Framework, agent: Agent, id: OfferId, resources: Resource[]): Offer {
  const executorIds = [...turn.state.executors.values()]
    .filter((executor) => executor.agentId === agent.id && executor.frameworkId === framework.id)
    .map((executor) => executor.executorId);
  const address = { hostname: agent.hostname, ip: agent.ip, port: agent.port };
  const role = framework.role ?? '*';
  const multiRole = hasCapability(framework.info, 'MULTI_ROLE');
  return {
    id,
    frameworkId: framework.id,
    agentId: agent.id,
    hostname: agent.hostname,
    resources: multiRole ? allocatedTo(role, resources) : resources,
    ...(agent.attributes.length > 0 ? { attributes: [...agent.attributes] } : {}),
    ...(executorIds.length > 0 ? { executorIds } : {}),
    url: { scheme: 'http', address, path: '/slave(1)' },
    ...(multiRole ? { allocationInfo: { role } } : {}),
  };
}

function nextOfferId(turn: Turn): OfferId {
  const number = turn.state.counters.offer++;
  return parseOfferId(`${turn.state.config.masterInfo.id}-O${number}`);
}

/** One round over all agents; each framework hears of all its new offers in one OFFERS event. */
export function allocate(turn: Turn): void {
  const { state, now } = turn;
  for (const [id, framework] of state.frameworks) {
    const filters = framework.filters.filter((filter) => filter.expiresAt > now);
    if (filters.length !== framework.filters.length) state.frameworks.set(id, { ...framework, filters });
  }
  const made = new Map<FrameworkId, Offer[]>();
  for (const agent of state.agents.values()) {
    if (agent.link === undefined) continue;
    const free = freeOn(state, agent);
    const candidates = [...state.frameworks.values()]
      .map((framework) => ({ framework, resources: offerable(framework, agent.id, free) }))
      .filter(({ resources }) => resources.length > 0)
      .sort((a, b) => dominantShare(state, a.framework) - dominantShare(state, b.framework));
    const chosen = candidates[0];
    if (chosen === undefined) continue;
    const { framework, resources } = chosen;
    const id = nextOfferId(turn);
    state.offers.set(id, { id, frameworkId: framework.id, agentId: agent.id, resources });
    const offer = toOffer(turn, framework, agent, id, resources);
    made.set(framework.id, [...(made.get(framework.id) ?? []), offer]);
  }
  for (const [frameworkId, offers] of made) {
    sendTo(turn, frameworkId, { type: 'OFFERS', offers: { offers } });
  }
  turn.state = { ...state, allocateAt: now + state.config.allocationIntervalMs };
}
