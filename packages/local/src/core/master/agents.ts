/** Registration, disconnection, loss and return of agents. */
import { agentId as parseAgentId, isTerminal } from '@mesos-elasticsearch/mesos-v1';
import type { AgentId, FrameworkId, TaskId } from '@mesos-elasticsearch/mesos-v1';
import type { AgentRegistration, TaskRecord, ToMaster } from '../link-protocol.ts';
import { allocate } from './allocate.ts';
import { rescindOffersOf } from './offers.ts';
import {
  executorKey,
  isPartitionAware,
  log,
  masterUpdate,
  saveRegistry,
  sendTo,
  stateFor,
  taskKey,
  tellAgent,
} from './state.ts';
import type { Agent, LinkId, Turn } from './state.ts';

const NS_PER_MS = 1_000_000n;

export function register(turn: Turn, link: LinkId, agent: AgentRegistration): void {
  const { state, now } = turn;
  const id = agent.agentId ?? parseAgentId(`${state.config.masterInfo.id}-S${state.counters.agent++}`);
  const previous = state.agents.get(id);
  if (previous?.link !== undefined) turn.effects.push({ kind: 'CLOSE_LINK', link: previous.link });
  if (previous !== undefined) rescindOffersOf(turn, id);
  const returning = state.unreachable.has(id);
  state.unreachable.delete(id);
  state.recovered.delete(id);
  state.agents.set(id, {
    id,
    hostname: agent.hostname,
    ip: agent.ip,
    port: agent.port,
    // Dynamic reservations are the master's to remember while it lives.
    resources: previous?.resources ?? agent.resources,
    attributes: agent.attributes,
    link,
    pingLink: undefined,
    pingAt: now + state.config.agentPingTimeoutMs,
    pongPending: false,
    missedPongs: 0,
    reregisterBy: undefined,
  });
  saveRegistry(turn);
  const { agentPingTimeoutMs, maxAgentPingTimeouts } = state.config;
  const totalPingTimeoutMs = agentPingTimeoutMs * maxAgentPingTimeouts;
  tellAgent(turn, id, { type: 'REGISTERED', agentId: id, totalPingTimeoutMs });
  tellAgent(turn, id, { type: 'PING' });
  adopt(turn, id, agent, returning);
  missing(turn, id, agent);
  log(turn, returning ? 'unreachable agent returned' : 'agent registered', {
    agentId: id,
    hostname: agent.hostname,
  });
  allocate(turn);
}

/**
 * What the agent says it runs becomes the master's truth. Of an agent that had been unreachable, frameworks
 * that are not PARTITION_AWARE were told LOST: their executors there are shut down (Mesos before 1.5).
 */
function adopt(turn: Turn, id: AgentId, agent: AgentRegistration, returning: boolean): void {
  const { frameworks, tasks, unreachableTasks, executors, completed } = turn.state;
  const shutdown = new Set<FrameworkId>();
  for (const { frameworkId } of [...agent.tasks, ...agent.executors]) {
    const framework = frameworks.get(frameworkId);
    const toldLost = returning && framework !== undefined && !isPartitionAware(framework.info);
    if (completed.includes(frameworkId) || toldLost) shutdown.add(frameworkId);
  }
  for (const [key, task] of unreachableTasks) if (task.agentId === id) unreachableTasks.delete(key);
  for (const [key, executor] of executors) if (executor.agentId === id) executors.delete(key);
  for (const executor of agent.executors) {
    if (completed.includes(executor.frameworkId)) continue;
    executors.set(executorKey(id, executor.frameworkId, executor.executorId), { ...executor, agentId: id });
  }
  for (const task of agent.tasks) {
    if (!shutdown.has(task.frameworkId))
      tasks.set(taskKey(task.frameworkId, task.taskId), { ...task, agentId: id });
  }
  for (const frameworkId of shutdown) tellAgent(turn, id, { type: 'SHUTDOWN_FRAMEWORK', frameworkId });
}

/** Tasks that we know and the agent did not list, and kills that waited for it. */
function missing(turn: Turn, id: AgentId, agent: AgentRegistration): void {
  const listed = new Set(agent.tasks.map((task) => taskKey(task.frameworkId, task.taskId)));
  const absent = new Map<FrameworkId, TaskId[]>();
  for (const [key, task] of turn.state.tasks) {
    if (task.agentId !== id) continue;
    if (!listed.has(key) && !isTerminal(task.state)) {
      absent.set(task.frameworkId, [...(absent.get(task.frameworkId) ?? []), task.taskId]);
    }
    const framework = turn.state.frameworks.get(task.frameworkId);
    if (framework !== undefined && turn.state.pendingKills.delete(key)) {
      tellAgent(turn, id, { type: 'KILL_TASK', framework: framework.info, taskId: task.taskId });
    }
  }
  for (const [frameworkId, taskIds] of absent) {
    const framework = turn.state.frameworks.get(frameworkId);
    if (framework) tellAgent(turn, id, { type: 'RECONCILE_TASKS', framework: framework.info, taskIds });
  }
}

function agentOf(turn: Turn, link: LinkId): Agent | undefined {
  return [...turn.state.agents.values()].find((agent) => agent.link === link);
}

/** It answers pings from now on, so that a long recovery is not taken for death. */
export function recovering(turn: Turn, link: LinkId, id: AgentId): void {
  const agent = turn.state.agents.get(id);
  if (agent && agent.link === undefined) {
    turn.state.agents.set(id, { ...agent, pingLink: link, pongPending: false, missedPongs: 0 });
  }
}

export function pong(turn: Turn, link: LinkId): void {
  const agent = [...turn.state.agents.values()].find((each) => [each.link, each.pingLink].includes(link));
  if (agent) turn.state.agents.set(agent.id, { ...agent, pongPending: false, missedPongs: 0 });
}

/** The connection broke: offers are rescinded, the agent may come back within its time. */
export function linkClosed(turn: Turn, link: LinkId): void {
  const agent = agentOf(turn, link);
  if (agent === undefined) {
    const waiting = [...turn.state.agents.values()].find((each) => each.pingLink === link);
    if (waiting) turn.state.agents.set(waiting.id, { ...waiting, pingLink: undefined });
    return;
  }
  rescindOffersOf(turn, agent.id);
  const reregisterBy = turn.now + turn.state.config.agentReregisterTimeoutMs;
  turn.state.agents.set(agent.id, { ...agent, link: undefined, reregisterBy });
  log(turn, 'agent disconnected', { agentId: agent.id, hostname: agent.hostname });
  for (const [key, task] of turn.state.tasks) {
    const framework = turn.state.frameworks.get(task.frameworkId);
    if (task.agentId !== agent.id || framework === undefined || framework.info.checkpoint === true) continue;
    if (!isTerminal(task.state)) {
      masterUpdate(turn, task.frameworkId, {
        ...identityOf(task),
        state: 'TASK_LOST',
        reason: 'REASON_AGENT_DISCONNECTED',
        message: `Agent ${agent.hostname} disconnected`,
      });
    }
    turn.state.tasks.delete(key);
  }
}

function identityOf(task: TaskRecord) {
  const { taskId, agentId, executorId } = task;
  return { taskId, agentId, ...(executorId === undefined ? {} : { executorId }) };
}

/** Order as recorded: the tasks' updates, then RESCIND, then FAILURE to every framework. */
export function markUnreachable(turn: Turn, agent: Agent, why: string): void {
  const { state, now } = turn;
  const since = BigInt(Math.round(now)) * NS_PER_MS;
  for (const [key, task] of state.tasks) {
    if (task.agentId !== agent.id) continue;
    state.tasks.delete(key);
    if (isTerminal(task.state)) continue;
    state.unreachableTasks.set(key, task);
    masterUpdate(turn, task.frameworkId, {
      ...identityOf(task),
      state: stateFor(state.frameworks.get(task.frameworkId)?.info, 'TASK_UNREACHABLE'),
      reason: 'REASON_AGENT_REMOVED',
      message: `Agent ${agent.hostname} is unreachable: ${why}`,
      unreachableTime: { nanoseconds: since },
    });
  }
  for (const [key, executor] of state.executors)
    if (executor.agentId === agent.id) state.executors.delete(key);
  rescindOffersOf(turn, agent.id);
  state.agents.delete(agent.id);
  state.unreachable.set(agent.id, { since, hostname: agent.hostname });
  saveRegistry(turn);
  announceLoss(turn, agent.id);
  log(turn, 'agent unreachable', { agentId: agent.id, hostname: agent.hostname, why });
  if (agent.link !== undefined) turn.effects.push({ kind: 'CLOSE_LINK', link: agent.link });
}

function announceLoss(turn: Turn, agentId: AgentId): void {
  for (const frameworkId of turn.state.frameworks.keys()) {
    sendTo(turn, frameworkId, { type: 'FAILURE', failure: { agentId } });
  }
}

/** Pings that are due, agents that stayed silent, and those that did not come back in time. */
export function tickAgents(turn: Turn): void {
  for (const agent of [...turn.state.agents.values()]) {
    // A disconnected agent is pinged on: whichever limit comes first decides.
    if ((agent.reregisterBy ?? Infinity) <= turn.now) {
      markUnreachable(turn, agent, 'agent did not re-register');
    } else if (agent.pingAt <= turn.now) ping(turn, agent);
  }
  for (const [id, { deadline, hostname }] of [...turn.state.recovered]) {
    if (deadline > turn.now) continue;
    turn.state.recovered.delete(id);
    turn.state.unreachable.set(id, { since: BigInt(Math.round(turn.now)) * NS_PER_MS, hostname });
    saveRegistry(turn);
    announceLoss(turn, id);
  }
}

function ping(turn: Turn, agent: Agent): void {
  const { agentPingTimeoutMs, maxAgentPingTimeouts } = turn.state.config;
  const missedPongs = agent.pongPending ? agent.missedPongs + 1 : 0;
  if (missedPongs >= maxAgentPingTimeouts) {
    markUnreachable(turn, agent, 'health check timed out');
    return;
  }
  const pingAt = turn.now + agentPingTimeoutMs;
  turn.state.agents.set(agent.id, { ...agent, missedPongs, pongPending: true, pingAt });
  const link = agent.link ?? agent.pingLink;
  if (link !== undefined) turn.effects.push({ kind: 'TELL_AGENT', link, message: { type: 'PING' } });
}

export function executorExited(
  turn: Turn,
  link: LinkId,
  exit: Extract<ToMaster, { type: 'EXECUTOR_EXITED' }>,
): void {
  const agent = agentOf(turn, link);
  if (agent === undefined) return;
  const { frameworkId, executorId, status } = exit;
  turn.state.executors.delete(executorKey(agent.id, frameworkId, executorId));
  if (exit.silent) return;
  sendTo(turn, frameworkId, { type: 'FAILURE', failure: { agentId: agent.id, executorId, status } });
}

export function executorMessage(
  turn: Turn,
  link: LinkId,
  message: Extract<ToMaster, { type: 'EXECUTOR_MESSAGE' }>,
): void {
  const agent = agentOf(turn, link);
  if (agent === undefined) return;
  const { frameworkId, executorId, data } = message;
  sendTo(turn, frameworkId, { type: 'MESSAGE', message: { agentId: agent.id, executorId, data } });
}

export function isCurrentLink(turn: Turn, link: LinkId): boolean {
  return agentOf(turn, link) !== undefined;
}
