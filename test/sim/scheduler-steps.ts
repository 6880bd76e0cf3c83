/** In place of `run/execute-step.ts`: each kind of step through the simulated network, with one answer. */
import type { NodeRecord } from '@mesos-elasticsearch/contract';
import type { LeaseState } from '@mesos-elasticsearch/coordination';
import { encodeJson } from '@mesos-elasticsearch/contract';
import type { SchedulerCall } from '@mesos-elasticsearch/mesos-v1';
import type { CoreEvent, Step, StepOf } from '@mesos-elasticsearch/scheduler/core';
import { askLeases } from './lease-asker.ts';
import { MASTER, SERVICES, ServiceError, type Answer } from './network.ts';
import type { Scheduler } from './scheduler.ts';
import { NOT_CURRENT } from './stream.ts';
import type { Leases, Ledger } from './services.ts';

const STORE_LIMIT_MS = 8_000;
const LEASE_LIMIT_MS = 10_000;
const CALL_LIMIT_MS = 10_000;

export function carryOut(scheduler: Scheduler, step: Step): void {
  switch (step.kind) {
    case 'load-ledger': {
      load(scheduler, step);
      return;
    }
    case 'record-framework': {
      write(
        scheduler,
        step,
        (ledger) => ledger.writeFramework(step.record, step.expected, scheduler.term),
        (version) => ({
          kind: 'framework-recorded',
          record: step.record,
          version,
        }),
      );
      return;
    }
    case 'record-node': {
      write(scheduler, step, writing(scheduler, step.record, step.expected), (version) => ({
        kind: 'node-recorded',
        record: step.record,
        version,
      }));
      return;
    }
    case 'assign': {
      assign(scheduler, step);
      return;
    }
    case 'open-epoch':
    case 'close-epoch':
    case 'read-leases': {
      leases(scheduler, step);
      return;
    }
    case 'register-anew':
      scheduler.stream = undefined;
      scheduler.subscribe(undefined);
      {
        scheduler.answer({ kind: 'done', step });
        return;
      }
    case 'fence': {
      fence(scheduler, step);
      return;
    }
    case 'stop': {
      scheduler.leave(step.reason);
      return;
    }
    case 'wait': {
      scheduler.answer(undefined);
      return;
    }
    case 'kill': {
      kill(scheduler, step);
      return;
    }
    case 'ask-elasticsearch': {
      askElasticsearch(scheduler, step);
      return;
    }
    default: {
      call(scheduler, step);
      return;
    }
  }
}

/** A task that it does not know may be the next leader's: it asks first whether it still leads. */
function kill(scheduler: Scheduler, step: StepOf<'kill'>): void {
  if (step.rule !== 'unknown-task') {
    call(scheduler, step);
    return;
  }
  askStore(
    scheduler,
    (ledger) => ledger.load(scheduler.term),
    ({ value, error }) => {
      if (value === undefined) {
        storeFailed(scheduler, step, error);
        return;
      }
      scheduler.mustLoad = false;
      call(scheduler, step);
    },
  );
}

/** It answers late or not at all, like everything else. */
function askElasticsearch(scheduler: Scheduler, step: StepOf<'ask-elasticsearch'>): void {
  const { world, process } = scheduler;
  const { number, question } = step;
  process.after(world.random.between(5, 3_000), () => {
    const outcome = world.elasticsearchAnswer(question);
    scheduler.order({ kind: 'elasticsearch-answered', number, question, outcome });
  });
  scheduler.answer({ kind: 'done', step });
}

type CallStep = Exclude<
  Extract<CoreEvent, { kind: 'done' }>['step'],
  { kind: 'fence' | 'ask-elasticsearch' }
>;

function writing(scheduler: Scheduler, record: NodeRecord, expected: number): (ledger: Ledger) => number {
  return (ledger) => ledger.writeNode(record, expected, scheduler.term);
}

function load(scheduler: Scheduler, step: Step): void {
  const { world, term } = scheduler;
  askStore(
    scheduler,
    (ledger) => ledger.load(term),
    ({ value, error }) => {
      if (value !== undefined) {
        scheduler.mustLoad = false;
        scheduler.answer({ kind: 'ledger-loaded', snapshot: value });
      } else if (world.mutations.has('failed-read-as-empty')) {
        scheduler.answer({ kind: 'ledger-loaded', snapshot: { framework: undefined, nodes: new Map() } });
      } else storeFailed(scheduler, step, error);
    },
  );
}

function storeFailed(scheduler: Scheduler, step: Step, error = 'no answer'): void {
  const failed = { kind: 'step-failed', step, service: 'store', error } as const;
  scheduler.answer(error.startsWith('deposed') ? { ...failed, deposed: true } : failed);
}

function write(
  scheduler: Scheduler,
  step: Step,
  act: (ledger: Ledger) => number,
  done: (version: number) => CoreEvent,
): void {
  scheduler.world.judge.onWriteAttempt(scheduler);
  askStore(scheduler, act, ({ value, error }) => {
    if (value !== undefined) scheduler.answer(done(value));
    else storeFailed(scheduler, step, error);
  });
}

function assign(scheduler: Scheduler, step: StepOf<'assign'>): void {
  const { world } = scheduler;
  const done = (version: number): CoreEvent => ({ kind: 'assigned', step, version });
  if (!world.mutations.has('accept-before-record')) {
    write(scheduler, step, writing(scheduler, step.record, step.expected), done);
    return;
  }
  // The launch goes on while the record is on its way.
  const delayed = world.random.between(500, 3_000);
  scheduler.process.after(delayed, () =>
    askStore(scheduler, writing(scheduler, step.record, step.expected), () => undefined),
  );
  scheduler.answer(done(step.expected + 1));
}

export function askStore<T>(
  scheduler: Scheduler,
  act: (ledger: Ledger) => T,
  done: (answer: Answer<T>) => void,
): void {
  askService(scheduler, act, (answer) => {
    if (answer.value === undefined) scheduler.mustLoad = true;
    done(answer);
  });
}

/** Whether it still leads: a question of its own, which says nothing of the ledger. */
export function askWhetherLeading(
  scheduler: Scheduler,
  done: (answer: 'leads' | 'deposed' | 'unknown') => void,
): void {
  askService(
    scheduler,
    (ledger) => ledger.load(scheduler.term),
    ({ value, error }) => {
      if (value !== undefined) done('leads');
      else done(error?.startsWith('deposed') === true ? 'deposed' : 'unknown');
    },
  );
}

function askService<T>(
  scheduler: Scheduler,
  act: (ledger: Ledger) => T,
  done: (answer: Answer<T>) => void,
): void {
  const { world, process, lane } = scheduler;
  const ends = { from: process.machine.place, to: SERVICES, limitMs: STORE_LIMIT_MS, lane };
  world.network.request(
    ends,
    () => {
      const fate = world.fateOf('store');
      if (fate === 'fails') throw new ServiceError('the store fails');
      const answer = act(world.ledger);
      if (fate === 'silent') throw new ServiceError('the store lost its answer');
      return answer;
    },
    (answer) => process.deliver(() => done(answer)),
  );
}

function leases(scheduler: Scheduler, step: StepOf<'open-epoch' | 'close-epoch' | 'read-leases'>): void {
  const { process } = scheduler;
  const askedAtMs = process.machine.uptimeMs();
  const ask = <T>(act: (leases: Leases) => T, done: (value: T) => CoreEvent): void =>
    askLeases(
      scheduler,
      LEASE_LIMIT_MS,
      (service) => ({ said: act(service) }),
      ({ value, error }) => {
        if (value !== undefined) scheduler.answer(done(value.said));
        else scheduler.answer({ kind: 'step-failed', step, service: 'leases', error: error ?? 'no answer' });
      },
    );
  const { term } = scheduler;
  switch (step.kind) {
    case 'open-epoch': {
      ask(
        (service) => service.openEpoch(step.nodeId, step.epoch, term),
        () => ({ kind: 'epoch-opened', nodeId: step.nodeId }),
      );
      return;
    }
    case 'close-epoch': {
      ask(
        (service) => service.closeEpoch(step.nodeId, step.epoch, term),
        (lease) => {
          const { nodeId, epoch } = step;
          return {
            kind: 'epoch-closed',
            nodeId,
            epoch,
            lease,
            askedAtMs,
            answeredAtMs: process.machine.uptimeMs(),
          };
        },
      );
      return;
    }
    case 'read-leases': {
      ask(
        (service) => readings(step, service),
        (read) => ({
          kind: 'leases-read',
          readings: read,
          askedAtMs,
          answeredAtMs: process.machine.uptimeMs(),
        }),
      );
      return;
    }
  }
}

/** The command runs on the scheduler's machine; it may fail, and may have done its work all the same. */
function fence(scheduler: Scheduler, step: StepOf<'fence'>): void {
  const { world } = scheduler;
  const { nodeId, epoch, attempt } = step;
  const machine = world.machines.find(({ name }) => name === step.host);
  const fate = world.random.pick(['revoked', 'revoked', 'failed', 'silent'] as const);
  scheduler.process.after(world.random.between(50, 4_000), () => {
    if (fate !== 'failed' && machine !== undefined) {
      for (const volume of world.volumes.ofNode(nodeId)) world.volumes.fence(volume, machine);
    }
    const outcome = fate === 'revoked' ? 'revoked' : 'failed';
    scheduler.order({ kind: 'fenced', nodeId, epoch, attempt, outcome, message: fate });
  });
  scheduler.answer({ kind: 'done', step });
}

type Readings = Extract<CoreEvent, { kind: 'leases-read' }>['readings'];

function readings({ nodes }: StepOf<'read-leases'>, service: Leases): Readings {
  return nodes.map(({ nodeId, epoch }) => {
    const lease: LeaseState = service.read(nodeId, epoch);
    return { nodeId, epoch, lease };
  });
}

/** One call after the other; the step fails with the first that is not certainly taken. */
function call(scheduler: Scheduler, step: CallStep): void {
  const calls = callsOf(step);
  const next = (index: number): void => {
    const { stream, world, process } = scheduler;
    const each = calls[index];
    if (each === undefined) {
      scheduler.answer({ kind: 'done', step });
      return;
    }
    const failed = (error: string): void =>
      scheduler.answer({ kind: 'step-failed', step, service: 'mesos', error });
    if (stream === undefined) {
      failed('not subscribed');
      return;
    }
    if (each.type === 'ACCEPT') world.judge.onAccept(scheduler, each);
    if (each.type === 'KILL') world.judge.onKill(each.kill.taskId);
    const ends = { from: process.machine.place, to: MASTER, limitMs: CALL_LIMIT_MS, lane: { lastAtMs: 0 } };
    world.network.request(
      ends,
      () => {
        world.master.call(stream, each);
        return true;
      },
      ({ error }) =>
        process.deliver(() => {
          if (error === undefined) {
            next(index + 1);
            return;
          }
          failed(error);
          // In life no heartbeat comes on such a stream any more.
          if (error === NOT_CURRENT) scheduler.onEnd(stream, 'disconnected');
        }),
    );
  };
  next(0);
}

function callsOf(step: CallStep): readonly SchedulerCall[] {
  switch (step.kind) {
    case 'accept': {
      const { intent, refuseMs } = step;
      const operations = [{ type: 'LAUNCH' as const, launch: { taskInfos: [intent.task] } }];
      const filters = { refuseSeconds: refuseMs / 1_000 };
      return [{ type: 'ACCEPT', accept: { offerIds: [intent.offerId], operations, filters } }];
    }
    case 'decline': {
      const filters = { refuseSeconds: step.refuseMs / 1_000 };
      return [{ type: 'DECLINE', decline: { offerIds: [...step.offerIds], filters } }];
    }
    case 'settle-status': {
      const { uuid, agentId, taskId } = step.status;
      if (uuid === undefined || agentId === undefined) return [];
      return [{ type: 'ACKNOWLEDGE', acknowledge: { agentId, taskId, uuid } }];
    }
    case 'kill': {
      const { taskId, agentId } = step;
      return [{ type: 'KILL', kill: agentId === undefined ? { taskId } : { taskId, agentId } }];
    }
    case 'revive':
      return [{ type: 'REVIVE' }];
    case 'suppress':
      return [{ type: 'SUPPRESS' }];
    case 'reconcile': {
      const explicit: SchedulerCall = { type: 'RECONCILE', reconcile: { tasks: [...step.tasks] } };
      const implicit: SchedulerCall = { type: 'RECONCILE', reconcile: {} };
      return [...(step.tasks.length > 0 ? [explicit] : []), ...(step.implicit ? [implicit] : [])];
    }
    case 'send-seed-hosts': {
      const data = encodeJson({ version: 1, kind: 'seed-hosts', hosts: [...step.hosts] });
      return step.targets.map((target) => ({ type: 'MESSAGE', message: { ...target, data } }));
    }
    case 'register-anew':
      return [];
  }
}
