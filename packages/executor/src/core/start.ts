/** The way up, one step after the other; an order to stop is obeyed between two steps. */
import type { LaunchSpec, NodeReport, VolumeRole } from '@mesos-elasticsearch/contract';
import type { Effect } from './effects.ts';
import type { MachineEvent } from './events.ts';
import type { ExecutorSafety } from './safety.ts';
import type { Limits, Starting, StopOrder, Transition, Up } from './state.ts';
import { NOTHING_HELD } from './state.ts';
import { beginMigration } from './migration.ts';
import { isRole, type VolumeSlot } from './slots.ts';
import { ATTACH_TRIES, beginStop, failure, leaseText, prepend, retryDelayMs } from './stop.ts';

const STARTING: Readonly<Record<LaunchSpec['purpose'], string>> = {
  run: 'preparing volumes and Elasticsearch',
  release: 'ending and unmounting what earlier holders left behind',
  migrate: 'preparing old and new volumes',
};

export function beginStart(spec: LaunchSpec, limits: Limits, safety: ExecutorSafety): Transition {
  const state: Starting = {
    phase: 'starting',
    spec,
    limits,
    safety,
    held: NOTHING_HELD,
    step: 'prepare',
    role: 'config',
    attempt: 0,
    report: emptyReport(spec),
    stop: undefined,
    seedHosts: undefined,
  };
  const starting: Effect = {
    kind: 'send-status',
    status: { taskId: spec.taskId, state: 'TASK_STARTING', message: STARTING[spec.purpose] },
  };
  return { state, effects: [starting, { kind: 'prepare', spec }] };
}

export function onStarting(state: Starting, event: MachineEvent): Transition {
  switch (event.kind) {
    case 'prepared':
      return next(state, { step: 'take-lease' }, { kind: 'take-lease', spec: state.spec });
    case 'lease-taken':
      return onLeaseTaken(state);
    case 'former-detached':
      return onFormerDetached(hold(state, { former: false }));
    case 'lease-refused':
      return fail(
        state,
        `lease of node ${String(state.spec.nodeId)} in epoch ${String(state.spec.epoch)} refused: ${event.why}`,
      );
    case 'ensured':
      return next(state, { step: 'attach', role: 'config', attempt: 0 }, { kind: 'attach', role: 'config' });
    case 'attached':
      return isRole(event.role) ? onAttached(holdVolume(state, event.role), event.role) : stay(state);
    case 'process-started': {
      const started = hold(withMounts(state, event.mountpoints, event.tied), { process: true });
      return next(started, { step: 'inspect' }, { kind: 'inspect' });
    }
    case 'volumes-inspected':
      return onInspected(state, event);
    case 'claimed':
      return next(state, { step: 'configure' }, { kind: 'configure' });
    case 'configured': {
      const report = { ...state.report, elasticsearchVersion: event.elasticsearchVersion };
      return next({ ...state, report }, { step: 'go' }, { kind: 'go' });
    }
    case 'gone-ahead':
      return onGoneAhead(state);
    case 'step-failed':
      return onStepFailed(state, event);
    case 'timer':
      return event.name === 'retry' ? retryAttach(state) : stay(state);
    default:
      return onDisturbed(state, event);
  }
}

/** Nobody else may be at this node's volumes now, so what others left attached on this agent is ours to undo. */
function onLeaseTaken(state: Starting): Transition {
  // Also where the scheduler names none: the host's own records may.
  const held = hold(state, { lease: true, former: true });
  return next(held, { step: 'detach-former' }, { kind: 'detach-former' });
}

function onFormerDetached(state: Starting): Transition {
  switch (state.spec.purpose) {
    case 'run':
      return next(state, { step: 'ensure' }, { kind: 'ensure', spec: state.spec });
    case 'migrate':
      return state.stop ? beginStop(state, state.stop) : beginMigration(state);
    case 'release': {
      const message = 'what earlier holders left behind is ended and unmounted';
      return beginStop(state, state.stop ?? { ending: { state: 'TASK_FINISHED', message }, graceMs: 0 });
    }
  }
}

/** What can come in between: it is remembered, and obeyed when the step under way has answered. */
function onDisturbed(state: Starting, event: MachineEvent): Transition {
  switch (event.kind) {
    case 'kill':
      return event.taskId === state.spec.taskId
        ? order(state, { ending: { state: 'TASK_KILLED', message: 'killed during start' }, graceMs: 0 })
        : stay(state);
    case 'shutdown':
      return order(state, {
        ending: { state: 'TASK_KILLED', message: 'shut down during start' },
        graceMs: 0,
      });
    case 'agent-gone':
      return order(state, failure('the agent did not come back within the recovery timeout'));
    case 'lease-closed':
      return order(state, failure(leaseText(state, 'was closed by the scheduler')));
    case 'lease-expired':
      return state.safety.fencesItself(state.spec.lease.policy)
        ? order(state, failure(leaseText(state, `could not be renewed in time: ${event.message}`)))
        : stay(state);
    case 'mount-changed':
      return order(state, failure(event.message));
    case 'process-gone':
      return order(
        hold(state, { process: false }),
        failure(`the guard ended before Elasticsearch was started: ${event.how}`),
      );
    default:
      return stay(state);
  }
}

/** A process that waits for its go holds nothing worth a graceful stop: it is killed outright. */
function onGoneAhead(state: Starting): Transition {
  if (state.stop) return beginStop(state, state.stop);
  const up: Up = {
    phase: 'up',
    spec: state.spec,
    limits: state.limits,
    safety: state.safety,
    held: state.held,
    joined: false,
    report: state.report,
  };
  const hosts = state.seedHosts;
  return { state: up, effects: hosts === undefined ? [] : [{ kind: 'write-seed-hosts', hosts }] };
}

function onAttached(state: Starting, role: VolumeRole): Transition {
  switch (role) {
    case 'config':
      return next(state, { step: 'attach', role: 'data', attempt: 0 }, { kind: 'attach', role: 'data' });
    case 'data':
      return next(state, { step: 'start-process' }, { kind: 'start-process' });
  }
}

function onInspected(
  state: Starting,
  event: Extract<MachineEvent, { kind: 'volumes-inspected' }>,
): Transition {
  const { findings, freshIdentities } = event;
  const config = state.safety.decideMarker(state.spec, 'config', findings.config, freshIdentities.config);
  const data = state.safety.decideMarker(state.spec, 'data', findings.data, freshIdentities.data);
  // Both are decided before either is written to.
  if (config.kind === 'refuse') return fail(state, config.why);
  if (data.kind === 'refuse') return fail(state, data.why);
  const decisions = { config, data };
  const volumes = state.report.volumes.map((volume) => {
    const { marker, previousEpoch } = decisions[volume.role];
    const known = { ...volume, volumeIdentity: marker.volumeIdentity };
    return previousEpoch === undefined ? known : { ...known, previousEpoch };
  });
  const report: NodeReport = { ...state.report, volumes };
  return next({ ...state, report }, { step: 'claim' }, { kind: 'claim', markers: decisions });
}

function onStepFailed(state: Starting, event: Extract<MachineEvent, { kind: 'step-failed' }>): Transition {
  if (event.step !== 'attach' || event.outcome === 'not-done') return fail(state, event.message);
  // It may be attached: it is ours to detach from now on.
  const held = holdVolume(state, event.role ?? state.role);
  if (held.stop || held.attempt + 1 >= ATTACH_TRIES) return fail(held, event.message);
  return {
    state: { ...held, attempt: held.attempt + 1 },
    effects: [
      {
        kind: 'log',
        level: 'warn',
        message: 'not known whether the volume is attached; trying again',
        fields: { why: event.message, attempt: held.attempt + 1 },
      },
      { kind: 'start-timer', name: 'retry', ms: retryDelayMs(held.attempt) },
    ],
  };
}

function retryAttach(state: Starting): Transition {
  if (state.step !== 'attach') return stay(state);
  return next(state, {}, { kind: 'attach', role: state.role });
}

function next(state: Starting, change: Partial<Starting>, effect: Effect): Transition {
  // A step that is not begun any more is none: whether Elasticsearch may have started hangs on it.
  if (state.stop) return beginStop({ ...state, ...change, step: state.step }, state.stop);
  return { state: { ...state, ...change }, effects: [effect] };
}

/** An earlier order to stop keeps its say: a KILL stays a KILL though the step then fails. */
function fail(state: Starting, message: string): Transition {
  if (!state.stop) return beginStop(state, failure(message));
  const also: Effect = { kind: 'log', level: 'warn', message: 'start step failed', fields: { why: message } };
  return prepend([also], beginStop(state, state.stop));
}

function order(state: Starting, stop: StopOrder): Transition {
  return { state: { ...state, stop: state.stop ?? stop }, effects: [] };
}

function hold(state: Starting, change: Partial<Starting['held']>): Starting {
  return { ...state, held: { ...state.held, ...change } };
}
function holdVolume(state: Starting, role: VolumeSlot): Starting {
  const { volumes } = state.held;
  return volumes.includes(role) ? state : hold(state, { volumes: [...volumes, role] });
}
function stay(state: Starting): Transition {
  return { state, effects: [] };
}

function withMounts(
  state: Starting,
  mountpoints: Readonly<Record<VolumeRole, string>>,
  tied: boolean,
): Starting {
  const volumes = state.report.volumes.map((volume) => ({ ...volume, mountpoint: mountpoints[volume.role] }));
  return { ...state, report: { ...state.report, tied, volumes } };
}

function emptyReport(spec: LaunchSpec): NodeReport {
  const { publishHost, httpPort, transportPort } = spec.elasticsearch;
  const volume = (role: VolumeRole) => ({
    role,
    name: spec.volumes[role].name,
    driver: spec.volumes[role].driver,
    mountpoint: '',
    volumeIdentity: '',
  });
  return {
    version: 1,
    nodeId: spec.nodeId,
    epoch: spec.epoch,
    http: `${publishHost}:${String(httpPort)}`,
    transport: `${publishHost}:${String(transportPort)}`,
    volumes: [volume('config'), volume('data')],
    tied: false,
    ...(spec.volumeMounter.kind === 'executor' ? {} : { mountedBy: spec.volumeMounter.kind }),
  };
}
