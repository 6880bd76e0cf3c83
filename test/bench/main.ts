/** The command: runs the benches that were named, or all; exit code 0, 1 where one is above its limit, 2 for wrong parameters. */
import { parseArgs } from 'node:util';
import { serveAnswers } from './answering-plugin.ts';
import { benchDvdcli } from './dvdcli-start.ts';

export interface BenchOptions {
  readonly rounds: number;
}
export interface BenchReport {
  readonly text: string;
  readonly withinLimit: boolean;
}

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<BenchReport>>> = {
  dvdcli: benchDvdcli,
};

const USAGE = `usage: npm run bench -- [--only ${Object.keys(BENCHES).join(',')}] [--rounds N]`;

async function main(argv: readonly string[]): Promise<number> {
  // A plugin of its own process is this same file, started again.
  if (argv[0] === 'serve-answers') return serveAnswers(argv.slice(1));
  const chosen = readOptions(argv);
  if (chosen === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  let within = true;
  for (const name of chosen.names) {
    const report = await BENCHES[name]?.({ rounds: chosen.rounds });
    if (report === undefined) continue;
    process.stdout.write(`${name}\n${report.text}\n`);
    within &&= report.withinLimit;
  }
  return within ? 0 : 1;
}

function readOptions(argv: readonly string[]): { names: string[]; rounds: number } | undefined {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { only: { type: 'string' }, rounds: { type: 'string', default: '60' } },
    });
    const names = values.only?.split(',') ?? Object.keys(BENCHES);
    const rounds = Number(values.rounds);
    const known = names.every((name) => name in BENCHES);
    return known && Number.isInteger(rounds) && rounds >= 40 ? { names, rounds } : undefined;
  } catch {
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
