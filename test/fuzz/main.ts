/** The command: fuzzes parsers and processes; exit code 0, 1 where something is wrong, 2 for wrong parameters. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzInProcess, type Fault } from './in-process.ts';
import { TARGETS } from './targets.ts';
import { fuzzCommand } from './whole-command.ts';
import { fuzzProgram } from './whole-program.ts';

const USAGE = `usage: npm run fuzz -- [--seed N] [--inputs N] [--processes N] [--stream N]
  --seed N       where the random numbers begin (a new one each time, and printed)
  --inputs N     how many inputs the parsers get (1000000)
  --processes N  how many of them go through whole processes on top (2000)
  --stream N     only that one input of the parsers, as a fault names it`;

interface FuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  readonly processes: number;
  readonly stream: number | undefined;
}

function readOptions(argv: readonly string[]): FuzzOptions | undefined {
  try {
    const whole = { type: 'string' } as const;
    const options = { seed: whole, inputs: whole, processes: whole, stream: whole };
    const { values } = parseArgs({ args: [...argv], options });
    const read = (text: string | undefined, otherwise: number): number =>
      text === undefined ? otherwise : /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    const found = {
      seed: read(values.seed, Date.now() % 1_000_000_007),
      inputs: read(values.inputs, 1_000_000),
      processes: read(values.processes, 2_000),
      stream: values.stream === undefined ? undefined : read(values.stream, 0),
    };
    return Object.values(found).some(Number.isNaN) ? undefined : found;
  } catch {
    return undefined;
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { seed, stream } = options;
  process.stdout.write(`seed ${seed}\n`);
  if (stream !== undefined) return report(fuzzInProcess(seed, 1, stream));
  const faults = [
    ...timed(`${options.inputs} inputs, ${Object.keys(TARGETS).length} parsers`, () =>
      fuzzInProcess(seed, options.inputs),
    ),
  ];
  const home = mkdtempSync(join(tmpdir(), 'fuzz-'));
  try {
    faults.push(...(await fuzzProcesses(home, seed, options.processes)));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return report(faults);
}

/** Half of them through the command, half through the path that calls it. */
async function fuzzProcesses(home: string, seed: number, count: number): Promise<readonly Fault[]> {
  const program = resolve('packages/dvdcli-bridge/dist/dvdcli.mjs');
  const started = performance.now();
  const half = Math.ceil(count / 2);
  const command = await fuzzCommand(program, join(home, 'command'), seed, half);
  const path = await fuzzProgram(join(home, 'program'), seed, count - half);
  process.stdout.write(`${count} through whole processes: ${secondsSince(started)} s\n`);
  return [...command, ...path];
}

function timed<T>(what: string, act: () => T): T {
  const started = performance.now();
  const value = act();
  process.stdout.write(`${what}: ${secondsSince(started)} s\n`);
  return value;
}

function secondsSince(started: number): string {
  return ((performance.now() - started) / 1_000).toFixed(1);
}

function report(faults: readonly Fault[]): number {
  for (const { target, stream, input, says } of faults)
    process.stdout.write(`${target}, stream ${stream}: ${says}\n  ${JSON.stringify(input)}\n`);
  process.stdout.write(faults.length === 0 ? 'nothing wrong\n' : `${faults.length} faults\n`);
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
