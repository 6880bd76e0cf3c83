/** The command: runs seeds until one fails; exit code 0 for none, 1 for a violation, 2 for wrong parameters. */
import { MUTATIONS, type Mutation } from './mutations.ts';
import { readOptions, USAGE, UsageError, type SimulationOptions } from './options.ts';
import { reportOf, textOf } from './report.ts';
import { runSeed, type SeedResult, type SeedRun } from './run-seed.ts';
import { keptRun, shrink, type Shrunk } from './shrink.ts';

const SHRINK_MS = 15_000;

process.exitCode = main(process.argv.slice(2));

function main(argv: readonly string[]): number {
  let options: SimulationOptions | 'list';
  try {
    options = readOptions(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    return 2;
  }
  if (options === 'list') {
    process.stdout.write(`${Object.keys(MUTATIONS).join('\n')}\n`);
    return 0;
  }
  return simulate(options);
}

function simulate(options: SimulationOptions): number {
  const { seeds, first, json } = options;
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  let steps = 0;
  let done = 0;
  let failed: { run: SeedRun; result: SeedResult } | undefined;
  for (let seed = first; seed < first + seeds && failed === undefined; seed += 1) {
    const run = runOf(options, seed);
    const result = runSeed(run);
    steps += result.steps;
    done += 1;
    if (result.violation !== undefined) failed = { run, result };
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const cpuSeconds = process.cpuUsage(startedCpu).user / 1e6;
  const shrunk: Shrunk | undefined =
    failed === undefined ? undefined : shrink(failed.run, failed.result, SHRINK_MS, () => performance.now());
  const report = reportOf(options, { seeds: done, steps, seconds, cpuSeconds }, failed?.result, shrunk);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : textOf(report, shrunk));
  return failed === undefined ? 0 : 1;
}

function runOf({ steps, mutation, keep }: SimulationOptions, seed: number): SeedRun {
  const mutations: ReadonlySet<Mutation> = new Set(mutation === undefined ? [] : [mutation]);
  const run: SeedRun = { seed, steps, mutations };
  return keep === undefined ? run : keptRun(run, keep);
}
