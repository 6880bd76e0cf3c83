/**
 * The executor as a pure machine: (state, event) → (state, effects). It runs one task; time comes in as timer
 * events, and at most one chain effect (start step, detach, give-back) is under way at any moment.
 */
import {
  decodeLaunchSpec,
  decodeSeedHosts,
  LaunchSpecError,
  NODE_ID_VARIABLE,
  type LaunchSpec,
} from '@mesos-elasticsearch/contract';
import type { Effect } from './effects.ts';
import type { MachineEvent } from './events.ts';
import { leaseProblem } from './lease-timing.ts';
import { onMigrating } from './migration.ts';
import { migrationProblem } from './migration-decision.ts';
import { EXECUTOR_SAFETY, type ExecutorSafety } from './safety.ts';
import { beginStart, onStarting } from './start.ts';
import type { Ended, Idle, Limits, State, Transition, Up } from './state.ts';
import { beginStop, failure, leaseText, onStopping } from './stop.ts';

export function initialState(limits: Limits, safety: ExecutorSafety = EXECUTOR_SAFETY): State {
  return { phase: 'idle', limits, safety };
}

export function transition(state: State, event: MachineEvent): Transition {
  if (event.kind === 'launch' && state.phase !== 'idle') return refuseSecond(state, event.taskId);
  if (event.kind === 'message') return onMessage(state, event.data);
  switch (state.phase) {
    case 'idle':
      return onIdle(state, event);
    case 'starting':
      return onStarting(state, event);
    case 'migrating':
      return onMigrating(state, event);
    case 'up':
      return onUp(state, event);
    case 'stopping':
      return onStopping(state, event);
    case 'ended':
      return { state, effects: [] };
  }
}

function onIdle(state: Idle, event: MachineEvent): Transition {
  switch (event.kind) {
    case 'launch':
      return onLaunch(state, event);
    case 'shutdown':
      return ended(state, [{ kind: 'finish', exitCode: 0 }]);
    case 'agent-gone':
      return ended(state, [{ kind: 'finish', exitCode: 1 }]);
    default:
      return { state, effects: [] };
  }
}

function onLaunch(state: Idle, event: Extract<MachineEvent, { kind: 'launch' }>): Transition {
  const read = readSpec(event);
  if (read.kind === 'spec') return beginStart(read.spec, state.limits, state.safety);
  return ended(state, [
    { kind: 'log', level: 'error', message: 'launch refused', fields: { why: read.why } },
    { kind: 'send-status', status: { taskId: event.taskId, state: 'TASK_FAILED', message: read.why } },
    { kind: 'finish', exitCode: 0 },
  ]);
}

function readSpec(
  event: Extract<MachineEvent, { kind: 'launch' }>,
): { kind: 'spec'; spec: LaunchSpec } | { kind: 'wrong'; why: string } {
  if (event.data === undefined) return { kind: 'wrong', why: 'the task has no launch spec (TaskInfo.data)' };
  let spec: LaunchSpec;
  try {
    spec = decodeLaunchSpec(event.data);
  } catch (error) {
    if (error instanceof LaunchSpecError) return { kind: 'wrong', why: error.message };
    throw error;
  }
  if (event.environmentNodeId !== String(spec.nodeId)) {
    const said = event.environmentNodeId === undefined ? 'not set' : JSON.stringify(event.environmentNodeId);
    return {
      kind: 'wrong',
      why: `${NODE_ID_VARIABLE} is ${said} but the launch spec is for node ${String(spec.nodeId)}`,
    };
  }
  if (event.taskId !== spec.taskId) {
    return { kind: 'wrong', why: `task ${event.taskId} carries the launch spec of task ${spec.taskId}` };
  }
  const problem = leaseProblem(spec.lease.durationMs) ?? migrationProblem(spec);
  return problem === undefined ? { kind: 'spec', spec } : { kind: 'wrong', why: problem };
}

function onUp(state: Up, event: MachineEvent): Transition {
  const { taskId, stopGraceMs } = state.spec;
  switch (event.kind) {
    case 'kill':
      if (event.taskId !== taskId) return { state, effects: [] };
      return beginStop(state, {
        ending: { state: 'TASK_KILLED', message: 'killed on request' },
        graceMs: event.graceMs ?? stopGraceMs,
      });
    case 'shutdown':
      return beginStop(state, {
        ending: { state: 'TASK_KILLED', message: 'the executor was shut down' },
        graceMs: Math.min(stopGraceMs, state.limits.shutdownStopMs),
      });
    case 'agent-gone':
      return beginStop(state, {
        ...failure('the agent did not come back within the recovery timeout'),
        graceMs: stopGraceMs,
      });
    case 'process-gone':
      return beginStop(
        { ...state, held: { ...state.held, process: false } },
        failure(`Elasticsearch ended by itself: ${event.how}`),
      );
    case 'node-silent':
      return beginStop(state, { ...failure(event.message), graceMs: stopGraceMs });
    case 'mount-changed':
      return beginStop(state, failure(event.message));
    case 'lease-closed':
      return beginStop(state, failure(leaseText(state, 'was closed by the scheduler')));
    case 'lease-expired':
      if (!state.safety.fencesItself(state.spec.lease.policy)) return { state, effects: [] };
      return beginStop(state, failure(leaseText(state, `could not be renewed in time: ${event.message}`)));
    default:
      return onNodeNews(state, event);
  }
}

function onNodeNews(state: Up, event: MachineEvent): Transition {
  const { taskId } = state.spec;
  switch (event.kind) {
    case 'node-answers': {
      if (state.joined) return { state, effects: [] };
      const status = { taskId, state: 'TASK_STARTING', message: event.waitsFor } as const;
      return { state, effects: [{ kind: 'send-status', status }] };
    }
    case 'node-joined': {
      if (state.joined) return { state, effects: [] };
      const { clusterUuid } = event;
      const report = clusterUuid === undefined ? state.report : { ...state.report, clusterUuid };
      const status = { taskId, state: 'TASK_RUNNING', healthy: true, report } as const;
      return { state: { ...state, joined: true, report }, effects: [{ kind: 'send-status', status }] };
    }
    case 'health-changed': {
      if (!state.joined) return { state, effects: [] };
      const { healthy, message } = event;
      const status = { taskId, state: 'TASK_RUNNING', healthy, message, report: state.report } as const;
      return { state, effects: [{ kind: 'send-status', status }] };
    }
    default:
      return { state, effects: [] };
  }
}

function onMessage(state: State, data: Uint8Array): Transition {
  const seedHosts = decodeSeedHosts(data);
  if (!seedHosts) {
    const fields = { bytes: data.length };
    return { state, effects: [{ kind: 'log', level: 'warn', message: 'message not understood', fields }] };
  }
  const { hosts } = seedHosts;
  if (state.phase === 'starting') return { state: { ...state, seedHosts: hosts }, effects: [] };
  return { state, effects: state.phase === 'up' ? [{ kind: 'write-seed-hosts', hosts }] : [] };
}

function refuseSecond(state: State, taskId: string): Transition {
  const message = 'this executor runs one task and already has (or had) one';
  return { state, effects: [{ kind: 'send-status', status: { taskId, state: 'TASK_FAILED', message } }] };
}

function ended(state: Idle, effects: readonly Effect[]): Transition {
  const end: Ended = { phase: 'ended', limits: state.limits, safety: state.safety };
  return { state: end, effects };
}
