/**
 * A master with agents, in memory: offers with filters, launches, acknowledged updates in order, reconciliation,
 * lost agents. It answers as a PARTITION_AWARE framework sees it. Time is the manual clock's.
 */
import {
  agentId,
  executorId,
  frameworkId,
  type FrameworkId,
  type Offer,
  type SchedulerCall,
  type SchedulerEvent,
  type StatusUuid,
  type TaskId,
  type TaskInfo,
  type TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import type { LaunchSpec } from '@mesos-elasticsearch/contract';
import { isTerminal } from '@mesos-elasticsearch/mesos-v1';
import type { LeaseService } from '@mesos-elasticsearch/coordination';
import type { Clock, GatewayHandlers, MesosGateway } from '../ports.ts';
import { FakeExecutor, Holders } from './fake-executor.ts';
import { offerOf, SMALL } from './offers.ts';

export interface FakeAgent {
  readonly name: string;
  reachable: boolean;
  /** Has nothing to offer. */
  full: boolean;
  /** Offers enough for an executor, and not for a node. */
  small: boolean;
  filteredUntilMs: number;
  offered: Offer | undefined;
}

export interface FakeTask {
  readonly task: TaskInfo;
  readonly agent: FakeAgent;
  readonly executor: FakeExecutor;
  state: TaskStatus['state'];
  /** Not yet acknowledged, oldest first; the first is in flight. */
  readonly updates: TaskStatus[];
}

type CallOf<K extends SchedulerCall['type']> = Extract<SchedulerCall, { type: K }>;
type Subscription = { readonly handlers: GatewayHandlers; open: boolean };

export class FakeMaster {
  readonly calls: SchedulerCall[] = [];
  readonly agents = new Map<string, FakeAgent>();
  readonly tasks = new Map<string, FakeTask>();
  readonly holders = new Holders();
  /** Launch specs of the release tasks that had the right to let go. */
  readonly releases: LaunchSpec[] = [];
  /** Executors say RUNNING by themselves, right after STARTING. */
  runByThemselves = true;
  /** Tasks end with this reason before Elasticsearch is started. */
  unstartable: string | undefined;
  /** Tasks that migrate end by themselves, with a whole copy, a while after they have begun. */
  copyByThemselves = true;
  readonly #clock: Clock;
  readonly #leases: LeaseService;
  #subscription: Subscription | undefined;
  #frameworks = 0;
  #offers = 0;
  #updates = 0;
  #suppressed = false;
  #gone = false;
  #swallowed: SchedulerCall['type'] | undefined;

  constructor(clock: Clock, leases: LeaseService, agentNames: readonly string[]) {
    this.#clock = clock;
    this.#leases = leases;
    for (const name of agentNames) {
      this.agents.set(name, {
        name,
        reachable: true,
        full: false,
        small: false,
        filteredUntilMs: 0,
        offered: undefined,
      });
    }
    this.#allocateLater();
  }

  subscribe(id: string | undefined, handlers: GatewayHandlers): MesosGateway {
    const subscription: Subscription = { handlers, open: true };
    queueMicrotask(() => this.#subscribed(id, subscription));
    return {
      call: (call) => this.#call(subscription, call),
      close: () => {
        subscription.open = false;
        return Promise.resolve();
      },
    };
  }

  tasksOf(node: number): FakeTask[] {
    return [...this.tasks.values()].filter((entry) => entry.executor.spec.nodeId === node);
  }

  /** The newest task of a node. */
  taskOf(node: number): FakeTask {
    const task = this.tasksOf(node).at(-1);
    if (task === undefined) throw new Error(`no task of node ${node} was launched`);
    return task;
  }

  callsOf<K extends SchedulerCall['type']>(type: K): CallOf<K>[] {
    return this.calls.filter((call): call is CallOf<K> => call.type === type);
  }

  /** The next such call is lost, and its caller hears no answer. */
  swallowNext(type: SchedulerCall['type']): void {
    this.#swallowed = type;
  }

  /** The machine is dead: silent, and everything on it gone. */
  killMachine(name: string): void {
    this.#agent(name).reachable = false;
    this.#rescind(this.#agent(name));
    for (const task of this.#tasksOn(name)) task.executor.die();
  }

  /** Only the network between master and agent is cut. */
  partition(name: string): void {
    this.#agent(name).reachable = false;
    this.#rescind(this.#agent(name));
  }

  /** The master has missed the agent's pings for long enough. */
  declareUnreachable(name: string): void {
    for (const { task } of this.#tasksOn(name))
      this.sendAsMaster(task.taskId, 'TASK_UNREACHABLE', 'REASON_AGENT_REMOVED');
    this.send({ type: 'FAILURE', failure: { agentId: agentId(name) } });
  }

  /** From 1.5 on the master says that the tasks are back; before, it waits until it is asked. */
  heal(name: string, { saysSo }: { saysSo: boolean }): void {
    this.#agent(name).reachable = true;
    for (const entry of this.#tasksOn(name)) {
      if (isTerminal(entry.state)) this.resend(entry);
      else if (saysSo) this.sendAsMaster(entry.task.taskId, entry.state, 'REASON_AGENT_REREGISTERED');
    }
  }

  /** kill -9 of one executor: its agent notices and says so. */
  killExecutor(entry: FakeTask): void {
    entry.executor.die();
    this.update(entry, {
      state: 'TASK_FAILED',
      source: 'SOURCE_AGENT',
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'Executor terminated',
    });
    this.send({
      type: 'FAILURE',
      failure: {
        agentId: agentId(entry.agent.name),
        executorId: executorId(entry.task.taskId),
        status: 9,
      },
    });
  }

  sendAsMaster(task: string, state: TaskStatus['state'], reason: string): void {
    const agent = this.tasks.get(task)?.agent;
    const status: TaskStatus = { taskId: task as TaskId, state, source: 'SOURCE_MASTER', reason };
    this.send({
      type: 'UPDATE',
      update: { status: agent === undefined ? status : { ...status, agentId: agentId(agent.name) } },
    });
  }

  update(entry: FakeTask, status: Omit<TaskStatus, 'taskId'>): void {
    entry.state = status.state;
    this.#updates += 1;
    entry.updates.push({
      source: 'SOURCE_EXECUTOR',
      ...status,
      taskId: entry.task.taskId,
      agentId: agentId(entry.agent.name),
      uuid: `uuid-${this.#updates}` as StatusUuid,
    });
    if (entry.updates.length === 1) this.resend(entry);
  }

  /** The update in flight comes (again). */
  resend(entry: FakeTask): void {
    const [status] = entry.updates;
    if (status !== undefined && entry.agent.reachable) this.send({ type: 'UPDATE', update: { status } });
  }

  /** The framework is gone for the master: its ID is dead. */
  removeFramework(): void {
    this.#gone = true;
    const subscription = this.#subscription;
    if (subscription?.open === true) subscription.handlers.onState({ kind: 'removed' });
  }

  replaceScheduler(): void {
    if (this.#subscription?.open === true) this.#subscription.handlers.onState({ kind: 'replaced' });
  }

  disconnect(): void {
    const subscription = this.#subscription;
    if (subscription?.open !== true) return;
    this.#withdrawOffers();
    subscription.handlers.onState({ kind: 'disconnected', reason: 'the connection broke' });
  }

  reconnect(id: string): void {
    const subscription = this.#subscription;
    if (subscription !== undefined) this.#subscribed(id, subscription);
  }

  send(event: SchedulerEvent): void {
    if (this.#subscription?.open === true) this.#subscription.handlers.onEvent(event);
  }

  withdrawOffers(): void {
    for (const agent of this.agents.values()) this.#rescind(agent);
  }

  #subscribed(id: string | undefined, subscription: Subscription): void {
    if (!subscription.open) return;
    if (this.#subscription !== undefined) this.#subscription.open = false;
    subscription.open = true;
    this.#withdrawOffers();
    this.#subscription = subscription;
    this.#suppressed = false;
    if (id === undefined || this.#gone) this.#frameworks += 1;
    this.#gone = false;
    const given: FrameworkId = frameworkId(id ?? `framework-${this.#frameworks}`);
    this.send({ type: 'SUBSCRIBED', subscribed: { frameworkId: given, heartbeatIntervalSeconds: 15 } });
    for (const entry of this.tasks.values()) this.resend(entry);
  }

  async #call(from: Subscription, call: SchedulerCall): Promise<void> {
    if (!from.open || from !== this.#subscription) throw new Error('not subscribed');
    if (this.#swallowed === call.type) {
      this.#swallowed = undefined;
      throw new Error('no answer (fake)');
    }
    this.calls.push(call);
    // The answer comes before the effect.
    queueMicrotask(() => this.#take(call));
    return Promise.resolve();
  }

  #take(call: SchedulerCall): void {
    switch (call.type) {
      case 'ACCEPT': {
        this.#accept(call);
        return;
      }
      case 'DECLINE': {
        this.#decline(call);
        return;
      }
      case 'REVIVE':
        this.#suppressed = false;
        for (const agent of this.agents.values()) agent.filteredUntilMs = 0;
        {
          this.#allocate();
          return;
        }
      case 'SUPPRESS':
        this.#suppressed = true;
        return;
      case 'KILL': {
        this.#kill(call.kill.taskId);
        return;
      }
      case 'ACKNOWLEDGE': {
        this.#acknowledge(call);
        return;
      }
      case 'RECONCILE': {
        this.#reconcile(call.reconcile.tasks ?? []);
        return;
      }
      default:
        return;
    }
  }

  #accept({ accept }: CallOf<'ACCEPT'>): void {
    const agent = [...this.agents.values()].find((each) =>
      accept.offerIds?.includes(each.offered?.id as never),
    );
    for (const task of accept.operations?.flatMap((operation) => operation.launch?.taskInfos ?? []) ?? []) {
      if (agent === undefined) this.sendAsMaster(task.taskId, 'TASK_DROPPED', 'REASON_INVALID_OFFERS');
      else this.#launch(task, agent);
    }
    if (agent !== undefined) agent.offered = undefined;
  }

  #launch(task: TaskInfo, agent: FakeAgent): void {
    const executor = new FakeExecutor(task, {
      clock: this.#clock,
      leases: this.#leases,
      host: agent.name,
      holders: this.holders,
      unstartable: () => this.unstartable,
      released: (spec) => this.releases.push(spec),
      send: (status) => {
        this.update(entry, status);
        const runs = this.runByThemselves && executor.spec.purpose === 'run';
        if (status.state === 'TASK_STARTING' && runs) executor.sayRunning();
        const copies = this.copyByThemselves && executor.spec.purpose === 'migrate';
        if (status.state === 'TASK_STARTING' && copies) {
          this.#clock.after(3000, () => void executor.finishCopy());
        }
      },
    });
    const entry: FakeTask = { task, agent, executor, state: 'TASK_STAGING', updates: [] };
    this.tasks.set(task.taskId, entry);
    void executor.run();
  }

  #decline({ decline }: CallOf<'DECLINE'>): void {
    for (const agent of this.agents.values()) {
      if (agent.offered === undefined || decline.offerIds?.includes(agent.offered.id) !== true) continue;
      agent.offered = undefined;
      agent.filteredUntilMs = this.#clock.monotonicMs() + (decline.filters?.refuseSeconds ?? 5) * 1000;
    }
  }

  #kill(task: string): void {
    const entry = this.tasks.get(task);
    if (entry === undefined) {
      this.sendAsMaster(task, 'TASK_UNKNOWN', 'REASON_RECONCILIATION');
      return;
    }
    if (entry.agent.reachable && !isTerminal(entry.state)) void entry.executor.stop('TASK_KILLED');
  }

  #acknowledge({ acknowledge }: CallOf<'ACKNOWLEDGE'>): void {
    const entry = this.tasks.get(acknowledge.taskId);
    if (entry?.updates[0]?.uuid !== acknowledge.uuid) return;
    entry.updates.shift();
    this.resend(entry);
  }

  #reconcile(asked: readonly { readonly taskId: TaskId }[]): void {
    const known = [...this.tasks.values()].filter(
      (entry) => !isTerminal(entry.state) && entry.agent.reachable,
    );
    const all = asked.length > 0 ? asked.map((each) => each.taskId) : known.map((entry) => entry.task.taskId);
    for (const task of all) {
      const entry = this.tasks.get(task);
      const state =
        entry === undefined ? 'TASK_UNKNOWN' : entry.agent.reachable ? entry.state : 'TASK_UNREACHABLE';
      this.sendAsMaster(task, state, 'REASON_RECONCILIATION');
    }
  }

  #allocateLater(): void {
    this.#clock.after(1000, () => {
      this.#allocate();
      this.#allocateLater();
    });
  }

  #allocate(): void {
    if (this.#suppressed || this.#subscription?.open !== true) return;
    const offers = [...this.agents.values()].flatMap((agent) => {
      const filtered = agent.filteredUntilMs > this.#clock.monotonicMs();
      if (!agent.reachable || agent.full || filtered || agent.offered !== undefined) return [];
      this.#offers += 1;
      agent.offered = offerOf(`offer-${this.#offers}`, agent.name, agent.small ? SMALL : {});
      return [agent.offered];
    });
    if (offers.length > 0) this.send({ type: 'OFFERS', offers: { offers } });
  }

  #withdrawOffers(): void {
    for (const agent of this.agents.values()) agent.offered = undefined;
  }

  #rescind(agent: FakeAgent): void {
    if (agent.offered === undefined) return;
    const { id } = agent.offered;
    agent.offered = undefined;
    this.send({ type: 'RESCIND', rescind: { offerId: id } });
  }

  #agent(name: string): FakeAgent {
    const agent = this.agents.get(name);
    if (agent === undefined) throw new Error(`no agent ${name}`);
    return agent;
  }

  #tasksOn(name: string): FakeTask[] {
    return [...this.tasks.values()].filter((entry) => entry.agent.name === name);
  }
}
