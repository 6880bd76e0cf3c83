/** A scheduler, a fake master, a ledger's disk and leases, all in memory and under one manual clock. */
import { MemoryLedgerDisk, MemoryLeases, type MemoryLedger } from '@mesos-elasticsearch/coordination/testing';
import type { LeaseService, LedgerStore } from '@mesos-elasticsearch/coordination';
import type { NodePhase } from '@mesos-elasticsearch/contract';
import { pino } from 'pino';
import type { CoreEvent } from '../core/events.ts';
import type { DesiredCluster } from '../core/model.ts';
import type { StepOf } from '../core/steps.ts';
import type { ProgressEvent } from '../progress.ts';
import type { MesosGateway } from '../ports.ts';
import { drive, type Driving } from '../run/drive.ts';
import { CrashPoint } from './crash-point.ts';
import { desiredCluster, type DesiredChanges } from './desired.ts';
import { FakeElasticsearch } from './fake-elasticsearch.ts';
import { FakeMaster } from './fake-master.ts';
import { ManualClock, settled } from './manual-clock.ts';

export class Story {
  readonly clock = new ManualClock();
  readonly disk = new MemoryLedgerDisk();
  readonly leases = new MemoryLeases();
  readonly master: FakeMaster;
  readonly progress: ProgressEvent[] = [];
  /** Faults of the scheduler's own code. */
  readonly faults: unknown[] = [];
  desired: DesiredCluster;
  /** Plays the fence command; replaced by tests. */
  fence: (step: StepOf<'fence'>) => Promise<Extract<CoreEvent, { kind: 'fenced' }>> = (step) =>
    Promise.resolve({
      kind: 'fenced',
      nodeId: step.nodeId,
      epoch: step.epoch,
      attempt: step.attempt,
      outcome: 'failed',
      message: 'no fence command in this story',
    });
  /** Plays Elasticsearch; replaced by tests. */
  readonly elasticsearch = new FakeElasticsearch();
  ledger: MemoryLedger | undefined;
  driving: Driving | undefined;
  #crash = new CrashPoint();
  #uuids = 0;

  constructor(
    changes: DesiredChanges = {},
    agents: readonly string[] = ['agent-1', 'agent-2', 'agent-3', 'agent-4'],
  ) {
    this.desired = desiredCluster(changes);
    this.master = new FakeMaster(this.clock, this.leases, agents);
  }

  /** @param crashAfter the scheduler dies after this many operations on the outside world */
  async start(crashAfter = Number.POSITIVE_INFINITY): Promise<void> {
    const crash = new CrashPoint(crashAfter);
    this.#crash = crash;
    this.ledger = this.disk.open();
    const snapshot = await this.ledger.load();
    this.driving = drive({
      desired: this.desired,
      snapshot,
      ledger: crash.around<LedgerStore>(this.ledger, ['load', 'writeFramework', 'writeNode']),
      leases: crash.around<LeaseService>(this.leases, ['openEpoch', 'closeEpoch', 'read']),
      clock: this.clock,
      random: { uuid: () => this.#uuid() },
      log: pino({ level: 'silent' }),
      onProgress: (event) => this.progress.push(event),
      fence: (_command, step) => this.fence(step),
      askElasticsearch: (step) =>
        Promise.resolve({
          kind: 'elasticsearch-answered',
          number: step.number,
          question: step.question,
          outcome: this.elasticsearch.answer(step.question),
        }),
      subscribe: (id, handlers) =>
        crash.around<MesosGateway>(
          this.master.subscribe(id, {
            onEvent: (event) => (crash.crashed ? undefined : handlers.onEvent(event)),
            onState: (state) => (crash.crashed ? undefined : handlers.onState(state)),
          }),
          ['call'],
        ),
    });
    void this.driving.ended.then((reason) => {
      if (reason.kind === 'crashed') this.faults.push(reason.error);
    });
    await settled();
  }

  get crashed(): boolean {
    return this.#crash.crashed;
  }

  /** The process is gone between two steps; nothing it would have done happens any more. */
  crash(): void {
    this.#crash.now();
    if (this.ledger !== undefined) this.disk.free(this.ledger);
    this.master.disconnect();
  }

  async stop(): Promise<void> {
    this.driving?.end({ kind: 'stopped' });
    await this.driving?.ended;
    await this.ledger?.close();
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** Advances by seconds until `condition` holds. @throws Error when it does not within `limitMs` */
  async until(what: string, condition: () => boolean, limitMs = 120_000): Promise<void> {
    for (let waited = 0; waited <= limitMs; waited += 500) {
      await this.advance(0);
      if (condition()) return;
      await this.advance(500);
    }
    const faults = this.faults.map((fault) => String((fault as Error).stack ?? fault)).join('; ');
    throw new Error(
      `after ${limitMs / 1000} s still not: ${what}; ${JSON.stringify(this.phases())} ${faults}`,
    );
  }

  untilRunning(...nodes: number[]): Promise<void> {
    return this.until(`nodes ${nodes.join(', ')} are running`, () =>
      nodes.every((node) => this.phase(node) === 'running'),
    );
  }

  record(node: number) {
    return [...this.disk.nodes.values()].find((entry) => entry.record.nodeId === node)?.record;
  }

  phase(node: number): NodePhase | undefined {
    return this.record(node)?.phase;
  }

  phases(): Record<string, string> {
    return Object.fromEntries(
      [...this.disk.nodes.values()].map(({ record }) => [
        record.nodeId,
        `${record.phase} ${record.epoch}: ${record.why}`,
      ]),
    );
  }

  /** Names of the rules that a node waits for now. */
  waitsOf(node: number): string[] {
    return (this.driving?.loop.waits() ?? []).filter((wait) => wait.nodeId === node).map((wait) => wait.rule);
  }

  progressOf(node: number): string[] {
    return this.progress.flatMap((event) =>
      'nodeId' in event && event.nodeId === node && event.kind !== 'waiting' ? [event.kind] : [],
    );
  }

  #uuid(): string {
    this.#uuids += 1;
    return `00000000-0000-4000-8000-${this.#uuids.toString(16).padStart(12, '0')}`;
  }
}
