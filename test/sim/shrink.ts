/** The fewest faults with which a seed still goes wrong in the same way: leaves out ever smaller parts of them. */
import { runSeed, type SeedResult, type SeedRun } from './run-seed.ts';

export interface Shrunk {
  /** The run with the fewest faults that were found, traced. */
  readonly result: SeedResult;
  readonly keep: readonly string[];
  readonly tries: number;
}

/** @param limitMs real time; the best that was found until then is returned */
export function shrink(run: SeedRun, failed: SeedResult, limitMs: number, nowMs: () => number): Shrunk {
  const untilMs = nowMs() + limitMs;
  let tries = 0;
  const fails = (keep: readonly string[]): boolean => {
    tries += 1;
    const again = runSeed(keptRun(run, keep));
    return again.violation?.invariant === failed.violation?.invariant;
  };
  let keep = failed.faults.map(({ id }) => id);
  let parts = 2;
  while (keep.length > 0 && nowMs() < untilMs) {
    const size = Math.ceil(keep.length / parts);
    const smaller = without(keep, size).find((left) => nowMs() < untilMs && fails(left));
    if (smaller !== undefined) {
      keep = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) break;
    else parts = Math.min(keep.length, parts * 2);
  }
  const result = runSeed({ ...keptRun(run, keep), tracing: true });
  return { result, keep, tries };
}

/** Only these faults, and nothing after the round of the last one. */
export function keptRun(run: SeedRun, keep: readonly string[]): SeedRun {
  const rounds = Math.max(0, ...keep.map((id) => Number(id.split(':')[0]))) + 1;
  return { ...run, keep: new Set(keep), rounds, steps: Number.POSITIVE_INFINITY };
}

function without(list: readonly string[], size: number): string[][] {
  const parts: string[][] = [];
  for (let from = 0; from < list.length; from += size) {
    parts.push([...list.slice(0, from), ...list.slice(from + size)]);
  }
  return parts;
}
