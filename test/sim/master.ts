/**
 * The Mesos master as a PARTITION_AWARE framework sees one of 1.3.2: subscriptions, offers with filters, updates
 * that are acknowledged in order, reconciliation, agents that go silent and come back.
 */
import { agentId, executorId, frameworkId } from '@mesos-elasticsearch/mesos-v1';
import { isTerminal } from '@mesos-elasticsearch/mesos-v1';
import type {
  Offer,
  SchedulerCall,
  SchedulerEvent,
  TaskInfo,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import type { Agent } from './agent.ts';
import type { Process } from './machines.ts';
import { MASTER, ServiceError } from './network.ts';
import { newAgent, offerOf, type Registered } from './registered-agent.ts';
import { NOT_CURRENT, Stream, type Subscriber } from './stream.ts';
import type { World } from './world.ts';

type CallOf<K extends SchedulerCall['type']> = Extract<SchedulerCall, { type: K }>;

const MISSES = 5;
const REREGISTER_LIMIT_MS = 60_000;

export class Master {
  readonly #world: World;
  agents = new Map<string, Registered>();
  /** Known to the registry, not heard of since the last failover: agent ID → until when it has time. */
  #recovered = new Map<string, number>();
  #completed = new Set<string>();
  #frameworks = 0;
  #agents = 0;
  #offers = 0;
  #streams = 0;
  stream: Stream | undefined;
  #suppressed = false;
  up = true;
  readonly #calls: { readonly [K in SchedulerCall['type']]?: (call: CallOf<K>, stream: Stream) => void } = {
    ACCEPT: (call, stream) => this.#accept(call, stream),
    DECLINE: ({ decline }) => this.#decline(decline.offerIds ?? [], decline.filters?.refuseSeconds),
    REVIVE: () => this.#revive(),
    SUPPRESS: () => void (this.#suppressed = true),
    KILL: ({ kill }) => this.#kill(kill.taskId, kill.agentId),
    ACKNOWLEDGE: ({ acknowledge }) => this.#acknowledge(acknowledge),
    RECONCILE: ({ reconcile }) => this.#reconcile(reconcile.tasks ?? []),
    MESSAGE: ({ message }) => this.#message(message.agentId, message.executorId, message.data),
  };

  constructor(world: World) {
    this.#world = world;
    this.#everySecond();
  }

  // Subscriptions

  subscribe(subscriber: Subscriber, id: string | undefined): Stream {
    if (!this.up) throw new ServiceError('the master is down');
    const given = id ?? `framework-${(this.#frameworks += 1)}`;
    const stream = new Stream(subscriber, given, (this.#streams += 1));
    if (this.#completed.has(given)) {
      this.#tell(stream, () => subscriber.onEnd(stream, 'removed'));
      stream.open = false;
      return stream;
    }
    const former = this.stream;
    if (former !== undefined && former.frameworkId === given) {
      this.#tell(former, () => former.subscriber.onEnd(former, 'replaced'));
      former.open = false;
    }
    this.#dropOffers();
    this.stream = stream;
    this.#suppressed = false;
    this.#send({
      type: 'SUBSCRIBED',
      subscribed: { frameworkId: frameworkId(given), heartbeatIntervalSeconds: 15 },
    });
    return stream;
  }

  /** The connection broke: the scheduler notices, the master notices, each in its time. */
  breakStream(stream: Stream): void {
    const { random } = this.#world;
    const { subscriber } = stream;
    const wasOpen = stream.open;
    this.#world.after(random.between(100, 15_000), () => {
      if (this.stream !== stream || !stream.open) return;
      stream.open = false;
      this.#dropOffers();
      for (const entry of this.agents.values()) entry.filteredUntilMs = 0;
    });
    if (wasOpen) {
      this.#world.after(random.between(100, 15_000), () => {
        subscriber.process.deliver(() => subscriber.onEnd(stream, 'disconnected'));
      });
    }
    stream.lane.lastAtMs = Number.POSITIVE_INFINITY;
  }

  onSchedulerCut(place: number): void {
    const { stream } = this;
    if (stream?.open === true && stream.subscriber.process.machine.place === place) this.breakStream(stream);
  }

  /** An operator, or the failover timeout. */
  removeFramework(): void {
    const { stream } = this;
    if (stream === undefined || !this.up) return;
    this.#completed.add(stream.frameworkId);
    this.#tell(stream, () => stream.subscriber.onEnd(stream, 'removed'));
    stream.open = false;
    this.stream = undefined;
    this.#dropOffers();
    for (const entry of this.agents.values()) {
      for (const { frameworkId: id, taskId } of entry.tasks.values()) {
        if (id === stream.frameworkId) entry.tasks.delete(taskId);
      }
      this.#toAgent(entry, () => entry.agent.shutdown(stream.frameworkId));
    }
  }

  /** Another master leads: it knows the registry, and nothing of tasks. */
  failOver(): void {
    const { stream } = this;
    if (stream !== undefined) this.breakStream(stream);
    this.stream = undefined;
    const untilMs = this.#world.now + REREGISTER_LIMIT_MS;
    this.#recovered = new Map([...this.agents.keys()].map((id) => [id, untilMs]));
    for (const { agent } of this.agents.values()) agent.process.deliver(() => agent.onUnlinked());
    this.agents = new Map();
    this.#completed = new Set();
  }

  call(stream: Stream, call: SchedulerCall): void {
    if (!this.up) throw new ServiceError('the master is down');
    if (!stream.open || stream !== this.stream) throw new ServiceError(NOT_CURRENT);
    const handle = this.#calls[call.type] as ((call: SchedulerCall, stream: Stream) => void) | undefined;
    // The answer says only that the call was taken.
    this.#world.after(0, () => {
      if (this.up && stream.open) handle?.(call, stream);
    });
  }

  // Agents

  onRegister(agent: Agent, process: Process): void {
    if (!this.up || agent.process !== process) return;
    const id = agent.agentId ?? `agent-S${(this.#agents += 1)}`;
    for (const other of this.agents.values()) {
      // A new agent at the address of an old one, which therefore is gone.
      if (other.agent === agent && other.id !== id) this.#remove(other, 'TASK_LOST');
    }
    this.#recovered.delete(id);
    const known = this.agents.get(id);
    const entry = known ?? newAgent(id, agent);
    this.agents.set(id, entry);
    const returned = entry.state === 'unreachable';
    entry.state = 'active';
    entry.misses = 0;
    this.#toAgent(entry, () => agent.onLinked(id));
    this.#compareTasks(entry, returned);
  }

  onStatus(agent: Agent, status: TaskStatus, latest: TaskStatus['state']): void {
    const entry = this.#entryOf(agent);
    if (entry === undefined || entry.state !== 'active') return;
    const task = entry.tasks.get(status.taskId);
    if (task) task.state = isTerminal(latest) ? latest : status.state;
    this.#send({ type: 'UPDATE', update: { status } });
  }

  onExecutorEnd(agent: Agent, taskId: string): void {
    const entry = this.#entryOf(agent);
    if (entry === undefined || this.#world.random.chance(0.3)) return;
    const failure = { agentId: agentId(entry.id), executorId: executorId(taskId), status: 9 };
    this.#send({ type: 'FAILURE', failure });
  }

  onAgentCut(agent: Agent): void {
    const entry = this.#entryOf(agent);
    if (entry === undefined) return;
    this.#world.after(this.#world.random.between(10, 8_000), () => {
      if (entry.state === 'active' && !agent.linked) this.#disconnect(entry);
    });
  }

  /** SIGUSR1 at the agent: its tasks are called lost while their executors still take their time. */
  unregister(agent: Agent): void {
    const entry = this.#entryOf(agent);
    if (entry !== undefined) this.#remove(entry, 'TASK_LOST');
  }

  rescindAll(): void {
    for (const entry of this.agents.values()) this.#rescind(entry);
  }

  #entryOf(agent: Agent): Registered | undefined {
    return agent.agentId === undefined ? undefined : this.agents.get(agent.agentId);
  }

  #compareTasks(entry: Registered, returned: boolean): void {
    const { agent, tasks } = entry;
    for (const { task, frameworkId: id, latest } of agent.entries.values()) {
      if (tasks.has(task.taskId) || isTerminal(latest)) continue;
      if (this.#completed.has(id)) this.#toAgent(entry, () => agent.shutdown(id));
      else tasks.set(task.taskId, { taskId: task.taskId, frameworkId: id, state: latest });
    }
    for (const task of tasks.values()) {
      if (!agent.entries.has(task.taskId) && !isTerminal(task.state)) {
        const text = 'Reconciliation: task unknown to the agent';
        this.#toAgent(entry, () => agent.say(task.taskId, 'TASK_DROPPED', 'REASON_RECONCILIATION', text));
      } else if (returned && this.#world.settings.masterTellsReturns) {
        this.#say(task.taskId, task.state, 'REASON_AGENT_REREGISTERED', entry.id);
      }
    }
    for (const taskId of entry.toKill) this.#toAgent(entry, () => agent.kill(taskId));
    entry.toKill.clear();
  }

  #disconnect(entry: Registered): void {
    entry.state = 'disconnected';
    this.#rescind(entry);
  }

  #remove(entry: Registered, state: 'TASK_LOST' | 'TASK_UNREACHABLE'): void {
    this.#rescind(entry);
    for (const task of entry.tasks.values()) {
      if (isTerminal(task.state)) continue;
      this.#say(task.taskId, state, 'REASON_AGENT_REMOVED', entry.id);
    }
    this.#send({ type: 'FAILURE', failure: { agentId: agentId(entry.id) } });
    if (state === 'TASK_LOST') this.agents.delete(entry.id);
    else entry.state = 'unreachable';
  }

  #everySecond(): void {
    const world = this.#world;
    world.after(1_000, () => this.#everySecond());
    if (!this.up) return;
    for (const [id, untilMs] of this.#recovered) {
      if (world.now < untilMs) continue;
      this.#recovered.delete(id);
      this.#send({ type: 'FAILURE', failure: { agentId: agentId(id) } });
    }
    for (const entry of this.agents.values()) this.#ping(entry);
    this.#allocate();
  }

  #ping(entry: Registered): void {
    if (entry.state === 'unreachable') return;
    const { machine, process } = entry.agent;
    const answers = process.acts && !this.#world.network.isCut(MASTER, machine.place);
    if (answers) {
      entry.misses = 0;
      return;
    }
    entry.misses += 1;
    if (entry.misses * 1_000 >= MISSES * this.#world.settings.pingMs) this.#remove(entry, 'TASK_UNREACHABLE');
  }

  // Offers

  #allocate(): void {
    const { stream } = this;
    if (this.#suppressed || stream?.open !== true) return;
    const offers: Offer[] = [];
    for (const entry of this.agents.values()) {
      if (entry.state !== 'active' || entry.offer !== undefined) continue;
      if (entry.filteredUntilMs > this.#world.now) continue;
      this.#offers += 1;
      entry.offer = offerOf(`offer-${this.#offers}`, stream.frameworkId, entry);
      offers.push(entry.offer);
    }
    if (offers.length > 0) this.#send({ type: 'OFFERS', offers: { offers } });
  }

  #dropOffers(): void {
    for (const entry of this.agents.values()) entry.offer = undefined;
  }

  #rescind(entry: Registered): void {
    if (entry.offer === undefined) return;
    this.#send({ type: 'RESCIND', rescind: { offerId: entry.offer.id } });
    entry.offer = undefined;
  }

  #revive(): void {
    this.#suppressed = false;
    for (const entry of this.agents.values()) entry.filteredUntilMs = 0;
    this.#allocate();
  }

  #decline(ids: readonly string[], refuseSeconds: number | undefined): void {
    for (const entry of this.agents.values()) {
      if (entry.offer === undefined || !ids.includes(entry.offer.id)) continue;
      entry.offer = undefined;
      entry.filteredUntilMs = this.#world.now + (refuseSeconds ?? 5) * 1_000;
    }
  }

  #accept({ accept }: CallOf<'ACCEPT'>, stream: Stream): void {
    const ids = accept.offerIds ?? [];
    const entry = [...this.agents.values()].find(
      ({ offer }) => offer !== undefined && ids.includes(offer.id),
    );
    const tasks = accept.operations?.flatMap(({ launch }) => launch?.taskInfos ?? []) ?? [];
    for (const task of tasks) {
      if (entry === undefined) this.#say(task.taskId, 'TASK_DROPPED', 'REASON_INVALID_OFFERS', task.agentId);
      else this.#launch(entry, task, stream.frameworkId);
    }
    if (entry !== undefined) this.#decline(ids, accept.filters?.refuseSeconds);
  }

  #launch(entry: Registered, task: TaskInfo, framework: string): void {
    entry.tasks.set(task.taskId, { taskId: task.taskId, frameworkId: framework, state: 'TASK_STAGING' });
    this.#toAgent(entry, () => entry.agent.runTask(task, framework));
  }

  // Tasks

  #kill(taskId: string, agent: string | undefined): void {
    const entry = [...this.agents.values()].find(({ tasks }) => tasks.has(taskId));
    if (entry === undefined || entry.state === 'unreachable') {
      this.#reconcile([agent === undefined ? { taskId } : { taskId, agentId: agent }]);
    } else if (agent === undefined || agent === entry.id) {
      if (entry.state === 'active') this.#toAgent(entry, () => entry.agent.kill(taskId));
      else entry.toKill.add(taskId);
    }
  }

  #acknowledge({ agentId: id, taskId, uuid }: CallOf<'ACKNOWLEDGE'>['acknowledge']): void {
    const entry = this.agents.get(id);
    if (entry?.state !== 'active') return;
    const task = entry.tasks.get(taskId);
    if (task !== undefined && isTerminal(task.state)) entry.tasks.delete(taskId);
    this.#toAgent(entry, () => entry.agent.onAcknowledged(taskId, uuid));
  }

  #message(id: string, executor: string, data: Uint8Array): void {
    const entry = this.agents.get(id);
    if (entry?.state === 'active') this.#toAgent(entry, () => entry.agent.message(executor, data));
  }

  #reconcile(asked: readonly { readonly taskId: string; readonly agentId?: string }[]): void {
    if (asked.length === 0) {
      for (const entry of this.agents.values()) {
        if (entry.state === 'unreachable') continue;
        for (const task of entry.tasks.values()) this.#answer(task.taskId, task.state, entry.id);
      }
      return;
    }
    for (const { taskId, agentId: id } of asked) {
      const entry = [...this.agents.values()].find(({ tasks }) => tasks.has(taskId));
      const known = entry?.tasks.get(taskId);
      if (known !== undefined && entry?.state !== 'unreachable') this.#answer(taskId, known.state, entry?.id);
      else if (id === undefined ? this.#recovered.size > 0 : this.#recovered.has(id)) continue;
      else {
        const there = id === undefined ? undefined : this.agents.get(id);
        if (there === undefined) this.#answer(taskId, 'TASK_UNKNOWN', id);
        else this.#answer(taskId, there.state === 'unreachable' ? 'TASK_UNREACHABLE' : 'TASK_GONE', id);
      }
    }
  }

  #answer(taskId: string, state: TaskStatus['state'], agent: string | undefined): void {
    this.#say(taskId, state, 'REASON_RECONCILIATION', agent);
  }

  #say(taskId: string, state: TaskStatus['state'], reason: string, agent: string | undefined): void {
    const status = { taskId: taskId as never, state, source: 'SOURCE_MASTER', reason } as const;
    const from = agent === undefined ? {} : { agentId: agentId(agent) };
    this.#send({ type: 'UPDATE', update: { status: { ...status, ...from } } });
  }

  #send(event: SchedulerEvent): void {
    const { stream } = this;
    if (stream?.open !== true) return;
    this.#tell(stream, () => stream.subscriber.onEvent(stream, event));
  }

  #tell({ lane, subscriber }: Stream, run: () => void): void {
    const { process } = subscriber;
    if (lane.lastAtMs === Number.POSITIVE_INFINITY) return;
    this.#world.network.sendInOrder(lane, MASTER, process.machine.place, () => process.deliver(run));
  }

  #toAgent({ agent, lane }: Registered, run: () => void): void {
    const { process, machine } = agent;
    this.#world.network.sendInOrder(lane, MASTER, machine.place, () => process.deliver(run));
  }
}
