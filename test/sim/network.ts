/** Who reaches whom. A pair can be cut, slow, or lose and repeat messages, for a time. */
import type { World } from './world.ts';

export const MASTER = 0;
export const SERVICES = 1;
const SCHEDULERS = 2;
const HOSTS = 4;
export const schedulerPlace = (index: number): number => SCHEDULERS + index;
export const hostPlace = (index: number): number => HOSTS + index;
const PLACES = 16;

/** slow-answers: only what comes from the services takes its time. */
export type Trouble = 'cut' | 'slow' | 'slow-answers' | 'lossy';

export interface Answer<T> {
  readonly value: T | undefined;
  /** Set when there is no (certain) answer. */
  readonly error: string | undefined;
}

/** One direction of a connection: nothing overtakes. */
export interface Lane {
  lastAtMs: number;
}

export class Network {
  readonly #world: World;
  readonly #until: Record<Trouble, Float64Array> = {
    cut: new Float64Array(PLACES * PLACES),
    slow: new Float64Array(PLACES * PLACES),
    'slow-answers': new Float64Array(PLACES * PLACES),
    lossy: new Float64Array(PLACES * PLACES),
  };

  constructor(world: World) {
    this.#world = world;
  }

  trouble(kind: Trouble, a: number, b: number, untilMs: number): void {
    this.#until[kind][a * PLACES + b] = untilMs;
    this.#until[kind][b * PLACES + a] = untilMs;
  }

  heal(): void {
    for (const until of Object.values(this.#until)) until.fill(0);
  }

  has(kind: Trouble, a: number, b: number): boolean {
    return (this.#until[kind][a * PLACES + b] as number) > this.#world.now;
  }

  isCut(a: number, b: number): boolean {
    return this.has('cut', a, b);
  }

  delayMs(a: number, b: number): number {
    const { random } = this.#world;
    if (a === SERVICES && this.has('slow-answers', a, b)) return random.between(1_000, 5_000);
    return this.has('slow', a, b) ? random.between(5, 6_000) : random.between(0.5, 12);
  }

  /** In order, or not at all. Nothing of it can be repeated: a connection's own numbers see to that. */
  sendInOrder(lane: Lane, from: number, to: number, run: () => void): void {
    const world = this.#world;
    if (this.isCut(from, to)) return;
    lane.lastAtMs = Math.max(lane.lastAtMs, world.now + this.delayMs(from, to));
    world.agenda.add(lane.lastAtMs, () => {
      if (!this.isCut(from, to)) run();
    });
  }

  /**
   * A question and its answer, on their own: late, lost, repeated, or overtaken by others. `done` is called once:
   * with the answer, or without one when the limit is over; the question may take effect even after that.
   */
  request<T>(
    ends: { readonly from: number; readonly to: number; readonly limitMs: number; readonly lane?: Lane },
    handle: () => T,
    done: (answer: Answer<T>) => void,
  ): void {
    const world = this.#world;
    const { from, to } = ends;
    let open = true;
    const finish = (answer: Answer<T>): void => {
      if (!open) return;
      open = false;
      limit.run = undefined;
      done(answer);
    };
    const limit = world.after(ends.limitMs, () => finish({ value: undefined, error: 'no answer in time' }));
    const arrive = (): void => {
      if (this.isCut(from, to)) return;
      let answer: Answer<T>;
      try {
        answer = { value: handle(), error: undefined };
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        answer = { value: undefined, error: error.message };
      }
      if (this.#isLost(from, to)) return;
      world.after(this.delayMs(to, from), () => {
        if (!this.isCut(from, to)) finish(answer);
      });
    };
    if (this.isCut(from, to) || this.#isLost(from, to)) return;
    const atMs = world.now + this.delayMs(from, to);
    if (ends.lane === undefined) {
      world.agenda.add(atMs, arrive);
      if (this.has('lossy', from, to) && world.random.chance(0.1)) {
        world.agenda.add(atMs + world.random.between(0, 8_000), arrive);
      }
    } else {
      ends.lane.lastAtMs = Math.max(ends.lane.lastAtMs, atMs);
      world.agenda.add(ends.lane.lastAtMs, arrive);
    }
  }

  #isLost(from: number, to: number): boolean {
    return this.has('lossy', from, to) && this.#world.random.chance(0.25);
  }
}

/** What a service says instead of an answer; as a message it crosses the network like one. */
export class ServiceError extends Error {}
