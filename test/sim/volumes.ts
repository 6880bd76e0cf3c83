/** Volumes, where they are attached, and what a driver does, late or not at all. */
import type { VolumeRole } from '@mesos-elasticsearch/contract';
import type { Machine } from './machines.ts';
import type { World } from './world.ts';

/** What is on a volume. Another volume under the same name has another content. */
export interface Content {
  /** Text of the marker file. */
  marker: string | undefined;
  /** Elasticsearch has written here. */
  used: boolean;
  /** Documents that outlive the death of a machine. */
  readonly synced: Set<number>;
  /** The copy of another volume, and not all of it. */
  unfinished: boolean;
}

export interface Volume {
  readonly nodeId: number;
  readonly driver: string;
  readonly role: VolumeRole;
  content: Content;
  /** What belongs here, while something else is. */
  displaced: Content | undefined;
  /** Machine → the consumers on it, as the driver counts them. */
  readonly attachments: Map<Machine, Set<string>>;
  /** Per machine, when the driver there is done with what it was asked so far. */
  readonly busyUntilMs: Map<Machine, number>;
  /** Machines that a fence command has shut out, as long as they are up. */
  readonly fenced: Set<Machine>;
}

export type DriverAnswer =
  { readonly kind: 'done' } | { readonly kind: 'not-done' | 'unknown'; readonly message: string };

const ROLES: readonly VolumeRole[] = ['config', 'data'];

export class Volumes {
  readonly #world: World;
  readonly #nodes = new Map<string, Record<VolumeRole, Volume>>();
  /** Until when drivers misbehave. */
  troubleUntilMs = 0;
  /** Volumes that were ever made, and are never to be fewer. */
  made = 0;

  constructor(world: World) {
    this.#world = world;
  }

  of(nodeId: number, driver: string): Record<VolumeRole, Volume> {
    const key = `${driver} ${nodeId}`;
    let known = this.#nodes.get(key);
    if (known === undefined) {
      const empty = (role: VolumeRole) => emptyVolume(nodeId, driver, role);
      known = { config: empty('config'), data: empty('data') };
      this.#nodes.set(key, known);
      this.made += 2;
    }
    return known;
  }

  /** Of every driver. */
  ofNode(nodeId: number): Volume[] {
    return this.all().filter((volume) => volume.nodeId === nodeId);
  }

  all(): Volume[] {
    return [...this.#nodes.values()].flatMap((roles) => ROLES.map((role) => roles[role]));
  }

  /** A dead machine has nothing mounted; that its storage is still attached to it is for the driver to know. */
  onDeath(machine: Machine): void {
    for (const volume of this.all()) {
      volume.attachments.delete(machine);
      volume.busyUntilMs.delete(machine);
      volume.fenced.delete(machine);
    }
  }

  attach(machine: Machine, volume: Volume, consumer: string, done: (answer: DriverAnswer) => void): void {
    this.#drive(machine, volume, done, () => {
      const { exclusive, policy, revokes } = this.#world.settings;
      if (volume.fenced.has(machine)) return { kind: 'not-done', message: 'this machine is fenced off' };
      if (policy === 'preempt' && revokes === 'driver') this.#takeFromOthers(volume, machine);
      const elsewhere = [...volume.attachments.keys()].find((other) => other !== machine);
      if (exclusive && elsewhere !== undefined) {
        return { kind: 'not-done', message: `attached to ${elsewhere.name}` };
      }
      const consumers = volume.attachments.get(machine) ?? new Set();
      volume.attachments.set(machine, consumers.add(consumer));
      this.#world.judge.onAttached(volume);
      return { kind: 'done' };
    });
  }

  detach(machine: Machine, volume: Volume, consumer: string, done: (answer: DriverAnswer) => void): void {
    this.#drive(machine, volume, done, () => {
      const consumers = volume.attachments.get(machine);
      if (consumers?.delete(consumer) === true) {
        if (consumers.size === 0) volume.attachments.delete(machine);
        this.#world.judge.onDetached(volume, machine);
      }
      return { kind: 'done' };
    });
  }

  /** What a fence command does: that machine cannot write the volume any more. */
  fence(volume: Volume, machine: Machine): void {
    volume.fenced.add(machine);
    volume.attachments.delete(machine);
  }

  #takeFromOthers(volume: Volume, machine: Machine): void {
    for (const other of [...volume.attachments.keys()])
      if (other !== machine) volume.attachments.delete(other);
  }

  /** An operator, who has looked: nothing there uses it. */
  detachByHand(volume: Volume): void {
    volume.fenced.clear();
    for (const machine of [...volume.attachments.keys()]) {
      if (!this.#world.judge.isInUse(volume, machine)) volume.attachments.delete(machine);
    }
  }

  /**
   * The driver is on the machine: it dies with it. What it was asked about one volume it does in that order, however
   * late: one that lets a detach overtake an attach can leave a volume attached that everybody believes free.
   */
  #drive(
    machine: Machine,
    volume: Volume,
    done: (answer: DriverAnswer) => void,
    act: () => DriverAnswer,
  ): void {
    const { random } = this.#world;
    const { boot } = machine;
    const alive = (): boolean => machine.alive && machine.boot === boot;
    const later = (ms: number, run: () => void): void => {
      this.#world.after(ms, () => {
        if (!alive()) return;
        // The driver is frozen with its machine.
        if (machine.frozen) later(100, run);
        else run();
      });
    };
    const inTurn = (ms: number, run: () => void): void => {
      const atMs = Math.max(this.#world.now, volume.busyUntilMs.get(machine) ?? 0) + ms;
      volume.busyUntilMs.set(machine, atMs);
      later(atMs - this.#world.now, run);
    };
    const troubled = this.#world.now < this.troubleUntilMs;
    if (!troubled || random.chance(0.3)) {
      inTurn(random.between(5, 400), () => done(act()));
      return;
    }
    const limit = 'the driver did not answer in time';
    if (random.chance(0.4)) {
      later(random.between(5, 400), () => done({ kind: 'not-done', message: 'the driver refused' }));
    } else {
      later(5_000, () => done({ kind: 'unknown', message: limit }));
      if (random.chance(0.7)) inTurn(random.between(100, 12_000), () => void act());
    }
  }
}

/** Ends with the first that is not done. */
export function oneByOne(
  volumes: readonly Volume[],
  act: (volume: Volume, done: (answer: DriverAnswer) => void) => void,
  done: (answer: DriverAnswer) => void,
): void {
  const [first, ...rest] = volumes;
  if (first === undefined) {
    done({ kind: 'done' });
    return;
  }
  act(first, (answer) => {
    if (answer.kind === 'done') oneByOne(rest, act, done);
    else done(answer);
  });
}

export function emptyContent(): Content {
  return { marker: undefined, used: false, synced: new Set(), unfinished: false };
}

function emptyVolume(nodeId: number, driver: string, role: VolumeRole): Volume {
  return {
    nodeId,
    driver,
    role,
    content: emptyContent(),
    displaced: undefined,
    attachments: new Map(),
    busyUntilMs: new Map(),
    fenced: new Set(),
  };
}
