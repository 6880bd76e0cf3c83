/** Subscription, failover, disconnection and removal of frameworks. */
import { frameworkId as parseFrameworkId } from '@mesos-elasticsearch/mesos-v1';
import type { AgentId, FrameworkId, FrameworkInfo, StreamId } from '@mesos-elasticsearch/mesos-v1';
import { allocate } from './allocate.ts';
import { dropOffersOf } from './offers.ts';
import { hasCapability, log, sendTo, tellAgent } from './state.ts';
import type { Framework, Turn } from './state.ts';

const COMPLETED_FRAMEWORKS_KEPT = 50;
const MAX_FAILOVER_MS = 2 ** 52;

export interface Subscription {
  readonly streamId: StreamId;
  readonly info: FrameworkInfo;
  readonly suppressedRoles: readonly string[];
}

function refuseSubscription(turn: Turn, streamId: StreamId, message: string): void {
  turn.effects.push({ kind: 'SEND', streamId, event: { type: 'ERROR', error: { message } } });
  turn.effects.push({ kind: 'CLOSE_STREAM', streamId });
}

function rolesFault(info: FrameworkInfo): string | undefined {
  const multiRole = hasCapability(info, 'MULTI_ROLE');
  if (multiRole && info.role !== undefined) {
    return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable";
  }
  if (!multiRole && (info.roles ?? []).length > 0) {
    return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
  }
  return undefined;
}

function fault(turn: Turn, info: FrameworkInfo): string | undefined {
  const known = info.id === undefined ? undefined : turn.state.frameworks.get(info.id);
  if (info.id !== undefined && turn.state.completed.includes(info.id)) return 'Framework has been removed';
  if (known && known.info.principal !== info.principal)
    return "Changing framework's principal is not allowed.";
  return rolesFault(info);
}

/** The first role only: an offer here is always for one role per framework. */
function roleOf(info: FrameworkInfo): string | undefined {
  return hasCapability(info, 'MULTI_ROLE') ? info.roles?.[0] : (info.role ?? '*');
}

export function subscribe(turn: Turn, { streamId, info, suppressedRoles }: Subscription): void {
  const wrong = fault(turn, info);
  if (wrong !== undefined) {
    refuseSubscription(turn, streamId, wrong);
    return;
  }
  const known = info.id === undefined ? undefined : turn.state.frameworks.get(info.id);
  if (known?.streamId !== undefined) takeOver(turn, known, known.streamId);
  const id = info.id ?? nextFrameworkId(turn);
  const role = roleOf(info);
  turn.state.frameworks.set(id, {
    id,
    // user and checkpoint of a known framework do not change.
    info: { ...info, id, ...(known ? kept(known.info) : {}) },
    role,
    streamId,
    suppressed: role !== undefined && suppressedRoles.includes(role),
    filters: known?.filters ?? [],
    heartbeatAt: turn.now + turn.state.config.heartbeatMs,
    removeAt: undefined,
  });
  const { heartbeatMs, masterInfo } = turn.state.config;
  sendTo(turn, id, {
    type: 'SUBSCRIBED',
    subscribed: { frameworkId: id, heartbeatIntervalSeconds: heartbeatMs / 1000, masterInfo },
  });
  sendTo(turn, id, { type: 'HEARTBEAT' });
  log(turn, 'framework subscribed', { frameworkId: id, name: info.name });
  allocate(turn);
}

function kept(info: FrameworkInfo): Partial<FrameworkInfo> {
  return { user: info.user, ...(info.checkpoint === undefined ? {} : { checkpoint: info.checkpoint }) };
}

/** The newcomer always wins; the old stream hears why. Offers vanish without RESCIND, filters stay. */
function takeOver(turn: Turn, framework: Framework, oldStream: StreamId): void {
  refuseSubscription(turn, oldStream, 'Framework failed over');
  dropOffersOf(turn, framework.id);
}

function nextFrameworkId(turn: Turn): FrameworkId {
  const number = String(turn.state.counters.framework++).padStart(4, '0');
  return parseFrameworkId(`${turn.state.config.masterInfo.id}-${number}`);
}

/** A stream broke. Offers and filters are gone; failover_timeout starts. */
export function streamClosed(turn: Turn, streamId: StreamId): void {
  const framework = [...turn.state.frameworks.values()].find((each) => each.streamId === streamId);
  if (framework === undefined) return;
  dropOffersOf(turn, framework.id);
  const failoverMs = Math.min((framework.info.failoverTimeout ?? 0) * 1000, MAX_FAILOVER_MS);
  turn.state.frameworks.set(framework.id, {
    ...framework,
    streamId: undefined,
    filters: [],
    removeAt: turn.now + failoverMs,
  });
  log(turn, 'framework disconnected', { frameworkId: framework.id, failoverMs });
}

/** TEARDOWN or failover_timeout passed: everything of it is shut down and its id is used up. */
export function removeFramework(turn: Turn, frameworkId: FrameworkId): void {
  const framework = turn.state.frameworks.get(frameworkId);
  if (framework === undefined) return;
  const { tasks, unreachableTasks, executors } = turn.state;
  dropOffersOf(turn, frameworkId);
  const involved = new Set<AgentId>();
  for (const [key, task] of tasks) {
    if (task.frameworkId !== frameworkId) continue;
    involved.add(task.agentId);
    tasks.delete(key);
  }
  for (const [key, executor] of executors) {
    if (executor.frameworkId !== frameworkId) continue;
    involved.add(executor.agentId);
    executors.delete(key);
  }
  for (const [key, task] of unreachableTasks)
    if (task.frameworkId === frameworkId) unreachableTasks.delete(key);
  for (const agentId of involved) tellAgent(turn, agentId, { type: 'SHUTDOWN_FRAMEWORK', frameworkId });
  turn.state.frameworks.delete(frameworkId);
  const completed = [...turn.state.completed, frameworkId].slice(-COMPLETED_FRAMEWORKS_KEPT);
  turn.state = { ...turn.state, completed };
  if (framework.streamId !== undefined)
    turn.effects.push({ kind: 'CLOSE_STREAM', streamId: framework.streamId });
  log(turn, 'framework removed', { frameworkId });
}

/** Heartbeats that are due, and disconnected frameworks whose time is up. */
export function tickFrameworks(turn: Turn): void {
  for (const framework of [...turn.state.frameworks.values()]) {
    if (framework.removeAt !== undefined && framework.removeAt <= turn.now) {
      removeFramework(turn, framework.id);
    } else if (framework.streamId !== undefined && framework.heartbeatAt <= turn.now) {
      sendTo(turn, framework.id, { type: 'HEARTBEAT' });
      const heartbeatAt = turn.now + turn.state.config.heartbeatMs;
      turn.state.frameworks.set(framework.id, { ...framework, heartbeatAt });
    }
  }
}
