/** The guard's decisions are the real ones (`guard-logic.ts`); its files, its child and its naps are simulated. */
import {
  GUARD_NAP_MS,
  look,
  NEW_GUARD,
  type GuardMove,
  type GuardState,
} from '@mesos-elasticsearch/executor/core';
import { Elasticsearch, type Placement } from './elasticsearch.ts';
import { Process } from './machines.ts';
import type { World } from './world.ts';

export class Guard {
  readonly process: Process;
  readonly at: Placement;
  /** The container's processes go with the executor's when the agent destroys that. */
  readonly tied: boolean;
  /** What the executor put into the control directory. */
  readonly control = { go: false, stop: false, kill: false, deadline: '0' };
  elasticsearch: Elasticsearch | undefined;
  onJoined: () => void = () => undefined;
  onGone: (how: string) => void = () => undefined;
  readonly #world: World;
  #state: GuardState = NEW_GUARD;
  #said = 'signal';

  constructor(world: World, at: Placement, tied: boolean) {
    this.#world = world;
    this.at = at;
    this.tied = tied;
    // It is the first process of its namespace: its end is the end of everything there.
    this.process = new Process(at.machine, `guard ${at.taskId}`, () => {
      this.elasticsearch?.kill();
      this.#checkGone();
    });
    world.guards.add(this);
    this.process.after(world.random.between(5, 900), () => this.#look());
  }

  get isGone(): boolean {
    return !this.process.alive && this.elasticsearch?.process.alive !== true;
  }

  /** SIGKILL to it, and so to all below it. */
  kill(): void {
    this.process.die();
  }

  #look(): void {
    const world = this.#world;
    world.step();
    const { go, stop, kill, deadline } = this.control;
    const { state, move } = look(this.#state, {
      ...{ go, stop, kill },
      deadline: world.mutations.has('guard-without-deadline') ? 'never' : deadline,
      uptimeMs: this.at.machine.uptimeMs(),
      childLives: this.elasticsearch?.process.alive === true,
    });
    this.#state = state;
    if (move !== 'nap') world.say(this.process.name, move);
    this.#act(move);
  }

  #act(move: GuardMove): void {
    switch (move) {
      case 'nap':
        this.process.after(GUARD_NAP_MS, () => this.#look());
        return;
      case 'start':
        this.elasticsearch = new Elasticsearch(this.#world, this.at, {
          onJoined: () => this.onJoined(),
          onGone: () => this.#checkGone(),
        });
        this.process.after(1, () => this.#look());
        return;
      case 'stop':
        this.elasticsearch?.stop();
        this.process.after(1, () => this.#look());
        return;
      case 'kill-order':
      case 'kill-deadline':
        this.#said = move === 'kill-order' ? 'killed order' : 'killed deadline';
        this.process.die();
        return;
      case 'exited':
        this.#said = 'exited';
        this.process.die();
        return;
    }
  }

  #checkGone(): void {
    if (!this.isGone) return;
    this.#world.guards.delete(this);
    this.onGone(this.#said);
  }
}
