/** `npm run faults`: the whole fault table, or a choice of it. Started by scripts/faults.mjs. */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { chooseRows, FAULT_TABLE } from './rows/table.ts';
import { lineOf, longestGapMs, markdownOf } from './run/report.ts';
import { whyNotHere } from './run/requirements.ts';
import type { RowResult } from './run/result.ts';
import { runRows } from './run/run-rows.ts';

const USAGE = `usage: npm run faults -- [--only ROW,ROW] [--class CLASS] [--list] [--json] [--write]

  --only ROW,ROW  these rows, in the order of the table
  --class CLASS   the rows of one class
  --list          names the rows, one a line, and runs nothing
  --json          one JSON object a row on stdout
  --write         writes the table of this run into docs/faults.md

Exit code 0: everything held. 1: something did not, or a row could not be run. 64: wrong usage.
`;
const USAGE_ERROR = 64;
const INTERRUPTED = 130;
/** A hundred minutes: a row that hangs must not hang everything. */
const LIMIT_MS = 6_000_000;
const DOCUMENT = 'docs/faults.md';
const BEGIN = '<!-- table: begin -->';
const END = '<!-- table: end -->';

interface Paths {
  readonly command: string;
  readonly auditor: string;
}

async function main(argv: readonly string[], paths: Paths): Promise<number> {
  const options = parse(argv);
  if (options === undefined) return USAGE_ERROR;
  const { rows, json, list, write } = options;
  if (list) {
    for (const row of rows) say(row.name);
    return 0;
  }
  const why = await whyNotHere(paths.command);
  if (why !== undefined) {
    process.stderr.write(`the fault rows cannot run here: ${why}\n`);
    return 1;
  }
  // Now: it may be another one by the end of the run.
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupt.abort(new Error('interrupted')));
  }
  const limit = setTimeout(() => interrupt.abort(new Error('the time for all rows is used up')), LIMIT_MS);
  const results: RowResult[] = [];
  const left = await runRows(rows, {
    command: paths.command,
    auditorProgram: paths.auditor,
    interrupt,
    tell: (line) => process.stderr.write(`${line}\n`),
    onResult: (result) => {
      results.push(result);
      say(json ? JSON.stringify(result) : lineOf(result));
    },
  }).catch((error: unknown) => {
    const why: unknown = interrupt.signal.reason ?? error;
    return [why instanceof Error ? why.message : String(why)];
  });
  clearTimeout(limit);
  for (const what of left) process.stderr.write(`${what}\n`);
  if (write) await writeDocument(results, commit, argv);
  if (!json) say(sum(results));
  if (interrupt.signal.aborted) return INTERRUPTED;
  return left.length === 0 && results.length === rows.length && results.every(held) ? 0 : 1;
}

function parse(argv: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { only: { type: 'string' }, class: { type: 'string' }, list: flag, json: flag, write: flag },
    });
    const { only, class: wanted, ...flags } = values;
    const choice = {
      ...(only === undefined ? {} : { only: only.split(',') }),
      ...(wanted === undefined ? {} : { class: wanted }),
    };
    return { ...flags, rows: chooseRows(choice, FAULT_TABLE) };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return undefined;
  }
}

const held = ({ misses }: RowResult) => misses.length === 0;

function sum(results: readonly RowResult[]): string {
  const broken = results.filter((result) => !held(result)).map(({ row }) => row.name);
  const lost = results.reduce((count, { documents }) => count + documents.acknowledged - documents.found, 0);
  const overlaps = results.reduce((count, result) => count + result.overlaps, 0);
  const verdict = broken.length === 0 ? 'all held' : `broken: ${broken.join(', ')}`;
  return `${results.length} rows, ${verdict}; ${lost} documents lost, ${overlaps} overlaps (looked at every ${longestGapMs(results)} ms at least)`;
}

async function writeDocument(
  results: readonly RowResult[],
  commit: string,
  argv: readonly string[],
): Promise<void> {
  const table = markdownOf(results, {
    commit,
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run faults --', ...argv].join(' '),
    machine: `${availableParallelism()} cores, Node ${process.versions.node}`,
  });
  const before = await readFile(DOCUMENT, 'utf8');
  const [head = '', rest = ''] = before.split(BEGIN);
  const tail = rest.split(END)[1] ?? '\n';
  await writeFile(DOCUMENT, `${head}${BEGIN}\n\n${table}\n${END}${tail}`);
  execFileSync('node_modules/.bin/prettier', ['--write', '--log-level', 'warn', DOCUMENT]);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [command = '', auditor = '', ...argv] = process.argv.slice(2);
// Whatever still waits for something has nothing left to do.
process.exit(await main(argv, { command, auditor }));
