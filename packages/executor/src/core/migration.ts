/**
 * The way of a task that migrates, from the lease in hand to both copies verified: a list of steps, one after the
 * other. An order to stop ends what runs under the guard at once (a copy is resumed where it was), and any other step
 * when it has answered. Whatever happens, all is detached before the task says that it has ended.
 */
import { VOLUME_ROLES, type MigrationReport, type VolumeRole } from '@mesos-elasticsearch/contract';
import type { Effect } from './effects.ts';
import type { MachineEvent } from './events.ts';
import { decideMigration } from './migration-decision.ts';
import { newSlot, viewSlot } from './slots.ts';
import type { Migrating, MigrationStep, Starting, StopOrder, Transition } from './state.ts';
import { ATTACH_TRIES, beginStop, failure, leaseText, prepend, retryDelayMs } from './stop.ts';
import { writesBack } from './write-back.ts';

type Stage = MigrationReport['stage'];

/** The lease is held, and what earlier holders left attached is undone. */
export function beginMigration({ spec, held, limits, safety }: Starting): Transition {
  const ensure: MigrationStep = { kind: 'ensure', spec };
  const state: Migrating = {
    ...{ phase: 'migrating', spec, held, limits, safety },
    doing: ensure,
    todo: [
      ...attachAll(VOLUME_ROLES),
      { kind: 'ensure-new' },
      ...attachAll(VOLUME_ROLES.map(newSlot)),
      { kind: 'inspect-migration' },
    ],
    ...{ running: undefined, attempt: 0, task: undefined, stop: undefined },
    report: {
      ...{ version: 1, kind: 'migration', nodeId: spec.nodeId, epoch: spec.epoch, stage: 'attaching' },
      volumes: VOLUME_ROLES.map(nothingYet),
    },
  };
  return { state, effects: [progress(state), ensure] };
}

export function onMigrating(state: Migrating, event: MachineEvent): Transition {
  const { doing } = state;
  switch (event.kind) {
    case 'ensured':
      return doing.kind === 'ensure' || doing.kind === 'ensure-new' ? advance(state) : stay(state);
    case 'attached':
      return isAbout(state, 'attach', event.role) ? advance(withVolume(state, event.role)) : stay(state);
    case 'detached':
      return isAbout(state, 'detach', event.role) ? advance(withoutVolume(state, event.role)) : stay(state);
    case 'migration-inspected':
      return onInspected(state, event);
    case 'copy-marked':
      return doing.kind === 'mark-copy' ? advance(state) : stay(state);
    case 'copy-started':
      return onCopyStarted(state);
    case 'copy-progress':
      return onProgress(state, event.volumes);
    case 'process-gone':
      return onProcessGone(state, event);
    case 'copy-finished':
      return doing.kind === 'finish-copy' ? verified(state) : stay(state);
    case 'step-failed':
      return onStepFailed(state, event);
    case 'timer':
      return event.name === 'retry' && state.attempt > 0 ? again(state) : stay(state);
    default:
      return onDisturbed(state, event);
  }
}

/** All four are judged before one is written to. */
function onInspected(
  state: Migrating,
  { findings, fileSystems, freshIdentities }: Extract<MachineEvent, { kind: 'migration-inspected' }>,
): Transition {
  if (state.doing.kind !== 'inspect-migration') return stay(state);
  const { spec, safety } = state;
  const decision = decideMigration(spec, findings, freshIdentities, safety.decideMarker);
  if (decision.kind === 'refuse') return fail(state, decision.why);
  const { task } = decision;
  const views = VOLUME_ROLES.filter((role) => writesBack(fileSystems[role]));
  const todo: readonly MigrationStep[] = [
    ...attachAll(views.map(viewSlot)),
    { kind: 'mark-copy', task },
    { kind: 'start-copy', work: 'copy' },
    // Unmounted and mounted again, so that what is read then does not come from what the mount still knew.
    ...[...VOLUME_ROLES].reverse().map((role) => ({ kind: 'detach', role: newSlot(role) }) as const),
    ...attachAll(VOLUME_ROLES.map(newSlot)),
    { kind: 'start-copy', work: 'verify' },
  ];
  const starts = Object.fromEntries(VOLUME_ROLES.map((role) => [role, task[role].start]));
  const log: Effect = { kind: 'log', level: 'info', message: 'the copy is decided', fields: starts };
  return prepend([log], advance({ ...state, task, todo }));
}

function onCopyStarted(state: Migrating): Transition {
  if (state.doing.kind !== 'start-copy') return stay(state);
  const running = { ...hold(state, { process: true }), running: state.doing.work };
  return running.stop ? beginStop(running, running.stop) : stay(running);
}

function onProgress(state: Migrating, volumes: MigrationReport['volumes']): Transition {
  if (!state.running) return stay(state);
  const told = { ...state, report: { ...state.report, volumes } };
  return { state: told, effects: [progress(told)] };
}

function onProcessGone(state: Migrating, event: Extract<MachineEvent, { kind: 'process-gone' }>): Transition {
  if (!state.running) return stay(state);
  const gone: Migrating = { ...hold(state, { process: false }), running: undefined };
  const { copy } = event;
  const what = state.running === 'copy' ? 'the copy' : 'the verification';
  if (!copy) return fail(gone, `${what} was ended: ${event.how}`);
  if (copy.kind === 'failed') return fail(gone, copy.why);
  const next: Migrating = { ...gone, report: { ...gone.report, volumes: copy.volumes } };
  if (state.running === 'copy' || !next.task) return advance(next);
  return advance({ ...next, todo: [{ kind: 'finish-copy', task: next.task, volumes: copy.volumes }] });
}

function verified(state: Migrating): Transition {
  const migration: MigrationReport = { ...state.report, stage: 'verified' };
  const message = 'both volumes are copied, and were read back from a new mount';
  const done: StopOrder = { ending: { state: 'TASK_FINISHED', message, migration }, graceMs: 0 };
  // Too late to be stopped: the copies are what they are to be.
  return beginStop(state, done);
}

function onStepFailed(state: Migrating, event: Extract<MachineEvent, { kind: 'step-failed' }>): Transition {
  const { doing } = state;
  if (event.step !== doing.kind) return stay(state);
  if (doing.kind === 'detach')
    return retry(state, event.message, 'volume not known to be detached; trying again');
  if (doing.kind !== 'attach' || event.outcome === 'not-done') return fail(state, event.message);
  // It may be attached: it is ours to detach from now on.
  const held = withVolume(state, doing.role);
  if (held.stop || held.attempt + 1 >= ATTACH_TRIES) return fail(held, event.message);
  return retry(held, event.message, 'not known whether the volume is attached; trying again');
}

function retry(state: Migrating, why: string, message: string): Transition {
  if (state.stop) return beginStop(state, state.stop);
  const attempt = state.attempt + 1;
  return {
    state: { ...state, attempt },
    effects: [
      { kind: 'log', level: 'warn', message, fields: { why, attempt } },
      { kind: 'start-timer', name: 'retry', ms: retryDelayMs(state.attempt) },
    ],
  };
}

function again(state: Migrating): Transition {
  return state.stop ? beginStop(state, state.stop) : { state, effects: [state.doing] };
}

function onDisturbed(state: Migrating, event: MachineEvent): Transition {
  switch (event.kind) {
    case 'kill':
      return event.taskId === state.spec.taskId ? order(state, killed('killed on request')) : stay(state);
    case 'shutdown':
      return order(state, killed('the executor was shut down'));
    case 'agent-gone':
      return order(state, failure('the agent did not come back within the recovery timeout'));
    case 'lease-closed':
      return order(state, failure(leaseText(state, 'was closed by the scheduler')));
    case 'lease-expired':
      return state.safety.fencesItself(state.spec.lease.policy)
        ? order(state, failure(leaseText(state, `could not be renewed in time: ${event.message}`)))
        : stay(state);
    default:
      return stay(state);
  }
}

/** A copier has nothing to put in order: it is killed outright. What waits for the storage ends its waiting. */
function order(state: Migrating, stop: StopOrder): Transition {
  const ordered: Migrating = { ...state, stop: state.stop ?? stop };
  if (ordered.running) return beginStop(ordered, ordered.stop ?? stop);
  const waits = state.doing.kind === 'mark-copy' || state.doing.kind === 'finish-copy';
  return { state: ordered, effects: waits ? [{ kind: 'kill-process' }] : [] };
}

function killed(message: string): StopOrder {
  return {
    ending: { state: 'TASK_KILLED', message: `${message}; the copy goes on where it was` },
    graceMs: 0,
  };
}

/** The next step, and a word about it where it is another stage. */
function advance(state: Migrating): Transition {
  if (state.stop) return beginStop(state, state.stop);
  const [doing, ...todo] = state.todo;
  if (!doing) return fail(state, 'the migration has no next step');
  const stage = stageOf(state, doing);
  const next: Migrating = { ...state, doing, todo, attempt: 0, report: { ...state.report, stage } };
  return { state: next, effects: stage === state.report.stage ? [doing] : [progress(next), doing] };
}

function stageOf({ report }: Migrating, step: MigrationStep): Stage {
  if (step.kind === 'start-copy') return step.work === 'copy' ? 'copying' : 'verifying';
  return report.stage === 'copying' ? 'flushing' : report.stage;
}

function progress({ spec, report }: Migrating): Effect {
  return { kind: 'send-status', status: { taskId: spec.taskId, state: 'TASK_RUNNING', migration: report } };
}

/** An earlier order to stop keeps its say: a KILL stays a KILL though the step then fails. */
function fail(state: Migrating, message: string): Transition {
  if (!state.stop) return beginStop(state, failure(message));
  const also: Effect = {
    kind: 'log',
    level: 'warn',
    message: 'migration step failed',
    fields: { why: message },
  };
  return prepend([also], beginStop(state, state.stop));
}

function attachAll(slots: readonly Extract<MigrationStep, { kind: 'attach' }>['role'][]): MigrationStep[] {
  return slots.map((role) => ({ kind: 'attach', role }));
}
function isAbout({ doing }: Migrating, kind: 'attach' | 'detach', role: string): boolean {
  return doing.kind === kind && doing.role === role;
}
function nothingYet(role: VolumeRole): MigrationReport['volumes'][number] {
  return { role, bytesTotal: 0, bytesCopied: 0, bytesVerified: 0, files: 0, notKept: [] };
}
function hold(state: Migrating, change: Partial<Migrating['held']>): Migrating {
  return { ...state, held: { ...state.held, ...change } };
}
function withVolume(state: Migrating, role: Migrating['held']['volumes'][number]): Migrating {
  const { volumes } = state.held;
  return volumes.includes(role) ? state : hold(state, { volumes: [...volumes, role] });
}
function withoutVolume(state: Migrating, role: Migrating['held']['volumes'][number]): Migrating {
  return hold(state, { volumes: state.held.volumes.filter((other) => other !== role) });
}
function stay(state: Migrating): Transition {
  return { state, effects: [] };
}
