/** One life of a scheduler's process: the real core in the loop of `run/control-loop.ts`, with `run/drive.ts` around it. */
import type { LedgerSnapshot } from '@mesos-elasticsearch/coordination';
import type { SchedulerEvent } from '@mesos-elasticsearch/mesos-v1';
import {
  emptyModel,
  nextStep,
  plan,
  reduce,
  type CoreEvent,
  type DesiredCluster,
  type Model,
  type Now,
  type Step,
} from '@mesos-elasticsearch/scheduler/core';
import { Process, type Machine } from './machines.ts';
import { MASTER, type Lane } from './network.ts';
import type { Stream, Subscriber } from './stream.ts';
import { askWhetherLeading, carryOut } from './scheduler-steps.ts';
import type { World } from './world.ts';

const EPOCH_START_MS = 1_700_000_000_000;
/** Of a scheduler with ZooKeeper. */
export const SESSION_MS = 6_000;

export class Scheduler implements Subscriber {
  readonly world: World;
  readonly process: Process;
  /** Of its leadership: every write is checked against it. */
  readonly term: number;
  readonly lane: Lane = { lastAtMs: 0 };
  readonly desired: DesiredCluster;
  model: Model;
  stream: Stream | undefined;
  /** A write or read of the store failed, and it was not read whole since. */
  mustLoad = false;
  /** When the last question was sent that was answered with: you lead. By its own machine's clock. */
  #confirmedSentMs: number;
  #asleep: { cancel: () => void } | undefined;
  #acting = false;
  #stopped = false;
  readonly #tickMs: number;

  constructor(world: World, machine: Machine, term: number, onEnd: () => void) {
    this.world = world;
    this.term = term;
    this.#confirmedSentMs = machine.uptimeMs();
    this.desired = world.desired;
    this.model = emptyModel(world.desired.cluster.nodes);
    const { leasePollMs, retryMs } = this.desired.timing;
    this.#tickMs = Math.min(leasePollMs, retryMs, 1_000);
    this.process = new Process(machine, `scheduler ${machine.name} term ${term}`, () => {
      if (this.stream) world.master.breakStream(this.stream);
      onEnd();
    });
  }

  /** The ledger was just read. */
  begin(snapshot: LedgerSnapshot): void {
    this.world.step();
    this.#apply({ kind: 'ledger-loaded', snapshot });
    this.subscribe(snapshot.framework?.record.frameworkId);
    this.#turn();
  }

  /** SIGTERM: it leaves, and everything else as it is. */
  stop(): void {
    if (this.world.mutations.has('stop-kills')) {
      for (const { record } of this.model.nodes.values()) {
        if (record.holder === undefined || this.stream === undefined) continue;
        this.world.judge.onKill(record.holder.taskId);
      }
    }
    this.#stopped = true;
    this.process.die();
  }

  onEvent(stream: Stream, event: SchedulerEvent): void {
    if (event.type === 'SUBSCRIBED' && stream.number > (this.stream?.number ?? 0)) this.stream = stream;
    if (stream !== this.stream) return;
    this.#dispatch({ kind: 'mesos', event });
  }

  onEnd(stream: Stream, how: 'disconnected' | 'replaced' | 'removed'): void {
    if (stream !== (this.stream ?? stream)) return;
    this.stream = undefined;
    this.#dispatch({
      kind: 'gateway',
      state: how === 'disconnected' ? { kind: how, reason: 'the connection broke' } : { kind: how },
    });
    if (how === 'disconnected') this.#subscribeLater();
  }

  /** As `mayLead`: who is not sure to lead asks first, for another one may have the framework by now. */
  subscribe(frameworkId: string | undefined): void {
    const sentMs = this.process.machine.uptimeMs();
    if (sentMs - this.#confirmedSentMs < SESSION_MS) {
      this.#subscribeNow(frameworkId);
      return;
    }
    askWhetherLeading(this, (answer) => {
      if (answer === 'leads') this.#confirmedSentMs = sentMs;
      if (answer === 'deposed') this.leave('it was deposed');
      else this.#subscribeLater();
    });
  }

  #subscribeNow(frameworkId: string | undefined): void {
    const { world, process } = this;
    world.network.request(
      { from: process.machine.place, to: MASTER, limitMs: 15_000, lane: this.lane },
      () => (process.alive ? world.master.subscribe(this, frameworkId) : undefined),
      ({ value }) =>
        process.deliver(() => {
          if (value === undefined) this.#subscribeLater();
        }),
    );
  }

  /** What it waits for, in words. */
  waits(): string[] {
    const { desired, model, world } = this;
    const steps = plan({ desired, model, now: this.now(), uuid: world.random.uuid() });
    return steps.flatMap((step) =>
      step.kind === 'wait' ? [`${step.nodeId ?? ''} ${step.rule}: ${step.reason}`] : [],
    );
  }

  now(): Now {
    const monotonicMs = this.process.machine.uptimeMs();
    return { wallMs: EPOCH_START_MS + monotonicMs, monotonicMs };
  }

  /** What a step brought about, and on to the next. */
  answer(event: CoreEvent | undefined): void {
    this.process.deliver(() => {
      if (this.#stopped) return;
      this.world.step();
      this.#acting = false;
      if (event !== undefined) this.#apply(event);
      this.#turn();
    });
  }

  order(event: CoreEvent): void {
    this.process.deliver(() => this.#dispatch(event));
  }

  /** Another leads, or the subscription is somebody else's: it leaves. */
  leave(why: string): void {
    this.world.say(this.process.name, `leaves: ${why}`);
    this.#stopped = true;
    this.process.die();
  }

  #subscribeLater(): void {
    this.process.after(this.world.random.between(200, 3_000), () => {
      if (this.stream !== undefined || this.#stopped || this.model.session.state === 'ended') return;
      this.subscribe(this.model.framework?.record.frameworkId);
    });
  }

  #dispatch(event: CoreEvent): void {
    if (this.#stopped) return;
    this.world.step();
    this.#apply(event);
    if (this.#asleep === undefined) return;
    this.#asleep.cancel();
    this.#asleep = undefined;
    this.#turn();
  }

  #turn(): void {
    if (this.#acting || this.#stopped) return;
    const { desired, model, world } = this;
    const steps = plan({
      ...{ desired, model, now: this.now() },
      // Hardly ever asked for.
      get uuid() {
        return world.random.uuid();
      },
    });
    const step = nextStep(steps);
    if (step !== undefined) {
      this.#carryOut(step);
      return;
    }
    world.judge.onIdle(this, steps);
    this.#asleep = this.process.after(this.#tickMs, () => {
      world.step();
      this.#asleep = undefined;
      this.#turn();
    });
  }

  #carryOut(step: Step): void {
    if (this.world.tracing) this.world.say(this.process.name, describe(step));
    this.#acting = true;
    carryOut(this, step);
  }

  #apply(event: CoreEvent): void {
    if (this.world.tracing) this.world.say(this.process.name, `hears ${describeEvent(event)}`);
    this.model = reduce(this.desired, this.model, event, this.now());
  }
}

function describe(step: Step): string {
  switch (step.kind) {
    case 'record-node':
    case 'assign': {
      const { nodeId, epoch, phase, holder, why } = step.record;
      return `${step.kind} node ${nodeId} epoch ${epoch} ${phase} on ${holder?.host ?? 'no host'}: ${why}`;
    }
    case 'open-epoch':
    case 'close-epoch':
      return `${step.kind} node ${step.nodeId} epoch ${step.epoch}`;
    case 'accept':
      return `accept node ${step.nodeId} ${step.intent.taskId}`;
    case 'kill':
      return `kill ${step.taskId}`;
    default:
      return step.kind;
  }
}

function describeEvent(event: CoreEvent): string {
  switch (event.kind) {
    case 'mesos': {
      if (event.event.type !== 'UPDATE') return event.event.type;
      const { taskId, state, source, reason } = event.event.update.status;
      return `UPDATE ${taskId} ${state} ${source ?? ''} ${reason ?? ''}`;
    }
    case 'gateway':
      return event.state.kind;
    case 'step-failed':
      return `step-failed ${event.step.kind}: ${event.error}`;
    case 'done':
      return `done ${event.step.kind}`;
    default:
      return event.kind;
  }
}
