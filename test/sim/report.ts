/** What a run of the simulation tells, as data and as text. */
import type { Fault } from './faults.ts';
import type { Invariant } from './judge.ts';
import type { Mutation } from './mutations.ts';
import type { SimulationOptions } from './options.ts';
import type { SeedResult } from './run-seed.ts';
import type { Settings } from './settings.ts';
import type { Shrunk } from './shrink.ts';

export interface Report {
  readonly seeds: number;
  readonly first: number;
  readonly mutation: Mutation | null;
  /** Delivered messages, timers, faults and crashes that a real core has handled. */
  readonly steps: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  /** The same by the processor's own count: what one core does that has nothing else to do. */
  readonly stepsPerCpuSecond: number;
  /** None, or that of the first seed that failed. */
  readonly violations: readonly ReportedViolation[];
}

export interface ReportedViolation {
  readonly seed: number;
  readonly invariant: Invariant;
  readonly message: string;
  readonly step: number;
  readonly atSeconds: number;
  readonly settings: Settings;
  readonly faultsAtFirst: number;
  /** The fewest that were found to be enough. */
  readonly faults: readonly Fault[];
  /** The command that does exactly this again. */
  readonly replay: string;
}

interface Effort {
  readonly seeds: number;
  readonly steps: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export function reportOf(
  { first, mutation }: SimulationOptions,
  { seeds, steps, seconds, cpuSeconds }: Effort,
  failed: SeedResult | undefined,
  shrunk: Shrunk | undefined,
): Report {
  return {
    ...{ seeds, first, mutation: mutation ?? null, steps },
    seconds: Math.round(seconds * 1_000) / 1_000,
    stepsPerSecond: Math.round(steps / seconds),
    stepsPerCpuSecond: Math.round(steps / cpuSeconds),
    violations: failed === undefined || shrunk === undefined ? [] : [violationOf(failed, shrunk, mutation)],
  };
}

function violationOf(failed: SeedResult, { result, keep }: Shrunk, mutation?: Mutation): ReportedViolation {
  const { violation } = result.violation === undefined ? failed : result;
  const without = mutation === undefined ? '' : ` --mutate ${mutation}`;
  return {
    seed: failed.seed,
    invariant: violation?.invariant ?? 'no-crash',
    message: violation?.message ?? '',
    step: result.steps,
    atSeconds: Math.round((violation?.atMs ?? 0) / 10) / 100,
    settings: result.settings,
    faultsAtFirst: failed.faults.length,
    faults: result.faults,
    replay: `npm run sim -- --seeds 1 --first ${failed.seed} ${whatToRun(failed, keep)}${without}`,
  };
}

/** A list too long to be typed says less than the run itself, which does the same again. */
const MOST_KEPT = 60;

function whatToRun(failed: SeedResult, keep: readonly string[]): string {
  return keep.length > MOST_KEPT ? `--steps ${failed.steps + 1}` : `--keep '${keep.join(',')}'`;
}

/** The end of a trace says what happened; SIM_LINES asks for more of it. */
const MOST_LINES = Number(process.env.SIM_LINES ?? 300);

export function textOf(report: Report, shrunk: Shrunk | undefined): string {
  const { seeds, first, steps, seconds, stepsPerSecond, stepsPerCpuSecond, violations } = report;
  const effort =
    `${seeds} seeds from ${first} on, ${steps} steps in ${seconds.toFixed(1)} s: ` +
    `${stepsPerSecond} steps a second (${stepsPerCpuSecond} a second of one core)`;
  const [violation] = violations;
  if (violation === undefined) return `${effort}\nno violation\n`;
  const lines = shrunk?.result.trace ?? [];
  const shown = lines.slice(-MOST_LINES).map(({ atMs, step, actor, text }) => {
    return `${(atMs / 1_000).toFixed(3).padStart(10)} s  ${String(step).padStart(6)}  ${actor.padEnd(42)}  ${text}`;
  });
  const left = lines.length - shown.length;
  return [
    ...(left > 0 ? [`(${left} earlier lines are left out)`] : []),
    '      time    step  who                                         what',
    ...shown,
    '',
    `seed ${violation.seed} violates ${violation.invariant} after ${violation.atSeconds} s, step ${violation.step}:`,
    `  ${violation.message}`,
    `  ${JSON.stringify(violation.settings)}`,
    `  ${violation.faults.length} of ${violation.faultsAtFirst} faults are enough:`,
    ...violation.faults
      .slice(-MOST_KEPT)
      .map(({ id, kind, lengthMs }) => `    ${id} ${kind} (${Math.round(lengthMs)} ms)`),
    `replay: ${violation.replay}`,
    effort,
    '',
  ].join('\n');
}
