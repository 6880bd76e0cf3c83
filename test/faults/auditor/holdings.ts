/** What many looks add up to: who held what from when to when, and who held it together. Pure. */
import type { Holding, Overlap, Sighting } from './records.ts';

export class Holdings {
  readonly #all = new Map<string, Holding>();

  note(sightings: readonly Sighting[], atMs: number): void {
    for (const { writing, ...sighting } of sightings) {
      const key = `${sighting.pid} ${sighting.startTicks} ${sighting.volume}`;
      const before = this.#all.get(key);
      const lastWritingMs = writing ? atMs : before?.lastWritingMs;
      this.#all.set(key, { ...sighting, firstMs: before?.firstMs ?? atMs, lastMs: atMs, lastWritingMs });
    }
  }

  list(): Holding[] {
    return [...this.#all.values()];
  }
}

/** Pairs of tasks that write to one volume. One look takes a while, so a pair is a suspicion, not yet a fact. */
export function pairsOf(sightings: readonly Sighting[]): [Sighting, Sighting][] {
  const writers = sightings.filter(({ writing }) => writing);
  const pairs = new Map<string, [Sighting, Sighting]>();
  for (const one of writers) {
    for (const other of writers) {
      if (one.volume !== other.volume || one.task >= other.task) continue;
      pairs.set(keyOf([one, other]), [one, other]);
    }
  }
  return [...pairs.values()];
}

function keyOf([one, other]: readonly [Sighting, Sighting]): string {
  return `${one.volume} ${one.task} ${other.task}`;
}

export class Overlaps {
  readonly #all = new Map<string, Overlap>();

  /** @returns true for one that was not known */
  note(holders: readonly [Sighting, Sighting], atMs: number): boolean {
    const key = keyOf(holders);
    const before = this.#all.get(key);
    this.#all.set(key, {
      volume: holders[0].volume,
      holders,
      firstMs: before?.firstMs ?? atMs,
      lastMs: atMs,
    });
    return before === undefined;
  }

  list(): Overlap[] {
    return [...this.#all.values()];
  }
}
