/** One "machine" of the embedded cluster: an agent, its wire to the master, and all that runs on it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '@mesos-elasticsearch/mesos-v1';
import { agentId as parseAgentId } from '@mesos-elasticsearch/mesos-v1';
import { killFamily, signal, stopAll } from '../processes/kill-family.ts';
import { machinePids } from '../processes/machine-pids.ts';
import { readProcess } from '../processes/process-table.ts';
import { Child } from './child.ts';

export interface EmbeddedAgentSpec {
  /** How `ClusterControl` calls it. */
  readonly name: string;
  /** Name in offers; different for each agent, as on different machines. */
  readonly hostname: string;
  /** `cpus:2;mem:2048;disk:10000;ports:[31000-31999]` */
  readonly resources: string;
  /** `rack:r1;zone:z1` */
  readonly attributes?: string;
  /** Environment variables for every executor of this agent (an executor inherits nothing else). */
  readonly environment?: Readonly<Record<string, string>>;
  /** pids that die with this machine, such as its volume driver's. */
  readonly machineProcesses?: readonly number[];
  /** More flags of `local agent`, without the dashes. */
  readonly flags?: Readonly<Record<string, string>>;
}

interface Surroundings {
  readonly program: readonly string[];
  readonly workDir: string;
  /** `host:port` */
  readonly master: string;
}

export class EmbeddedMachine {
  readonly spec: EmbeddedAgentSpec;
  /** Absolute; the sandboxes lie below it. */
  readonly workDir: string;
  readonly #around: Surroundings;
  readonly #registered: Map<number, string>;
  #link!: Child;
  #linkPort = 0;
  #agent!: Child;
  #endpoint = '';
  #agentId!: AgentId;

  constructor(spec: EmbeddedAgentSpec, around: Surroundings) {
    this.spec = spec;
    this.#around = around;
    this.workDir = join(around.workDir, 'agents', spec.name);
    this.#registered = new Map();
    mkdirSync(this.workDir, { recursive: true, mode: 0o755 });
  }

  get pid(): number {
    return this.#agent.pid;
  }
  get endpoint(): string {
    return this.#endpoint;
  }
  get agentId(): AgentId {
    return this.#agentId;
  }

  async start(): Promise<void> {
    const { program, master } = this.#around;
    const argv = [...program, 'machine-link', `--work_dir=${this.workDir}`, `--master=${master}`];
    this.#link = new Child(argv, this.#log('link'));
    this.#linkPort = (await this.#link.listening()).port;
    for (const pid of this.spec.machineProcesses ?? []) await this.register(pid);
    await this.startAgent();
    const { registered } = await this.#agent.line((line) => 'registered' in line);
    this.#agentId = parseAgentId((registered as { agentId: string }).agentId);
  }

  /** Resolves when the agent listens; it registers by itself. `reconnect`: the machine is back on the network. */
  async startAgent(options: { reconnect?: boolean } = {}): Promise<void> {
    if (options.reconnect === true) await this.letBytesFlow();
    const { program } = this.#around;
    const { spec } = this;
    const flags: Record<string, string> = {
      master: `127.0.0.1:${this.#linkPort}`,
      work_dir: this.workDir,
      hostname: spec.hostname,
      resources: spec.resources,
      command_executor: JSON.stringify([...program, 'command-executor']),
      ...(spec.attributes === undefined ? {} : { attributes: spec.attributes }),
      ...(spec.environment === undefined
        ? {}
        : { executor_environment_variables: JSON.stringify(spec.environment) }),
      ...spec.flags,
    };
    const written = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.#agent = new Child([...program, 'agent', '--exit_with_stdin', ...written], this.#log('agent'));
    const { host, port } = await this.#agent.listening();
    this.#endpoint = `${host}:${port}`;
    await this.#tellMembers();
  }

  /** From now on this process dies, freezes and thaws with the machine. */
  async register(pid: number): Promise<void> {
    const startTime = readProcess(pid)?.startTime;
    if (startTime === undefined)
      throw new Error(`there is no process ${pid} to register on ${this.spec.name}`);
    this.#registered.set(pid, startTime);
    await this.#tellMembers();
  }

  /** Agent, executors, registered processes and everything below them, as of now. */
  pids(): Set<number> {
    const own = [...this.#registered].filter(([pid, startTime]) => readProcess(pid)?.startTime === startTime);
    return machinePids(this.workDir, [this.#agent.pid, ...own.map(([pid]) => pid)]);
  }

  /** First silent, then dead. Resolves with everyone killed, when the last is gone. */
  async kill(): Promise<ReadonlySet<number>> {
    // A dead machine says nothing more, not even that its connections are closed.
    await this.holdBytes();
    return killFamily(() => this.pids());
  }

  freeze(): void {
    stopAll(() => this.pids());
  }

  thaw(): void {
    for (const pid of this.pids()) signal(pid, 'SIGCONT');
  }

  async killAgent(): Promise<void> {
    signal(this.#agent.pid, 'SIGKILL');
    await this.#agent.exited;
  }

  async holdBytes(): Promise<void> {
    await this.#link.command('hold');
  }

  async letBytesFlow(): Promise<void> {
    await this.#link.command('flow');
  }

  async stop(): Promise<void> {
    await killFamily(() => this.pids());
    this.#link.endInput();
    await this.#link.exited;
  }

  /** The wire's process clears the machine away should we die without a word. */
  async #tellMembers(): Promise<void> {
    const agent = this.#endpoint === '' ? [] : [this.#agent.pid];
    await this.#link.command(['machine', ...agent, ...this.#registered.keys()].join(' '));
  }

  #log(part: string): string {
    return join(this.#around.workDir, `${this.spec.name}-${part}.log`);
  }
}
