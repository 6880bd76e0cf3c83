/** The table of results: for a terminal while it runs, for the docs at the end. Pure. */
import type { RowResult } from './result.ts';
import type { Split } from './timeline.ts';

const PARTS = [
  'detection',
  'proof',
  'decision',
  'mount',
  'start',
] as const satisfies readonly (keyof Split)[];

export function lineOf({
  row,
  misses,
  recoverySeconds,
  split,
  hosts,
  documents,
  overlaps,
}: RowResult): string {
  const verdict = misses.length === 0 ? 'held' : 'BROKEN';
  const parts =
    split === undefined ? '' : ` (${PARTS.map((part) => `${part} ${seconds(split[part])}`).join(', ')})`;
  const facts = `${documents.found}/${documents.acknowledged} documents, ${overlaps} overlaps`;
  const moved = hosts.length > 1 ? ` ${hosts.join(' → ')}` : '';
  const head = `${verdict.padEnd(7)}${row.name.padEnd(26)} whole after ${seconds(recoverySeconds)} s${parts}${moved}; ${facts}`;
  return [head, ...misses.map((miss) => `         ${miss}`)].join('\n');
}

export interface Provenance {
  readonly commit: string;
  /** ISO date. */
  readonly date: string;
  readonly command: string;
  readonly machine: string;
}

export function markdownOf(
  results: readonly RowResult[],
  { commit, date, command, machine }: Provenance,
): string {
  const heads = ['victim', 'fault', 'what held', 'whole after', ...PARTS, 'documents', 'overlaps'];
  const rows = results.map(({ row, misses, recoverySeconds, split, documents, overlaps }) => [
    row.victim,
    row.fault,
    misses.length === 0 ? `${OUTCOME[row.outcome]}; ${row.holds}` : `**broken**: ${misses.join('; ')}`,
    seconds(recoverySeconds),
    ...PARTS.map((part) => seconds(split?.[part])),
    `${documents.found}/${documents.acknowledged}`,
    String(overlaps),
  ]);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(heads),
    line(heads.map(() => '---')),
    ...rows.map(line),
    '',
    `The auditor's longest time between two looks was ${longestGapMs(results)} ms.`,
    `Made by \`${command}\` on ${date}, commit ${commit}, ${machine}.`,
    '',
  ].join('\n');
}

export function longestGapMs(results: readonly RowResult[]): number {
  return Math.max(0, ...results.map((result) => result.longestGapMs));
}

const OUTCOME = {
  stays: 'same task, same epoch',
  returns: 'same node ID and volumes, higher epoch',
} as const;

function seconds(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(1);
}
