import { Random } from '../sim/random.ts';
import { TARGETS } from './targets.ts';

export interface Fault {
  readonly target: string;
  /** The stream of random numbers, with the seed, that makes it again. */
  readonly stream: number;
  readonly input: unknown;
  readonly says: string;
}

/** A parser that takes so long for so little is stuck for more. */
const INPUT_LIMIT_MS = 1_000;

/** So many inputs, the targets in turn. Pure but for the clock that finds what hangs. */
export function fuzzInProcess(seed: number, count: number, firstStream = 0, limit = 10): readonly Fault[] {
  const targets = Object.entries(TARGETS);
  const faults: Fault[] = [];
  for (let stream = firstStream; stream < firstStream + count && faults.length < limit; stream += 1) {
    const [name, target] = targets[stream % targets.length] ?? [];
    if (name === undefined || target === undefined) continue;
    const { input, check } = target(new Random(seed, stream));
    const started = performance.now();
    let says: string | undefined;
    try {
      says = check();
    } catch (error) {
      says = `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
    if (performance.now() - started > INPUT_LIMIT_MS) says ??= 'took more than a second';
    if (says !== undefined) faults.push({ target: name, stream, input, says });
  }
  return faults;
}
