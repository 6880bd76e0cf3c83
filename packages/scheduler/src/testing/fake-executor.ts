/** An executor as the scheduler sees it: takes the lease, renews it, runs "Elasticsearch", reports. */
import { decodeLaunchSpec, encodeJson } from '@mesos-elasticsearch/contract';
import type {
  LaunchSpec,
  LeaseRecord,
  MigrationReport,
  NodeReport,
  VolumeSpec,
} from '@mesos-elasticsearch/contract';
import type { LeaseService } from '@mesos-elasticsearch/coordination';
import type { TaskInfo, TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { Clock } from '../ports.ts';

export interface ExecutorWorld {
  readonly clock: Clock;
  readonly leases: LeaseService;
  readonly host: string;
  /** Why no start comes as far as Elasticsearch just now; undefined: nothing is in its way. */
  readonly unstartable: () => string | undefined;
  /** Told whenever Elasticsearch starts and stops; the judge of rule 1. */
  readonly holders: Holders;
  send(status: Pick<TaskStatus, 'state' | 'data' | 'message'>): void;
  /** Told of the launch spec of a task that only lets go. */
  released(spec: LaunchSpec): void;
}

/**
 * Which "Elasticsearch processes" and copies live, by node. A second one on a node is what must never happen; nor must
 * one run on content that is older than what was acknowledged.
 */
export class Holders {
  readonly live = new Map<number, Set<string>>();
  readonly violations: string[] = [];
  /** Driver and name of a data volume → the last document on it; -1: what is there is half a copy. */
  readonly contents = new Map<string, number>();
  readonly #acknowledged = new Map<number, number>();

  started(spec: LaunchSpec): void {
    const there = this.live.get(spec.nodeId) ?? new Set();
    if (there.size > 0)
      this.violations.push(`node ${spec.nodeId}: ${spec.taskId} beside ${[...there].join(', ')}`);
    this.live.set(spec.nodeId, new Set([...there, spec.taskId]));
    if (spec.purpose === 'run') this.#index(spec);
    else this.contents.set(keyOf(spec.migration?.to.data), -1);
  }

  stopped(spec: LaunchSpec): void {
    this.live.get(spec.nodeId)?.delete(spec.taskId);
  }

  /** The copy is whole. */
  copied({ volumes, migration }: LaunchSpec): void {
    this.contents.set(keyOf(migration?.to.data), this.contents.get(keyOf(volumes.data)) ?? 0);
  }

  /** Each life of a node acknowledges one document. */
  #index({ nodeId, volumes, wipeVolumes, taskId }: LaunchSpec): void {
    const acknowledged = wipeVolumes ? 0 : (this.#acknowledged.get(nodeId) ?? 0);
    const there = this.contents.get(keyOf(volumes.data)) ?? 0;
    if (there < acknowledged) {
      this.violations.push(
        `node ${nodeId}: ${taskId} runs on document ${there}, ${acknowledged} was acknowledged`,
      );
    }
    this.#acknowledged.set(nodeId, acknowledged + 1);
    this.contents.set(keyOf(volumes.data), acknowledged + 1);
  }
}

function keyOf(volume: VolumeSpec | undefined): string {
  return `${volume?.driver ?? ''} ${volume?.name ?? ''}`;
}

export class FakeExecutor {
  readonly spec: LaunchSpec;
  readonly #world: ExecutorWorld;
  #lease: LeaseRecord | undefined;
  #answeredRenewalSentMs = 0;
  /** Process of the executor: dead or frozen executors do nothing. */
  #awake = true;
  #elasticsearch = false;
  #cancel: () => void = () => undefined;

  constructor(task: TaskInfo, world: ExecutorWorld) {
    this.spec = decodeLaunchSpec(task.data ?? new Uint8Array());
    this.#world = world;
  }

  get holdsLease(): boolean {
    return this.#lease !== undefined;
  }

  async run(): Promise<void> {
    const { clock, leases } = this.#world;
    const fence = this.spec.lease.policy === 'fence';
    const lease: LeaseRecord = {
      nodeId: this.spec.nodeId,
      epoch: this.spec.epoch,
      taskId: this.spec.taskId,
      holder: crypto.randomUUID(),
      host: this.#world.host,
      durationMs: this.spec.lease.durationMs,
      selfFencing: fence,
      guarded: fence,
      counter: 0,
    };
    const sentMs = clock.monotonicMs();
    const taken = await leases.take(lease).catch(() => 'refused');
    if (taken !== 'taken') {
      this.#end('TASK_FAILED', 'the lease was refused');
      return;
    }
    this.#lease = lease;
    this.#answeredRenewalSentMs = sentMs;
    if (this.spec.purpose === 'release') return this.#release();
    const why = this.spec.purpose === 'run' ? this.#world.unstartable() : undefined;
    if (why !== undefined) return this.failToStart(why);
    this.#world.holders.started(this.spec);
    this.#elasticsearch = true;
    this.#world.send({ state: 'TASK_STARTING' });
    if (this.spec.purpose === 'migrate') this.sayCopying();
    this.#renewLater();
  }

  sayCopying(stage: MigrationReport['stage'] = 'copying', bytesCopied = 0): void {
    this.#world.send({ state: 'TASK_RUNNING', data: encodeJson(this.#copyReport(stage, bytesCopied)) });
  }

  /** The copy is verified, everything is detached, the lease given back. */
  async finishCopy(): Promise<void> {
    if (!this.#awake) return;
    this.#world.holders.copied(this.spec);
    return this.stop('TASK_FINISHED', '', this.#copyReport('verified', 100));
  }

  /** Only the words, with neither copy nor lease behind them. */
  sayFinished(report: Partial<MigrationReport> | undefined): void {
    this.die();
    const data =
      report === undefined ? {} : { data: encodeJson({ ...this.#copyReport('verified', 100), ...report }) };
    this.#world.send({ state: 'TASK_FINISHED', ...data });
  }

  #copyReport(stage: MigrationReport['stage'], bytesCopied: number): MigrationReport {
    const { nodeId, epoch } = this.spec;
    const counts = { bytesTotal: 100, bytesCopied, bytesVerified: 0, files: 1, notKept: [] };
    return { version: 1, kind: 'migration', nodeId, epoch, stage, volumes: [{ role: 'data', ...counts }] };
  }

  /** Ends what is left of earlier epochs, undoes their attachments, and is done. */
  async #release(): Promise<void> {
    this.#world.released(this.spec);
    this.#world.send({ state: 'TASK_STARTING' });
    return this.stop('TASK_FINISHED');
  }

  sayRunning(): void {
    this.#world.send({ state: 'TASK_RUNNING', data: encodeJson(this.#nodeReport()) });
  }

  /** Ends in order before Elasticsearch was let start, and says so. */
  async failToStart(message: string, change: Partial<NodeReport> = {}): Promise<void> {
    return this.stop('TASK_FAILED', message, { ...this.#nodeReport(), neverStarted: true, ...change });
  }

  #nodeReport(): NodeReport {
    const { host } = this.#world;
    return {
      version: 1,
      nodeId: this.spec.nodeId,
      epoch: this.spec.epoch,
      http: `${host}:${this.spec.elasticsearch.httpPort}`,
      transport: `${host}:${this.spec.elasticsearch.transportPort}`,
      volumes: [],
      tied: true,
    };
  }

  /** Graceful: Elasticsearch ends, volumes are unmounted, the lease is given back, then the status is sent. */
  async stop(
    state: 'TASK_KILLED' | 'TASK_FAILED' | 'TASK_FINISHED',
    message = '',
    report?: MigrationReport | NodeReport,
  ): Promise<void> {
    if (!this.#awake) return;
    this.#stopElasticsearch();
    if (this.#lease !== undefined) {
      this.#lease = { ...this.#lease, counter: this.#lease.counter + 1 };
      await this.#world.leases.giveBack(this.#lease).catch(() => undefined);
    }
    this.#end(state, message, report);
  }

  /** kill -9 of the executor with everything below it, or the death of its machine. */
  die(): void {
    this.#awake = false;
    this.#cancel();
    this.#stopElasticsearch();
  }

  /** The executor is frozen; the guard kills Elasticsearch at the deadline. */
  freeze(): void {
    const { clock } = this.#world;
    this.#awake = false;
    this.#cancel();
    const deadlineMs = this.#answeredRenewalSentMs + this.spec.lease.durationMs;
    if (this.spec.lease.policy === 'fence') {
      clock.after(Math.max(0, deadlineMs - clock.monotonicMs()), () => this.#stopElasticsearch());
    }
  }

  #end(state: TaskStatus['state'], message: string, report?: MigrationReport | NodeReport): void {
    this.#awake = false;
    this.#cancel();
    this.#world.send({ state, message, ...(report === undefined ? {} : { data: encodeJson(report) }) });
  }

  #stopElasticsearch(): void {
    if (this.#elasticsearch) this.#world.holders.stopped(this.spec);
    this.#elasticsearch = false;
  }

  /** Anything may have happened while an answer was awaited. */
  #isAwake(): boolean {
    return this.#awake;
  }

  #renewLater(): void {
    this.#cancel = this.#world.clock.after(this.spec.lease.durationMs / 4, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { clock, leases } = this.#world;
    if (!this.#awake || this.#lease === undefined) return;
    const sentMs = clock.monotonicMs();
    const next = { ...this.#lease, counter: this.#lease.counter + 1 };
    const answer = await leases.renew(next).catch(() => 'unknown' as const);
    if (answer === 'renewed') {
      this.#lease = next;
      this.#answeredRenewalSentMs = sentMs;
    }
    const fenced =
      this.spec.lease.policy === 'fence' &&
      clock.monotonicMs() - this.#answeredRenewalSentMs >= this.spec.lease.durationMs * 0.75;
    if (answer === 'closed' || fenced) return this.stop('TASK_FAILED', 'the lease could not be renewed');
    if (this.#isAwake()) this.#renewLater();
  }
}
