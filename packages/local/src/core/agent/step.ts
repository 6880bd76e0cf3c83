/** The agent as a state machine: `step(state, input, nature)` gives the next state and what to do. */
import type { ExecutorId, FrameworkId, StatusUuid, TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { AgentRegistration, ToAgent, ToMaster } from '../link-protocol.ts';
import {
  endRecovery,
  executorExited,
  executorSubscribed,
  launchFailed,
  shutdownExecutor,
  shutdownFramework,
  tickExecutors,
} from './executors.ts';
import type { Resubscription } from './executors.ts';
import { beginTurn, putRun, runKey, tellMaster } from './state.ts';
import type { AgentEffect, AgentState, Nature, Turn } from './state.ts';
import { killTask, reconcileTasks, runTask } from './tasks.ts';
import { acknowledged, executorUpdate, resendAll, resendDue } from './updates.ts';
import { omit } from '../omit.ts';

interface InputPayloads {
  MASTER: { message: ToAgent };
  LINK_LOST: object;
  EXECUTOR_SUBSCRIBED: { key: string; said: Resubscription };
  EXECUTOR_STREAM_CLOSED: { key: string };
  EXECUTOR_UPDATE: { key: string; status: TaskStatus };
  EXECUTOR_MESSAGE: { frameworkId: FrameworkId; executorId: ExecutorId; data: Uint8Array };
  EXECUTOR_STARTED: { key: string; pid: number; startTime: string };
  LAUNCH_FAILED: { key: string; message: string };
  EXECUTOR_EXITED: { key: string; status: number };
  /** The agent process has started again over an older state. */
  RESTARTED: object;
  TICK: object;
}
export type AgentInput = {
  [K in keyof InputPayloads]: { kind: K } & InputPayloads[K];
}[keyof InputPayloads];

export interface AgentStep {
  readonly state: AgentState;
  /** The state must be durable before the effects are carried out. */
  readonly changed: boolean;
  readonly effects: readonly AgentEffect[];
}

export function step(state: AgentState, input: AgentInput, nature: Nature): AgentStep {
  const turn = beginTurn(state, nature);
  apply(turn, input);
  return { state: turn.state, changed: turn.changed, effects: turn.effects };
}

function apply(turn: Turn, input: AgentInput): void {
  switch (input.kind) {
    case 'MASTER':
      applyOrder(turn, input.message);
      return;
    case 'LINK_LOST':
      turn.state = { ...turn.state, connected: false };
      return;
    case 'EXECUTOR_SUBSCRIBED':
      executorSubscribed(turn, input.key, input.said);
      return;
    case 'EXECUTOR_STREAM_CLOSED':
      setSubscribed(turn, input.key, false);
      return;
    case 'EXECUTOR_UPDATE':
      takeUpdate(turn, input.key, input.status);
      return;
    case 'EXECUTOR_MESSAGE': {
      const { frameworkId, executorId, data } = input;
      tellMaster(turn, { type: 'EXECUTOR_MESSAGE', frameworkId, executorId, data });
      return;
    }
    case 'EXECUTOR_STARTED': {
      const run = turn.state.executors.get(input.key);
      if (run) putRun(turn, input.key, { ...run, process: { pid: input.pid, startTime: input.startTime } });
      return;
    }
    case 'LAUNCH_FAILED':
      launchFailed(turn, input.key, input.message);
      return;
    case 'EXECUTOR_EXITED':
      executorExited(turn, input.key, input.status);
      return;
    case 'RESTARTED':
      restarted(turn);
      return;
    case 'TICK':
      tick(turn);
  }
}

function applyOrder(turn: Turn, message: ToAgent): void {
  switch (message.type) {
    case 'REGISTERED':
      turn.changed = turn.state.agentId !== message.agentId;
      turn.state = { ...turn.state, agentId: message.agentId, connected: true };
      resendAll(turn);
      return;
    case 'PING':
      // Also while it recovers, when it tells the master nothing else.
      turn.effects.push({ kind: 'TELL_MASTER', message: { type: 'PONG' } });
      return;
    case 'RUN_TASK':
      runTask(turn, message.framework, message.task);
      return;
    case 'KILL_TASK':
      killTask(turn, message.framework, message.taskId, message.killPolicy);
      return;
    case 'ACKNOWLEDGE':
      acknowledged(turn, message.frameworkId, message.taskId, message.uuid);
      return;
    case 'SHUTDOWN_EXECUTOR':
      shutdownExecutor(turn, message.frameworkId, message.executorId);
      return;
    case 'SHUTDOWN_FRAMEWORK':
      shutdownFramework(turn, message.frameworkId);
      return;
    case 'FRAMEWORK_MESSAGE':
      passMessage(turn, message);
      return;
    case 'RECONCILE_TASKS':
      reconcileTasks(turn, message.framework, message.taskIds);
  }
}

/** Best effort: an executor that is not there, or on its way out, misses it. */
function passMessage(turn: Turn, message: Extract<ToAgent, { type: 'FRAMEWORK_MESSAGE' }>): void {
  const key = runKey(message.frameworkId, message.executorId);
  const run = turn.state.executors.get(key);
  if (run?.subscribed !== true || run.phase !== 'RUNNING') return;
  turn.effects.push({
    kind: 'TELL_EXECUTOR',
    key,
    event: { type: 'MESSAGE', message: { data: message.data } },
  });
}

function setSubscribed(turn: Turn, key: string, subscribed: boolean): void {
  const run = turn.state.executors.get(key);
  if (run) putRun(turn, key, { ...run, subscribed });
}

/** Nothing of a framework that is being shut down here is passed on or acknowledged. */
function takeUpdate(turn: Turn, key: string, status: TaskStatus): void {
  const run = turn.state.executors.get(key);
  const { uuid } = status;
  if (run === undefined || uuid === undefined) return;
  if (turn.state.frameworks.get(run.frameworkId)?.terminating === true) return;
  if (status.agentId !== undefined && status.agentId !== turn.state.agentId) return;
  executorUpdate(turn, key, run, { ...status, uuid: uuid satisfies StatusUuid });
}

function restarted(turn: Turn): void {
  const { executors, config } = turn.state;
  const recoveringUntil =
    executors.size > 0 ? turn.nature.now + config.executorReregistrationTimeoutMs : undefined;
  turn.state = { ...turn.state, connected: false, recoveringUntil };
  for (const [key, run] of [...executors]) {
    putRun(turn, key, { ...run, subscribed: false, registerBy: undefined });
    // A framework that does not checkpoint has no claim on a restarted agent.
    if (!run.checkpoint || run.destroyAt !== undefined) turn.effects.push({ kind: 'DESTROY', key, run });
  }
}

function tick(turn: Turn): void {
  const { recoveringUntil } = turn.state;
  if (recoveringUntil !== undefined && recoveringUntil <= turn.nature.now) endRecovery(turn);
  tickExecutors(turn);
  resendDue(turn);
}

/** The first word on a link: an agent that recovers only shows that it lives. */
export function firstWord(state: AgentState): ToMaster {
  const { agentId, recoveringUntil } = state;
  if (recoveringUntil !== undefined && agentId !== undefined) return { type: 'RECOVERING', agentId };
  return { type: 'REGISTER', agent: registration(state) };
}

/** What the agent tells a master about itself. */
export function registration(state: AgentState): AgentRegistration {
  const { config, agentId } = state;
  const ended = (frameworkId: FrameworkId) => state.frameworks.get(frameworkId)?.terminating === true;
  return {
    ...(agentId === undefined ? {} : { agentId }),
    hostname: config.hostname,
    ip: config.ip,
    port: config.port,
    resources: config.resources,
    attributes: config.attributes,
    tasks: [...state.tasks.values()]
      .filter((task) => !ended(task.frameworkId))
      .map((task) => omit(task, 'info', 'owner', 'delivered')),
    executors: [...state.executors.values()]
      .filter((run) => !run.builtIn)
      .map(({ frameworkId, executorId, info }) => ({ frameworkId, executorId, info })),
    frameworks: [...state.frameworks.values()].map(({ info }) => info),
  };
}
