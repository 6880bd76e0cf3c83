/** Results in the Test Anything Protocol, version 13. Pure. */
import type { ConformanceCheck } from './check.ts';
import type { CheckResult } from './run-checks.ts';

export function tapHead(checks: number): string {
  return `TAP version 13\n1..${checks}\n`;
}

export function tapLine(number: number, { capability, name }: ConformanceCheck, result: CheckResult): string {
  const title = escaped(`${capability}: it ${name}`);
  switch (result.kind) {
    case 'passed':
      return `ok ${number} - ${title}\n`;
    case 'skipped':
      return `ok ${number} - ${title} # SKIP ${oneLine(result.why)}\n`;
    case 'failed':
      return `not ok ${number} - ${title}\n  ---\n  message: ${JSON.stringify(result.why)}\n  ...\n`;
  }
}

export function tapBailOut(why: string): string {
  return `Bail out! ${oneLine(why)}\n`;
}

export function tapSummary(results: readonly CheckResult[], left: readonly string[]): string {
  const count = (kind: CheckResult['kind']) => results.filter((result) => result.kind === kind).length;
  const lines = [
    `passed ${count('passed')}, failed ${count('failed')}, skipped ${count('skipped')}`,
    ...left.map((each) => `left behind, remove it by hand: ${each}`),
  ];
  return lines.map((line) => `# ${oneLine(line)}\n`).join('');
}

/** `#` begins a directive. */
function escaped(text: string): string {
  return oneLine(text).replaceAll('#', '\\#');
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
