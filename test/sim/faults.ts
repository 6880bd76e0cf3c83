/** What goes wrong, as a list of timed decisions that is drawn once: any of them can be left out when it is run again. */
import { Random } from './random.ts';

export const FAULT_KINDS = [
  'kill-executor',
  'kill-guard',
  'kill-elasticsearch',
  'kill-agent',
  'kill-machine',
  'kill-scheduler',
  'stop-scheduler',
  'freeze-executor',
  'freeze-guard',
  'freeze-elasticsearch',
  'freeze-executor-and-elasticsearch',
  'freeze-node',
  'freeze-agent',
  'freeze-machine',
  'freeze-scheduler',
  'ambush-freeze',
  'ambush-kill',
  'freeze-guard-and-cut',
  'slow-then-cut',
  'cut-machine-from-master',
  'cut-machine-from-services',
  'cut-machine',
  'cut-scheduler-from-master',
  'cut-scheduler-from-services',
  'slow-link',
  'lossy-link',
  'store-trouble',
  'lease-trouble',
  'driver-trouble',
  'rescind-offers',
  'disconnect-scheduler',
  'expire-session',
  'unregister-agent',
  'master-failover',
  'remove-framework',
  'swap-volume',
  'order-size',
  'order-migration',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  /** `round:number`, what `--keep` names. */
  readonly id: string;
  readonly kind: FaultKind;
  /** After the begin of its round. */
  readonly afterMs: number;
  readonly lengthMs: number;
  /** Which of those that it can hit, and how: 0 ≤ x < 1. */
  readonly target: number;
  readonly manner: number;
}

export interface Round {
  readonly lengthMs: number;
  readonly faults: readonly Fault[];
}

/** These change everything at once, so they are rare. */
const RARE: ReadonlySet<FaultKind> = new Set(['remove-framework', 'master-failover', 'unregister-agent']);

export function drawRound(seed: number, round: number): Round {
  const random = new Random(seed, 100 + round);
  const lengthMs = random.between(15_000, 90_000);
  // Each round has its own mix: what happens often in it, it happens to see together.
  const share = random.pick([0.1, 0.2, 0.4]);
  const mix = FAULT_KINDS.filter((kind) => random.chance(RARE.has(kind) ? share / 3 : share));
  const kinds = mix.length > 0 ? mix : [random.pick(FAULT_KINDS)];
  const count = 1 + random.below(12);
  const faults: Fault[] = [];
  let lastMs = 0;
  for (let index = 0; index < count; index += 1) {
    // Some come on the heels of the one before, most when they like.
    const close = index > 0 && random.chance(0.4);
    const wishedMs = close ? lastMs + random.between(0, 3_000) : random.between(0, lengthMs);
    const afterMs = Math.min(wishedMs, lengthMs);
    lastMs = afterMs;
    faults.push({
      ...{ id: `${round}:${index}`, kind: random.pick(kinds), afterMs },
      lengthMs: 100 * 700 ** random.next(),
      ...{
        target: close && faults.length > 0 ? (faults.at(-1)?.target ?? 0) : random.next(),
        manner: random.next(),
      },
    });
  }
  return { lengthMs, faults };
}
