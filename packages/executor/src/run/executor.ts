/** Drives the machine: one event at a time, and its effects with the task's hands. */
import type { Effect } from '../core/effects.ts';
import type { MachineEvent, StepName } from '../core/events.ts';
import { initialState, transition } from '../core/machine.ts';
import type { Limits, State } from '../core/state.ts';
import type { ExecutorPorts } from './ports.ts';
import { TaskHands } from './task-hands.ts';

export interface Executor {
  dispatch(event: MachineEvent): void;
  /** Resolves with the exit code when everything is let go and said. */
  readonly finished: Promise<number>;
  state(): State;
}

export function runExecutor(ports: ExecutorPorts, limits: Limits): Executor {
  let state = initialState(limits);
  let hands: TaskHands | undefined;
  let busy = false;
  const queue: MachineEvent[] = [];
  let resolveEnd: (exitCode: number) => void = () => undefined;
  const finished = new Promise<number>((resolve) => {
    resolveEnd = resolve;
  });

  const dispatch = (event: MachineEvent) => {
    queue.push(event);
    if (busy) return;
    busy = true;
    for (let next = queue.shift(); next; next = queue.shift()) step(next);
    busy = false;
  };
  const step = (event: MachineEvent) => {
    const before = state;
    const result = transition(state, event);
    state = result.state;
    if (before.phase !== state.phase)
      ports.log.info({ phase: state.phase, because: event.kind }, 'executor phase');
    for (const effect of result.effects) act(effect);
  };
  const act = (effect: Effect) => {
    switch (effect.kind) {
      case 'send-status':
        ports.sendStatus(effect.status);
        return;
      case 'start-timer':
        setTimeout(() => dispatch({ kind: 'timer', name: effect.name }), effect.ms);
        return;
      case 'log':
        ports.log[effect.level](effect.fields, effect.message);
        return;
      case 'finish':
        hands?.close();
        resolveEnd(effect.exitCode);
        return;
      default:
        void actOnTask(effect);
    }
  };
  const actOnTask = async (effect: TaskEffect): Promise<void> => {
    try {
      if (effect.kind === 'prepare') hands = new TaskHands(ports, effect.spec, dispatch);
      if (!hands) throw new TypeError(`${effect.kind} before prepare`);
      const answer = await doEffect(hands, effect);
      if (answer) dispatch(answer);
    } catch (error) {
      onFailed(ports, effect, error as Error, dispatch);
    }
  };
  return { dispatch, finished, state: () => state };
}

type TaskEffect = Exclude<Effect, { kind: 'send-status' | 'start-timer' | 'log' | 'finish' }>;

async function doEffect(hands: TaskHands, effect: TaskEffect): Promise<MachineEvent | undefined> {
  switch (effect.kind) {
    case 'prepare':
      return hands.prepare();
    case 'take-lease':
      return hands.takeLease();
    case 'detach-former':
      return hands.detachFormer();
    case 'ensure':
      return hands.ensure();
    case 'attach':
      return hands.attach(effect.role);
    case 'start-process':
      return hands.startProcess();
    case 'inspect':
      return hands.inspect();
    case 'claim':
      return hands.claim(effect.markers);
    case 'configure':
      return hands.configure();
    case 'go':
      return hands.go();
    case 'stop-process':
      await hands.stopProcess();
      return undefined;
    case 'kill-process':
      await hands.killProcess();
      return undefined;
    case 'detach':
      return hands.detach(effect.role);
    case 'give-back':
      return hands.giveBack();
    case 'write-seed-hosts':
      await hands.writeSeedHosts(effect.hosts);
      return undefined;
    case 'ensure-new':
      return hands.migration.ensureNew();
    case 'inspect-migration':
      return hands.migration.inspect();
    case 'mark-copy':
      return hands.migration.mark(effect.task);
    case 'start-copy':
      return hands.migration.start(effect.work);
    case 'finish-copy':
      return hands.migration.finish(effect.task, effect.volumes);
  }
}

/** A chain effect must always be answered: a throw means that it was not done, or was undone by its doer. */
function onFailed(
  ports: ExecutorPorts,
  effect: TaskEffect,
  error: Error,
  dispatch: (event: MachineEvent) => void,
): void {
  const step = stepOf(effect);
  ports.log.warn({ effect: effect.kind, err: error }, 'effect failed');
  if (step === undefined) return;
  const failed = { kind: 'step-failed', step, outcome: 'not-done', message: error.message } as const;
  dispatch('role' in effect ? { ...failed, role: effect.role } : failed);
}

function stepOf(effect: TaskEffect): StepName | undefined {
  switch (effect.kind) {
    case 'stop-process':
    case 'kill-process':
    case 'write-seed-hosts':
    case 'give-back':
      return undefined;
    default:
      return effect.kind;
  }
}
