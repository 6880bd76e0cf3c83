/** Everything that is simulated, under one clock and one seed. */
import { EXECUTOR_SAFETY, type ExecutorSafety } from '@mesos-elasticsearch/executor/core';
import type {
  DesiredCluster,
  ElasticsearchOutcome,
  ElasticsearchQuestion,
} from '@mesos-elasticsearch/scheduler/core';
import { Agenda, type Entry } from './agenda.ts';
import { Agent } from './agent.ts';
import type { Guard } from './guard.ts';
import { Judge } from './judge.ts';
import { Leadership } from './leadership.ts';
import { Machine, type Process } from './machines.ts';
import { Master } from './master.ts';
import { safetyWithout, executorSafetyWithout, type Mutation } from './mutations.ts';
import { hostPlace, Network } from './network.ts';
import { Random } from './random.ts';
import { Leases, Ledger, Terms } from './services.ts';
import { desiredCluster, type Settings } from './settings.ts';
import { Volumes } from './volumes.ts';

const WRITE_EVERY_MS = 1_500;

export interface TraceLine {
  readonly atMs: number;
  readonly step: number;
  readonly actor: string;
  readonly text: string;
}

export class World {
  readonly settings: Settings;
  readonly random: Random;
  readonly mutations: ReadonlySet<Mutation>;
  readonly desired: DesiredCluster;
  readonly executorSafety: ExecutorSafety;
  readonly agenda = new Agenda();
  readonly trace: TraceLine[] = [];
  readonly tracing: boolean;
  now = 0;
  /** Delivered messages, timers, faults and crashes that a real core has handled. */
  steps = 0;
  readonly judge: Judge;
  readonly network: Network;
  readonly volumes: Volumes;
  readonly leases: Leases;
  readonly ledger: Ledger;
  readonly terms = new Terms();
  readonly master: Master;
  readonly machines: readonly Machine[];
  readonly agents: readonly Agent[];
  readonly leadership: Leadership;
  readonly guards = new Set<Guard>();
  /** What the next executor meets that is about to do this. */
  ambush: { readonly at: string; readonly kills: boolean; readonly lengthMs: number } | undefined;
  /** What is set for the allocation of shards; null: nothing. */
  allocation: string | null = null;
  readonly troubleUntilMs = { store: 0, leases: 0 };
  #documents = 0;

  constructor(
    seed: number,
    settings: Settings,
    how: { readonly mutations: ReadonlySet<Mutation>; readonly tracing: boolean },
  ) {
    this.settings = settings;
    this.random = new Random(seed, 2);
    this.mutations = how.mutations;
    this.tracing = how.tracing;
    this.desired = desiredCluster(settings, safetyWithout(how.mutations));
    this.executorSafety = how.mutations.size === 0 ? EXECUTOR_SAFETY : executorSafetyWithout(how.mutations);
    this.judge = new Judge(this);
    this.network = new Network(this);
    this.volumes = new Volumes(this);
    this.leases = new Leases(this);
    this.ledger = new Ledger(this);
    this.master = new Master(this);
    this.machines = Array.from(
      { length: settings.agents },
      (_, index) => new Machine(this, `host-${index + 1}`, hostPlace(index)),
    );
    this.agents = this.machines.map((machine) => new Agent(this, machine));
    this.leadership = new Leadership(this);
    this.#write();
  }

  after(ms: number, run: () => void): Entry {
    return this.agenda.add(this.now + ms, run);
  }

  /** A real core is about to handle something. */
  step(): void {
    this.steps += 1;
  }

  say(actor: string, text: string): void {
    if (this.tracing) this.trace.push({ atMs: this.now, step: this.steps, actor, text });
  }

  /** Runs what is due until then, or until `done` says so. */
  run(untilMs: number, done: () => boolean = () => false): void {
    for (let entry = this.agenda.nextUntil(untilMs); entry; entry = this.agenda.nextUntil(untilMs)) {
      this.now = entry.atMs;
      entry.run?.();
      if (done()) return;
    }
    this.now = untilMs;
  }

  fateOf(service: 'store' | 'leases'): 'answers' | 'fails' | 'silent' {
    if (this.now >= this.troubleUntilMs[service]) return 'answers';
    return this.random.pick(['answers', 'fails', 'silent']);
  }

  /** An executor is about to do something: between any two things it may be frozen, or killed. */
  onHands(process: Process, at: string): 'before' | 'within' {
    const { ambush } = this;
    if (ambush?.at !== at) return 'within';
    this.ambush = undefined;
    this.say('fault', `${ambush.kills ? 'kills' : 'freezes'} ${process.name} at ${at}`);
    if (ambush.kills) process.die();
    else {
      process.freeze();
      this.after(ambush.lengthMs, () => process.thaw());
    }
    return this.random.pick(['before', 'within']);
  }

  wantedNodes(): number {
    return this.ledger.framework?.record.wantedNodes ?? this.settings.nodes;
  }

  /** Lowest first. */
  heldNodeIds(): number[] {
    return [...this.ledger.nodes.values()]
      .filter(({ record: { phase } }) => phase !== 'vacant' && phase !== 'retired')
      .map(({ record }): number => record.nodeId)
      .sort((a, b) => a - b);
  }

  /** Every wanted node is recorded as running, and it is true. */
  isWhole(): boolean {
    const running = [...this.ledger.nodes.values()].filter(({ record }) => record.phase === 'running');
    if (running.length !== this.wantedNodes() || running.length !== this.heldNodeIds().length) return false;
    if (this.leadership.leader === undefined) return false;
    return running.every(({ record }) =>
      [...this.judge.livesOf(record.nodeId)].some(({ at, joined }) => joined && at.epoch === record.epoch),
    );
  }

  /** As the cluster says it: whole or not, for its shards are not simulated. */
  elasticsearchAnswer(question: ElasticsearchQuestion): ElasticsearchOutcome {
    const joined = [...this.judge.live].filter((each) => each.joined && each.process.acts);
    if (joined.length === 0 || this.random.chance(0.05))
      return { kind: 'failed', message: 'no node answers' };
    if (question.kind !== 'health') {
      this.allocation = question.kind === 'restrict-allocation' ? 'primaries' : question.value;
      return { kind: 'allocation-set' };
    }
    const busy = this.random.chance(0.2) ? 1 : 0;
    return {
      kind: 'health',
      health: {
        status: this.isWhole() ? 'green' : 'yellow',
        ...{ dataNodes: joined.length, relocatingShards: busy, initializingShards: 0, delayedShards: 0 },
        ...{ pendingTasks: 0, allocation: this.allocation },
      },
    };
  }

  #write(): void {
    this.after(WRITE_EVERY_MS, () => this.#write());
    for (const elasticsearch of this.judge.live) {
      if (!elasticsearch.joined || !elasticsearch.process.acts) continue;
      this.#documents += 1;
      elasticsearch.index(this.#documents);
    }
  }
}
