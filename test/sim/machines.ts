/** Machines with a clock each, and the processes on them: each can be killed, frozen and thawed at any moment. */
import type { World } from './world.ts';

export class Machine {
  readonly world: World;
  readonly name: string;
  /** Where it is in the network. */
  readonly place: number;
  /** Grows with each start: what ran in an earlier one is gone. */
  boot = 1;
  alive = true;
  frozen = false;
  readonly processes = new Set<Process>();
  readonly #rate: number;
  #bootedAtMs: number;
  #stoodStillMs = 0;
  #frozenAtMs = 0;
  #clockStands = false;
  #base: number;
  /** Real time until which this machine's budget of pauses is spent, see `faults/pauses.ts`. */
  readonly pauses: { atMs: number; lengthMs: number }[] = [];

  constructor(world: World, name: string, place: number) {
    this.world = world;
    this.name = name;
    this.place = place;
    const { drift } = world.settings;
    this.#rate = 1 + world.random.between(-drift, drift);
    this.#base = world.random.between(0, 1e6);
    this.#bootedAtMs = world.now;
  }

  /** The kernel's uptime in milliseconds: monotonic, at a rate of its own. */
  uptimeMs(): number {
    const stood = this.frozen && this.#clockStands ? this.world.now - this.#frozenAtMs : 0;
    return this.#base + (this.world.now - this.#bootedAtMs - this.#stoodStillMs - stood) * this.#rate;
  }

  /** How long `ms` of this machine's clock take in real time. */
  realMs(ms: number): number {
    return ms / this.#rate;
  }

  die(): void {
    this.alive = false;
    this.frozen = false;
    for (const process of [...this.processes]) process.die();
  }

  start(): void {
    this.boot += 1;
    this.alive = true;
    this.#bootedAtMs = this.world.now;
    this.#stoodStillMs = 0;
    this.#base = this.world.random.between(0, 1e4);
  }

  /** @param clockStands a hypervisor stopped it; otherwise it sleeps and its clock goes on */
  freeze(clockStands: boolean): void {
    this.frozen = true;
    this.#frozenAtMs = this.world.now;
    this.#clockStands = clockStands;
  }

  thaw(): void {
    if (!this.frozen) return;
    if (this.#clockStands) this.#stoodStillMs += this.world.now - this.#frozenAtMs;
    this.frozen = false;
    for (const process of this.processes) process.catchUp();
  }
}

/** Work that reaches a frozen process waits for it to thaw; what reaches a dead one is gone. */
export class Process {
  readonly machine: Machine;
  readonly name: string;
  alive = true;
  frozen = false;
  #inbox: (() => void)[] = [];
  readonly #onDeath: () => void;

  constructor(machine: Machine, name: string, onDeath: () => void = () => undefined) {
    this.machine = machine;
    this.name = name;
    this.#onDeath = onDeath;
    machine.processes.add(this);
  }

  get isFrozen(): boolean {
    return this.frozen || this.machine.frozen;
  }

  get acts(): boolean {
    return this.alive && !this.isFrozen;
  }

  deliver(work: () => void): void {
    if (!this.alive) return;
    if (this.isFrozen) this.#inbox.push(work);
    else work();
  }

  /** Calls back after that much time of the machine's own clock; a frozen process is called when it thaws. */
  after(ms: number, work: () => void): { cancel: () => void } {
    const entry = this.machine.world.after(this.machine.realMs(ms), () => this.deliver(work));
    return { cancel: () => (entry.run = undefined) };
  }

  die(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#inbox = [];
    this.machine.processes.delete(this);
    this.#onDeath();
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    this.catchUp();
  }

  /** One after the other, so that it may be frozen or killed again between two. */
  catchUp(): void {
    if (!this.acts || this.#inbox.length === 0) return;
    const waiting = this.#inbox;
    this.#inbox = [];
    for (const work of waiting) this.machine.world.after(0, () => this.deliver(work));
  }
}
