/** A Mesos-compatible master and agents, each its own process, with a control that can harm each of them. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AgentId } from '@mesos-elasticsearch/mesos-v1';
import type { ClusterControl, Victim } from '../cluster-control.ts';
import { formatDuration } from '../core/duration.ts';
import { signal } from '../processes/kill-family.ts';
import { Child } from './child.ts';
import { EmbeddedMachine } from './embedded-machine.ts';
import type { EmbeddedAgentSpec } from './embedded-machine.ts';

export interface EmbeddedClusterOptions {
  /** argv to which `master` or `agent` and its flags are appended, e.g. `[node, mesos-elasticsearch.mjs, 'local']`. */
  readonly program: readonly string[];
  readonly agents: readonly EmbeddedAgentSpec[];
  /** Logs, checkpoints and sandboxes; made if absent. Must be reachable by the users executors run as. */
  readonly workDir: string;
  /** Default 1 000, so that losses show quickly (a real master: 15 000). */
  readonly agentPingTimeoutMs?: number;
  /** Default 3 (a real master: 5). */
  readonly maxAgentPingTimeouts?: number;
  /** Default 0: a free one. */
  readonly masterPort?: number;
  /** More flags of `local master`, without the dashes. */
  readonly masterFlags?: Readonly<Record<string, string>>;
}

export interface EmbeddedAgent {
  readonly agentId: AgentId;
  readonly hostname: string;
  /** The agent process now; changes when it is started again. */
  readonly pid: number;
  /** `host:port` of its executor API. */
  readonly endpoint: string;
  readonly workDir: string;
}

export interface EmbeddedCluster {
  /** `host:port` */
  readonly master: string;
  readonly masterUrl: string;
  readonly control: ClusterControl;
  /** By name, in the order given. */
  readonly agents: ReadonlyMap<string, EmbeddedAgent>;
  /** Makes a process part of a machine: it freezes, thaws and dies with it. Rejects if it does not run. */
  registerOnMachine(agent: string, pid: number): Promise<void>;
  /** Everything that runs on that machine now: agent, executors, registered processes and all below. */
  machinePids(agent: string): ReadonlySet<number>;
  /** As `control.kill` of the machine; resolves with every pid that was killed. */
  killMachine(agent: string): Promise<ReadonlySet<number>>;
  /** Ends every process of the cluster, executors included. May be called twice. */
  stop(): Promise<void>;
}

class Cluster implements EmbeddedCluster {
  readonly control: ClusterControl;
  readonly #options: EmbeddedClusterOptions;
  readonly #workDir: string;
  readonly #machines = new Map<string, EmbeddedMachine>();
  #master!: Child;
  #address = '';

  constructor(options: EmbeddedClusterOptions) {
    this.#options = options;
    this.#workDir = resolve(options.workDir);
    mkdirSync(this.#workDir, { recursive: true, mode: 0o755 });
    this.control = {
      kill: (victim) => this.#kill(victim),
      freeze: (victim) => this.#freeze(victim),
      thaw: (victim) => this.#thaw(victim),
      start: (victim) => this.#start(victim),
      partition: (victim) => this.#machine(victim).holdBytes(),
      heal: (victim) => this.#machine(victim).letBytesFlow(),
    };
  }

  get master(): string {
    return this.#address;
  }
  get masterUrl(): string {
    return `http://${this.#address}`;
  }
  get agents(): ReadonlyMap<string, EmbeddedAgent> {
    return new Map(
      [...this.#machines].map(([name, machine]) => {
        const { agentId, pid, endpoint, workDir, spec } = machine;
        return [name, { agentId, pid, endpoint, workDir, hostname: spec.hostname }];
      }),
    );
  }

  async start(): Promise<void> {
    await this.#startMaster(this.#options.masterPort ?? 0);
    const around = { program: this.#options.program, workDir: this.#workDir, master: this.#address };
    for (const spec of this.#options.agents) this.#machines.set(spec.name, new EmbeddedMachine(spec, around));
    await Promise.all([...this.#machines.values()].map((machine) => machine.start()));
  }

  registerOnMachine(agent: string, pid: number): Promise<void> {
    return this.#named(agent).register(pid);
  }

  machinePids(agent: string): ReadonlySet<number> {
    return this.#named(agent).pids();
  }

  killMachine(agent: string): Promise<ReadonlySet<number>> {
    return this.#named(agent).kill();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#machines.values()].map((machine) => machine.stop()));
    this.#machines.clear();
    await this.#killMaster();
  }

  async #startMaster(port: number): Promise<void> {
    const flags: Record<string, string> = {
      port: String(port),
      work_dir: join(this.#workDir, 'master'),
      agent_ping_timeout: formatDuration(this.#options.agentPingTimeoutMs ?? 1_000),
      max_agent_ping_timeouts: String(this.#options.maxAgentPingTimeouts ?? 3),
      ...this.#options.masterFlags,
    };
    const written = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const argv = [...this.#options.program, 'master', '--exit_with_stdin', ...written];
    this.#master = new Child(argv, join(this.#workDir, 'master.log'));
    const { host, port: chosen } = await this.#master.listening();
    this.#address = `${host}:${chosen}`;
  }

  async #killMaster(): Promise<void> {
    signal(this.#master.pid, 'SIGKILL');
    await this.#master.exited;
  }

  #named(agent: string): EmbeddedMachine {
    const machine = this.#machines.get(agent);
    if (machine === undefined) {
      throw new Error(`there is no agent '${agent}'; there are: ${[...this.#machines.keys()].join(', ')}`);
    }
    return machine;
  }

  #machine(victim: Victim): EmbeddedMachine {
    if (victim.kind === 'master')
      throw new Error('only an agent or a machine can be cut off, not the master');
    return this.#named(victim.agent);
  }

  async #kill(victim: Victim): Promise<void> {
    if (victim.kind === 'master') await this.#killMaster();
    else if (victim.kind === 'agent') await this.#machine(victim).killAgent();
    else await this.#machine(victim).kill();
  }

  #freeze(victim: Victim): Promise<void> {
    if (victim.kind === 'machine') this.#machine(victim).freeze();
    else signal(this.#pid(victim), 'SIGSTOP');
    return Promise.resolve();
  }

  #thaw(victim: Victim): Promise<void> {
    if (victim.kind === 'machine') this.#machine(victim).thaw();
    else signal(this.#pid(victim), 'SIGCONT');
    return Promise.resolve();
  }

  async #start(victim: Victim): Promise<void> {
    if (victim.kind === 'master') await this.#startMaster(Number(this.#address.split(':')[1]));
    else await this.#machine(victim).startAgent({ reconnect: victim.kind === 'machine' });
  }

  #pid(victim: Victim): number {
    return victim.kind === 'master' ? this.#master.pid : this.#machine(victim).pid;
  }
}

/**
 * Resolves when every agent is registered. Rejects with the end of the log of the process that did not start;
 * nothing is left running then. Whatever happens to this process, its children end with it.
 */
export async function startEmbeddedCluster(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
  const cluster = new Cluster(options);
  try {
    await cluster.start();
  } catch (error) {
    await cluster.stop().catch(() => undefined);
    throw error;
  }
  return cluster;
}
