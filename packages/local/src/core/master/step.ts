/** The master as a state machine: `step(state, input, now)` gives the next state and what to do. */
import type { SchedulerCall, StreamId } from '@mesos-elasticsearch/mesos-v1';
import type { ToMaster } from '../link-protocol.ts';
import { accept } from './accept.ts';
import {
  executorExited,
  executorMessage,
  isCurrentLink,
  linkClosed,
  pong,
  recovering,
  register,
  tickAgents,
} from './agents.ts';
import { allocate } from './allocate.ts';
import { removeFramework, streamClosed, subscribe, tickFrameworks } from './frameworks.ts';
import type { Subscription } from './frameworks.ts';
import { decline, revive, suppress } from './offers.ts';
import { beginTurn, tellAgent } from './state.ts';
import type { LinkId, MasterEffect, MasterState, Turn } from './state.ts';
import { acknowledge, kill, latestState, reconcile, statusUpdate } from './tasks.ts';

export type MasterInput =
  | { readonly kind: 'SUBSCRIBE'; readonly subscription: Subscription }
  /** Already admitted (see admission.ts). */
  | { readonly kind: 'CALL'; readonly call: SchedulerCall }
  | { readonly kind: 'STREAM_CLOSED'; readonly streamId: StreamId }
  | { readonly kind: 'AGENT'; readonly link: LinkId; readonly message: ToMaster }
  | { readonly kind: 'LINK_CLOSED'; readonly link: LinkId }
  | { readonly kind: 'TICK' };

export interface MasterStep {
  readonly state: MasterState;
  /** In order; a SAVE_REGISTRY must be durable before what follows it. */
  readonly effects: readonly MasterEffect[];
}

/** `now` in milliseconds since the epoch. */
export function step(state: MasterState, input: MasterInput, now: number): MasterStep {
  const turn = beginTurn(state, now);
  apply(turn, input);
  return { state: turn.state, effects: turn.effects };
}

function apply(turn: Turn, input: MasterInput): void {
  switch (input.kind) {
    case 'SUBSCRIBE':
      subscribe(turn, input.subscription);
      return;
    case 'CALL':
      applyCall(turn, input.call);
      return;
    case 'STREAM_CLOSED':
      streamClosed(turn, input.streamId);
      return;
    case 'AGENT':
      applyAgentMessage(turn, input.link, input.message);
      return;
    case 'LINK_CLOSED':
      linkClosed(turn, input.link);
      return;
    case 'TICK':
      tickAgents(turn);
      tickFrameworks(turn);
      if (turn.state.allocateAt <= turn.now) allocate(turn);
  }
}

function applyCall(turn: Turn, call: SchedulerCall): void {
  const { frameworkId } = call;
  if (frameworkId === undefined) return;
  switch (call.type) {
    case 'TEARDOWN':
      removeFramework(turn, frameworkId);
      return;
    case 'ACCEPT':
      accept(turn, frameworkId, call.accept);
      return;
    case 'DECLINE':
      decline(turn, frameworkId, call.decline.offerIds ?? [], call.decline.filters);
      return;
    case 'REVIVE':
      revive(turn, frameworkId);
      return;
    case 'SUPPRESS':
      suppress(turn, frameworkId);
      return;
    case 'KILL':
      kill(turn, frameworkId, call.kill);
      return;
    case 'SHUTDOWN': {
      const { agentId, executorId } = call.shutdown;
      tellAgent(turn, agentId, { type: 'SHUTDOWN_EXECUTOR', frameworkId, executorId });
      return;
    }
    case 'ACKNOWLEDGE':
      acknowledge(turn, frameworkId, call.acknowledge);
      return;
    case 'RECONCILE':
      reconcile(turn, frameworkId, call.reconcile.tasks ?? []);
      return;
    case 'MESSAGE': {
      const { agentId, executorId, data } = call.message;
      tellAgent(turn, agentId, { type: 'FRAMEWORK_MESSAGE', frameworkId, executorId, data });
      return;
    }
    case 'REQUEST':
    case 'SUBSCRIBE':
      return;
  }
}

function applyAgentMessage(turn: Turn, link: LinkId, message: ToMaster): void {
  if (message.type === 'REGISTER') {
    register(turn, link, message.agent);
    return;
  }
  if (message.type === 'RECOVERING') {
    recovering(turn, link, message.agentId);
    return;
  }
  if (message.type === 'PONG') {
    pong(turn, link);
    return;
  }
  // The last words of an agent that was given up meanwhile count for nothing; it will register again.
  if (!isCurrentLink(turn, link)) return;
  switch (message.type) {
    case 'STATUS_UPDATE':
      statusUpdate(turn, message);
      return;
    case 'LATEST_STATE':
      latestState(turn, message);
      return;
    case 'EXECUTOR_MESSAGE':
      executorMessage(turn, link, message);
      return;
    case 'EXECUTOR_EXITED':
      executorExited(turn, link, message);
  }
}
