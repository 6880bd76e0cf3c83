/** Elasticsearch as far as it matters here: it starts, joins, acknowledges what it has synced, and dies. */
import { startCopy, type CopyPlan } from './copy.ts';
import { Process, type Machine } from './machines.ts';
import type { World } from './world.ts';

export interface Placement {
  readonly machine: Machine;
  readonly nodeId: number;
  readonly epoch: number;
  readonly taskId: string;
  /** Of the volumes that it runs on. */
  readonly driver: string;
  /** It is no Elasticsearch, but what copies its volumes. */
  readonly copy: CopyPlan | undefined;
}

export class Elasticsearch {
  readonly process: Process;
  readonly at: Placement;
  joined = false;
  /** The copy is whole, was compared, and is marked. */
  copied = false;
  readonly #world: World;

  constructor(world: World, at: Placement, ends: { onJoined: () => void; onGone: () => void }) {
    this.#world = world;
    this.at = at;
    this.process = new Process(at.machine, `elasticsearch ${at.taskId}`, () => {
      world.judge.onEnded(this);
      ends.onGone();
    });
    world.judge.onStarted(this);
    if (at.copy !== undefined) {
      ends.onJoined();
      startCopy(world, this, at.copy);
      return;
    }
    this.process.after(world.random.between(300, 4_000), () => {
      this.joined = true;
      ends.onJoined();
    });
  }

  /** SIGTERM: it takes its time, or forever where it is frozen. */
  stop(): void {
    this.process.after(this.#world.random.between(50, 3_000), () => this.process.die());
  }

  /** SIGKILL: the kernel needs a moment for a large process. */
  kill(): void {
    this.#world.after(this.#world.random.between(0, 300), () => this.process.die());
  }

  /** A document is acknowledged after it is synced: a machine that dies in between loses only what nobody counts on. */
  index(document: number): void {
    const { random, judge } = this.#world;
    const early = this.#world.mutations.has('acknowledged-before-synced');
    if (early) judge.onAcknowledged(this.at.nodeId, document);
    this.process.after(random.between(1, early ? 900 : 30), () => {
      if (!judge.canWrite(this)) {
        this.process.die();
        return;
      }
      const { data } = this.#world.volumes.of(this.at.nodeId, this.at.driver);
      judge.onTouched(data, this.at.taskId);
      data.content.synced.add(document);
      if (!early) judge.onAcknowledged(this.at.nodeId, document);
    });
  }
}
