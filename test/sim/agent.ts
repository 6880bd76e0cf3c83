/** A Mesos agent as of 1.3.2: runs executors, hands on their updates in order, outlives its own restarts. */
import type { StatusUuid, TaskInfo, TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import { isTerminal } from '@mesos-elasticsearch/mesos-v1';
import { Executor } from './executor.ts';
import { Process, type Machine } from './machines.ts';
import { MASTER, type Lane } from './network.ts';
import type { World } from './world.ts';

const REGISTRATION_LIMIT_MS = 20_000;
const REREGISTRATION_LIMIT_MS = 2_000;
const FIRST_RESEND_MS = 10_000;
const LONGEST_RESEND_MS = 80_000;
const SHUTDOWN_GRACE_MS = 30_000;

/** Checkpointed: it outlives the agent's process, not its machine. */
export interface TaskEntry {
  readonly task: TaskInfo;
  readonly frameworkId: string;
  executor: Executor | undefined;
  delivered: boolean;
  killed: boolean;
  /** The container is gone, or was never made. */
  over: boolean;
  latest: TaskStatus['state'];
  /** Not acknowledged by the scheduler yet, oldest first; the first is in flight. */
  readonly updates: TaskStatus[];
  readonly seen: Set<string>;
  resends: number;
  timer: { cancel: () => void } | undefined;
}

export class Agent {
  readonly world: World;
  readonly machine: Machine;
  process: Process;
  agentId: string | undefined;
  readonly entries = new Map<string, TaskEntry>();
  /** Registered with the master of the moment, as far as the agent knows. */
  linked = false;
  readonly #up: Lane = { lastAtMs: 0 };
  #reaping = new Set<TaskEntry>();

  constructor(world: World, machine: Machine) {
    this.world = world;
    this.machine = machine;
    this.process = new Process(machine, `agent ${machine.name}`);
    this.process.after(world.random.between(10, 900), () => this.link());
  }

  /** After its process or its machine died. */
  restart(machineDied: boolean): void {
    if (!this.machine.alive || this.process.alive) return;
    const { world } = this;
    this.process = new Process(this.machine, `agent ${this.machine.name}`);
    this.#reaping = new Set();
    if (machineDied) {
      this.entries.clear();
      this.agentId = undefined;
    }
    this.linked = false;
    this.process.after(world.random.between(10, 900), () => this.link());
    for (const entry of this.entries.values()) this.#recover(entry);
  }

  /** Its executors notice at once; the master does when it misses the pings. */
  onProcessEnd(): void {
    for (const { executor } of this.entries.values()) {
      executor?.process.deliver(() => executor.onAgentLost());
    }
  }

  executors(): Executor[] {
    return [...this.entries.values()].flatMap(({ executor }) =>
      executor?.process.alive === true ? [executor] : [],
    );
  }

  /** Registers, again and again until the master answers. */
  link(): void {
    if (this.linked) return;
    const { process, world } = this;
    world.network.sendInOrder(this.#up, this.machine.place, MASTER, () =>
      world.master.onRegister(this, process),
    );
    process.after(world.random.between(1_000, 3_000), () => this.link());
  }

  onLinked(agentId: string): void {
    this.agentId = agentId;
    this.linked = true;
    for (const entry of this.entries.values()) this.#forward(entry);
  }

  onUnlinked(): void {
    if (!this.linked) return;
    this.linked = false;
    this.process.after(this.world.random.between(100, 4_000), () => this.link());
  }

  runTask(task: TaskInfo, frameworkId: string): void {
    if (this.entries.has(task.taskId)) return;
    const entry = newEntry(task, frameworkId);
    this.entries.set(task.taskId, entry);
    const { random } = this.world;
    this.process.after(random.between(100, 1_500), () => {
      if (entry.killed) return;
      if (random.chance(0.02)) {
        this.#end(entry, 'TASK_FAILED', 'REASON_CONTAINER_LAUNCH_FAILED', 'the fetcher failed');
        return;
      }
      const executor = new Executor(this.world, this, task);
      entry.executor = executor;
      executor.process.after(random.between(50, 600), () => this.#subscribe(entry, executor));
      this.process.after(REGISTRATION_LIMIT_MS, () => {
        if (!entry.delivered) this.destroy(entry, 'REASON_EXECUTOR_REGISTRATION_TIMEOUT', 'TASK_FAILED');
      });
    });
  }

  kill(taskId: string): void {
    const entry = this.entries.get(taskId);
    if (entry === undefined) {
      this.say(taskId, 'TASK_DROPPED', 'REASON_EXECUTOR_TERMINATED', 'Cannot find executor');
    } else if (entry.delivered) {
      entry.executor?.process.deliver(() =>
        entry.executor?.receive({ kind: 'kill', taskId, graceMs: undefined }),
      );
    } else if (!entry.killed) {
      entry.killed = true;
      this.#end(entry, 'TASK_KILLED', 'REASON_TASK_KILLED_DURING_LAUNCH', 'killed before it was delivered');
      if (entry.executor?.process.alive === true) this.destroy(entry, undefined);
    }
  }

  message(taskId: string, data: Uint8Array): void {
    const executor = this.entries.get(taskId)?.executor;
    executor?.process.deliver(() => executor.receive({ kind: 'message', data }));
  }

  /** The framework is gone: what is left gets its grace, and then an end. */
  shutdown(frameworkId: string): void {
    for (const entry of this.entries.values()) {
      const { executor } = entry;
      if (executor === undefined || entry.over || entry.frameworkId !== frameworkId) continue;
      executor.process.deliver(() => executor.receive({ kind: 'shutdown' }));
      this.process.after(SHUTDOWN_GRACE_MS, () => this.destroy(entry, 'REASON_EXECUTOR_TERMINATED'));
    }
  }

  /** An update from the executor; it may come twice. */
  onUpdate(executor: Executor, status: TaskStatus): void {
    this.process.deliver(() => {
      const entry = this.entries.get(executor.task.taskId);
      if (entry?.executor !== executor || entry.over || status.uuid === undefined) return;
      this.world.after(0.5, () => executor.process.deliver(() => executor.onAcknowledged(status)));
      if (entry.seen.has(status.uuid) || isTerminal(entry.latest)) return;
      this.#queue(entry, { ...status, agentId: this.agentId as never });
    });
  }

  onAcknowledged(taskId: string, uuid: StatusUuid): void {
    const entry = this.entries.get(taskId);
    if (entry === undefined || entry.updates[0]?.uuid !== uuid) return;
    entry.updates.shift();
    entry.timer?.cancel();
    entry.resends = 0;
    if (entry.updates.length > 0) this.#forward(entry);
    else if (entry.over && isTerminal(entry.latest)) this.entries.delete(taskId);
  }

  /** Its parent waits for it; an agent that is down finds out when it recovers. */
  onExecutorEnd(executor: Executor): void {
    const entry = this.entries.get(executor.task.taskId);
    if (entry?.executor !== executor || !this.machine.alive) return;
    this.process.after(this.world.random.between(20, 1_000), () =>
      this.destroy(entry, 'REASON_EXECUTOR_TERMINATED'),
    );
  }

  /** Ends what is left of the container, as far as the launcher reaches, and then says so. */
  destroy(entry: TaskEntry, reason: string | undefined, state: TaskStatus['state'] = 'TASK_FAILED'): void {
    if (entry.over || this.#reaping.has(entry)) return;
    this.#reaping.add(entry);
    const { world } = this;
    entry.executor?.process.die();
    const guards = [...world.guards].filter(({ at }) => at.taskId === entry.task.taskId);
    const fails = guards.length > 0 && world.random.chance(0.05);
    const reached = fails || world.settings.launcher === 'posix' ? [] : guards.filter(({ tied }) => tied);
    for (const guard of reached) guard.kill();
    const finish = (): void => {
      if (reached.some((guard) => !guard.isGone)) {
        this.process.after(100, finish);
        return;
      }
      const text = fails
        ? 'Abnormal executor termination: the container was not destroyed'
        : 'Executor terminated';
      this.#end(entry, state, reason, text);
      if (entry.delivered) this.#toMaster(() => world.master.onExecutorEnd(this, entry.task.taskId));
    };
    this.process.after(world.random.between(5, 300), finish);
  }

  /** A status of a task that the agent knows nothing of. */
  say(taskId: string, state: TaskStatus['state'], reason: string, message: string): void {
    const entry = newEntry({ taskId } as TaskInfo, '');
    entry.over = true;
    this.entries.set(taskId, entry);
    this.#end(entry, state, reason, message);
  }

  #subscribe(entry: TaskEntry, executor: Executor): void {
    if (!this.process.alive) {
      executor.process.after(500, () => this.#subscribe(entry, executor));
      return;
    }
    this.process.deliver(() => {
      if (entry.over || entry.killed) return;
      const first = !entry.delivered;
      entry.delivered = true;
      executor.process.deliver(() => {
        if (first) executor.launch();
        executor.onSubscribed();
      });
    });
  }

  #recover(entry: TaskEntry): void {
    const { executor } = entry;
    if (entry.over) return;
    if (executor?.process.alive !== true) {
      this.process.after(100, () =>
        executor === undefined
          ? this.#end(entry, 'TASK_DROPPED', 'REASON_AGENT_RESTARTED', 'launched during an agent restart')
          : this.destroy(entry, 'REASON_EXECUTOR_TERMINATED'),
      );
      return;
    }
    let back = false;
    executor.process.after(this.world.random.between(0, 1_900), () => {
      back = true;
      this.#subscribe(entry, executor);
    });
    this.process.after(REREGISTRATION_LIMIT_MS, () => {
      if (!back) this.destroy(entry, 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT', 'TASK_GONE');
    });
  }

  #end(entry: TaskEntry, state: TaskStatus['state'], reason: string | undefined, message: string): void {
    entry.over = true;
    this.#reaping.delete(entry);
    if (isTerminal(entry.latest)) {
      if (entry.updates.length === 0) this.entries.delete(entry.task.taskId);
      return;
    }
    this.#queue(entry, {
      ...{
        taskId: entry.task.taskId,
        agentId: this.agentId as never,
        state,
        source: 'SOURCE_AGENT',
        message,
      },
      ...(reason === undefined ? {} : { reason }),
      uuid: this.world.random.uuid() as StatusUuid,
    });
  }

  #queue(entry: TaskEntry, status: TaskStatus): void {
    entry.latest = status.state;
    entry.seen.add(status.uuid ?? '');
    entry.updates.push(status);
    if (entry.updates.length === 1) this.#forward(entry);
  }

  #forward(entry: TaskEntry): void {
    const [status] = entry.updates;
    if (status === undefined) return;
    entry.timer?.cancel();
    const pause = Math.min(LONGEST_RESEND_MS, FIRST_RESEND_MS * 2 ** entry.resends);
    entry.resends += 1;
    entry.timer = this.process.after(pause, () => this.#forward(entry));
    this.#toMaster(() => this.world.master.onStatus(this, status, entry.latest));
  }

  #toMaster(run: () => void): void {
    if (this.linked) this.world.network.sendInOrder(this.#up, this.machine.place, MASTER, run);
  }
}

function newEntry(task: TaskInfo, frameworkId: string): TaskEntry {
  return {
    ...{
      task,
      frameworkId,
      executor: undefined,
      delivered: false,
      killed: false,
      over: false,
      latest: 'TASK_STAGING',
    },
    ...{ updates: [], seen: new Set<string>(), resends: 0, timer: undefined },
  };
}
