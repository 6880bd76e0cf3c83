/** The executor's process: the real machine (`core/machine.ts`), driven as `run/executor.ts` does it. */
import {
  decodeLaunchSpec,
  encodeJson,
  encodeLaunchSpec,
  NODE_ID_VARIABLE,
  NODE_MARK_VARIABLE,
} from '@mesos-elasticsearch/contract';
import {
  initialState,
  transition,
  type Effect,
  type MachineEvent,
  type State,
} from '@mesos-elasticsearch/executor/core';
import type { StatusUuid, TaskId, TaskInfo, TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { Agent } from './agent.ts';
import { Hands } from './hands.ts';
import { Process } from './machines.ts';
import type { World } from './world.ts';

const DRAIN_MS = 5_000;

/**
 * The task that copies is played by the machine of a node: lease, guard, stop and detaching are the same. What runs
 * under its guard is the copier, and its volumes are the new ones too.
 */
function asNode(data: Uint8Array | undefined): Uint8Array | undefined {
  const spec = data === undefined ? undefined : decodeLaunchSpec(data);
  return spec?.purpose === 'migrate' ? encodeLaunchSpec({ ...spec, purpose: 'run' }) : data;
}

export class Executor {
  readonly world: World;
  readonly process: Process;
  readonly agent: Agent;
  readonly task: TaskInfo;
  /** Not acknowledged by the agent yet, in order; they outlive the agent's restart. */
  readonly updates: TaskStatus[] = [];
  hands: Hands | undefined;
  #state: State;
  #subscribed = false;
  #lostAgent: { cancel: () => void } | undefined;
  #finishing = false;
  readonly #queue: MachineEvent[] = [];
  #busy = false;

  constructor(world: World, agent: Agent, task: TaskInfo) {
    this.world = world;
    this.agent = agent;
    this.task = task;
    this.#state = initialState({ shutdownStopMs: 20_000 }, world.executorSafety);
    this.process = new Process(agent.machine, `executor ${task.taskId}`, () => agent.onExecutorEnd(this));
  }

  get phase(): State['phase'] {
    return this.#state.phase;
  }

  /** Whose it is, for whoever looks through the machine's processes. */
  get mark(): string {
    return this.#variable(NODE_MARK_VARIABLE) ?? '';
  }

  launch(): void {
    this.receive({
      kind: 'launch',
      taskId: this.task.taskId,
      data: asNode(this.task.data),
      environmentNodeId: this.#variable(NODE_ID_VARIABLE),
    });
  }

  /** One event from outside, with all that follows from it at once. */
  receive(event: MachineEvent): void {
    this.world.step();
    this.emit(event);
  }

  emit(event: MachineEvent): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (this.world.tracing) this.world.say(this.process.name, `${next.kind} in ${this.#state.phase}`);
      const { state, effects } = transition(this.#state, next);
      this.#state = state;
      for (const effect of effects) this.#act(effect);
    }
    this.#busy = false;
  }

  onSubscribed(): void {
    this.#subscribed = true;
    this.#lostAgent?.cancel();
    this.#flush();
  }

  /** The agent's process is gone: it is waited for, but not for ever. */
  onAgentLost(): void {
    this.#subscribed = false;
    this.#lostAgent?.cancel();
    this.#lostAgent = this.process.after(this.world.settings.executorRecoveryMs, () =>
      this.receive({ kind: 'agent-gone' }),
    );
  }

  onAcknowledged(status: TaskStatus): void {
    const index = this.updates.indexOf(status);
    if (index >= 0) this.updates.splice(index, 1);
    if (this.#finishing && this.updates.length === 0) this.process.die();
  }

  #variable(wanted: string): string | undefined {
    const variables = this.task.executor?.command?.environment?.variables ?? [];
    return variables.find(({ name }) => name === wanted)?.value;
  }

  #act(effect: Effect): void {
    switch (effect.kind) {
      case 'send-status': {
        const { taskId, message, healthy } = effect.status;
        const copy = this.hands?.copyReport;
        // The machine of this package knows nodes: the end of one that has copied everything is its success.
        const whole = copy?.stage === 'verified' && effect.status.state === 'TASK_FAILED';
        const state = whole ? 'TASK_FINISHED' : effect.status.state;
        const report = copy ?? effect.status.report;
        const status: TaskStatus = {
          taskId: taskId as TaskId,
          ...{ state, source: 'SOURCE_EXECUTOR', uuid: this.world.random.uuid() as StatusUuid },
          ...(message === undefined ? {} : { message }),
          ...(healthy === undefined ? {} : { healthy }),
          ...(report === undefined ? {} : { data: encodeJson(report) }),
        };
        this.updates.push(status);
        this.#flush();
        return;
      }
      case 'start-timer':
        this.process.after(effect.ms, () => this.receive({ kind: 'timer', name: effect.name }));
        return;
      case 'log':
        if (this.world.tracing) {
          this.world.say(this.process.name, `${effect.message} ${JSON.stringify(effect.fields)}`);
        }
        return;
      case 'finish':
        this.hands?.close();
        this.#finish();
        return;
      case 'prepare':
        this.hands = new Hands(this, effect.spec);
        this.hands.act(effect);
        return;
      default:
        this.hands?.act(effect);
    }
  }

  #finish(): void {
    this.#finishing = true;
    this.process.after(this.updates.length === 0 ? 1 : DRAIN_MS, () => this.process.die());
  }

  #flush(): void {
    if (!this.#subscribed) return;
    for (const status of this.updates) this.world.after(0.5, () => this.agent.onUpdate(this, status));
  }
}
