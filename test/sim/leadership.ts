/**
 * Which scheduler leads. With ZooKeeper, of two the one that has the lock, until its session has expired: it may
 * not know that yet. With a directory there is one, and its lock lives as long as its process.
 */
import { Machine } from './machines.ts';
import { SERVICES, schedulerPlace } from './network.ts';
import { Scheduler, SESSION_MS } from './scheduler.ts';
import { askStore } from './scheduler-steps.ts';
import type { World } from './world.ts';

const LOOK_EVERY_MS = 500;

interface Seat {
  readonly machine: Machine;
  scheduler: Scheduler | undefined;
  downUntilMs: number;
}

export class Leadership {
  readonly #world: World;
  readonly seats: readonly Seat[];
  #owner: Seat | undefined;
  #seenAtMs = 0;

  constructor(world: World) {
    this.#world = world;
    this.seats = Array.from({ length: world.settings.schedulers }, (_, index) => ({
      machine: new Machine(world, `scheduler-${index + 1}`, schedulerPlace(index)),
      scheduler: undefined,
      downUntilMs: 0,
    }));
    this.#look();
  }

  /** The one whose term it is, if its process lives. */
  get leader(): Scheduler | undefined {
    return this.#owner?.scheduler;
  }

  all(): Scheduler[] {
    return this.seats.flatMap(({ scheduler }) => (scheduler === undefined ? [] : [scheduler]));
  }

  keepDown(scheduler: Scheduler, ms: number): void {
    for (const seat of this.seats) {
      if (seat.scheduler === scheduler) seat.downUntilMs = this.#world.now + ms;
    }
  }

  /** ZooKeeper ends the session, though nobody is dead. */
  expire(): void {
    if (this.#world.settings.service === 'zookeeper') this.#owner = undefined;
  }

  heal(): void {
    for (const seat of this.seats) seat.downUntilMs = 0;
  }

  #look(): void {
    const world = this.#world;
    world.after(LOOK_EVERY_MS, () => this.#look());
    const owner = this.#owner;
    if (owner !== undefined) {
      const dead = owner.scheduler === undefined;
      if (!dead && (world.settings.service === 'directory' || this.#isConnected(owner)))
        this.#seenAtMs = world.now;
      const sessionMs = world.settings.service === 'directory' ? 0 : SESSION_MS;
      if (dead ? world.now - this.#seenAtMs >= sessionMs : world.now - this.#seenAtMs > SESSION_MS) {
        this.#owner = undefined;
      }
    }
    for (const seat of this.seats) {
      if (seat !== this.#owner && seat.scheduler !== undefined && this.#isConnected(seat))
        this.#tellExpired(seat);
    }
    if (this.#owner === undefined) this.#elect();
  }

  #isConnected({ machine, scheduler }: Seat): boolean {
    return (
      scheduler?.process.acts !== false &&
      !machine.frozen &&
      !this.#world.network.isCut(machine.place, SERVICES)
    );
  }

  #tellExpired({ scheduler }: Seat): void {
    scheduler?.process.after(this.#world.random.between(0, 2_000), () =>
      scheduler.leave('its session has expired'),
    );
  }

  #elect(): void {
    const { now, random } = this.#world;
    const fit = this.seats.filter(
      (seat) => seat.scheduler === undefined && seat.downUntilMs <= now && this.#isConnected(seat),
    );
    if (fit.length === 0) return;
    const seat = random.pick(fit);
    this.#owner = seat;
    this.#seenAtMs = now;
    this.#world.terms.current += 1;
    this.#start(seat, this.#world.terms.current);
  }

  #start(seat: Seat, term: number): void {
    const world = this.#world;
    const scheduler = new Scheduler(world, seat.machine, term, () => {
      if (seat.scheduler === scheduler) seat.scheduler = undefined;
    });
    seat.scheduler = scheduler;
    world.say(scheduler.process.name, 'leads');
    askStore(
      scheduler,
      (ledger) => ledger.load(term),
      ({ value }) => {
        if (value === undefined) {
          scheduler.leave('the ledger cannot be read');
          return;
        }
        scheduler.mustLoad = false;
        scheduler.begin(value);
      },
    );
  }
}
