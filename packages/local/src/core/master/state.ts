/** The master's whole memory as plain data. Records are never changed in place; maps are copied per turn. */
import type {
  AgentId,
  Attribute,
  Branded,
  ExecutorId,
  FrameworkId,
  FrameworkInfo,
  MasterInfo,
  OfferId,
  Resource,
  SchedulerEvent,
  StreamId,
  TaskId,
  TaskState,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import type { ExecutorRecord, TaskRecord, ToAgent } from '../link-protocol.ts';

/** Names one connection of an agent to this master. */
export type LinkId = Branded<'LinkId'>;

export interface MasterConfig {
  readonly masterInfo: MasterInfo;
  readonly heartbeatMs: number;
  readonly allocationIntervalMs: number;
  readonly agentPingTimeoutMs: number;
  readonly maxAgentPingTimeouts: number;
  /** How long a disconnected agent, or one known from the registry, has to come back. */
  readonly agentReregisterTimeoutMs: number;
}

export interface OfferFilter {
  readonly agentId: AgentId;
  readonly refused: readonly Resource[];
  readonly expiresAt: number;
}

export interface Framework {
  readonly id: FrameworkId;
  readonly info: FrameworkInfo;
  readonly role: string | undefined;
  /** The current subscription; undefined while disconnected. */
  readonly streamId: StreamId | undefined;
  readonly suppressed: boolean;
  readonly filters: readonly OfferFilter[];
  readonly heartbeatAt: number;
  /** Set while disconnected: when failover_timeout ends. */
  readonly removeAt: number | undefined;
}

export interface Agent {
  readonly id: AgentId;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  readonly resources: readonly Resource[];
  readonly attributes: readonly Attribute[];
  /** Undefined while disconnected. */
  readonly link: LinkId | undefined;
  /** Of a restarted agent that is not ready to register yet: it answers pings. */
  readonly pingLink: LinkId | undefined;
  readonly pingAt: number;
  readonly pongPending: boolean;
  readonly missedPongs: number;
  /** Set while disconnected. */
  readonly reregisterBy: number | undefined;
}

export interface OutstandingOffer {
  readonly id: OfferId;
  readonly frameworkId: FrameworkId;
  readonly agentId: AgentId;
  readonly resources: readonly Resource[];
}

export interface UnreachableAgent {
  readonly since: bigint;
  readonly hostname: string;
}

/** What a restarted master still knows of its agents. */
export interface Registry {
  readonly agents: readonly { id: AgentId; hostname: string }[];
  readonly unreachable: readonly { id: AgentId; hostname: string; since: bigint }[];
}

export interface MasterState {
  readonly config: MasterConfig;
  readonly frameworks: Map<FrameworkId, Framework>;
  /** Ids that were torn down or timed out, oldest first. */
  readonly completed: FrameworkId[];
  readonly agents: Map<AgentId, Agent>;
  /** In the registry of the previous master, not back yet: value is the deadline. */
  readonly recovered: Map<AgentId, { readonly deadline: number; readonly hostname: string }>;
  readonly unreachable: Map<AgentId, UnreachableAgent>;
  readonly offers: Map<OfferId, OutstandingOffer>;
  /** Key: `taskKey`. */
  readonly tasks: Map<string, TaskRecord>;
  readonly unreachableTasks: Map<string, TaskRecord>;
  /** Custom executors, per agent; key: `executorKey`. */
  readonly executors: Map<string, ExecutorRecord & { readonly agentId: AgentId }>;
  /** Kills that wait for a disconnected agent. */
  readonly pendingKills: Set<string>;
  readonly counters: { framework: number; agent: number; offer: number };
  readonly allocateAt: number;
}

interface EffectPayloads {
  SEND: { streamId: StreamId; event: SchedulerEvent };
  CLOSE_STREAM: { streamId: StreamId };
  TELL_AGENT: { link: LinkId; message: ToAgent };
  CLOSE_LINK: { link: LinkId };
  /** Must be durable before the effects after it. */
  SAVE_REGISTRY: { registry: Registry };
  LOG: { message: string; fields: Record<string, unknown> };
}
export type MasterEffect = {
  [K in keyof EffectPayloads]: { kind: K } & EffectPayloads[K];
}[keyof EffectPayloads];

export const taskKey = (frameworkId: FrameworkId, taskId: TaskId) => `${frameworkId}/${taskId}`;
export const executorKey = (agentId: AgentId, frameworkId: FrameworkId, executorId: ExecutorId) =>
  `${agentId}/${frameworkId}/${executorId}`;

/** One step under way: a private copy of the state, and what shall be done when it is over. */
export interface Turn {
  state: MasterState;
  readonly effects: MasterEffect[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function beginTurn(state: MasterState, now: number): Turn {
  return {
    state: {
      ...state,
      frameworks: new Map(state.frameworks),
      completed: [...state.completed],
      agents: new Map(state.agents),
      recovered: new Map(state.recovered),
      unreachable: new Map(state.unreachable),
      offers: new Map(state.offers),
      tasks: new Map(state.tasks),
      unreachableTasks: new Map(state.unreachableTasks),
      executors: new Map(state.executors),
      pendingKills: new Set(state.pendingKills),
      counters: { ...state.counters },
    },
    effects: [],
    now,
  };
}

export function initialMasterState(config: MasterConfig, registry: Registry, now: number): MasterState {
  const deadline = now + config.agentReregisterTimeoutMs;
  return {
    config,
    frameworks: new Map(),
    completed: [],
    agents: new Map(),
    recovered: new Map(registry.agents.map(({ id, hostname }) => [id, { deadline, hostname }])),
    unreachable: new Map(registry.unreachable.map(({ id, hostname, since }) => [id, { hostname, since }])),
    offers: new Map(),
    tasks: new Map(),
    unreachableTasks: new Map(),
    executors: new Map(),
    pendingKills: new Set(),
    counters: { framework: 0, agent: 0, offer: 0 },
    allocateAt: now,
  };
}

/** Delivered only to a framework that is subscribed; events for an absent one are dropped, as Mesos does. */
export function sendTo(turn: Turn, frameworkId: FrameworkId, event: SchedulerEvent): void {
  const streamId = turn.state.frameworks.get(frameworkId)?.streamId;
  if (streamId !== undefined) turn.effects.push({ kind: 'SEND', streamId, event });
}

export function tellAgent(turn: Turn, agentId: AgentId, message: ToAgent): boolean {
  const link = turn.state.agents.get(agentId)?.link;
  if (link === undefined) return false;
  turn.effects.push({ kind: 'TELL_AGENT', link, message });
  return true;
}

export function log(turn: Turn, message: string, fields: Record<string, unknown>): void {
  turn.effects.push({ kind: 'LOG', message, fields });
}

export function saveRegistry(turn: Turn): void {
  const { agents, recovered, unreachable } = turn.state;
  turn.effects.push({
    kind: 'SAVE_REGISTRY',
    registry: {
      agents: [
        ...[...agents.values()].map(({ id, hostname }) => ({ id, hostname })),
        ...[...recovered].map(([id, { hostname }]) => ({ id, hostname })),
      ],
      unreachable: [...unreachable].map(([id, { hostname, since }]) => ({ id, hostname, since })),
    },
  });
}

export function isPartitionAware(info: FrameworkInfo | undefined): boolean {
  return hasCapability(info, 'PARTITION_AWARE');
}

export function hasCapability(info: FrameworkInfo | undefined, capability: string): boolean {
  return (info?.capabilities ?? []).some(({ type }) => type === capability);
}

/** The finer state for frameworks that know it, TASK_LOST for the others. */
export function stateFor(info: FrameworkInfo | undefined, fine: TaskState): TaskState {
  return isPartitionAware(info) ? fine : 'TASK_LOST';
}

/** An update made by the master itself: no uuid, never re-sent, not to be acknowledged. */
export function masterUpdate(
  turn: Turn,
  frameworkId: FrameworkId,
  status: Omit<TaskStatus, 'source' | 'timestamp'>,
): void {
  sendTo(turn, frameworkId, {
    type: 'UPDATE',
    update: { status: { ...status, source: 'SOURCE_MASTER', timestamp: turn.now / 1000 } },
  });
}
