/** One thing that was looked at, and what to do where it is wrong. */
export interface Line {
  readonly check: string;
  /** skipped: it was not looked at, or it is missing and nothing needs it. */
  readonly verdict: 'fine' | 'failed' | 'skipped';
  readonly says: string;
  /** Of a failed line: the next thing to do. */
  readonly next?: string;
  /** How long it took. */
  readonly ms?: number;
}

export function fine(check: string, says: string, ms?: number): Line {
  return { check, verdict: 'fine', says, ...(ms === undefined ? {} : { ms }) };
}

export function failed(check: string, says: string, next: string): Line {
  return { check, verdict: 'failed', says, next };
}

export function skipped(check: string, says: string): Line {
  return { check, verdict: 'skipped', says };
}

const SIGNS = { fine: '✓', failed: '✗', skipped: '–' } as const;

export function linesText(lines: readonly Line[]): string {
  const width = Math.max(...lines.map(({ check }) => check.length));
  return lines
    .map(({ check, verdict, says, next, ms }) => {
      const took = ms === undefined ? '' : ` (${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms)`;
      const below = (text: string): string => text.replaceAll('\n', `\n  ${' '.repeat(width)}    `);
      const advice = next === undefined ? '' : `\n  ${' '.repeat(width)}  → ${below(next)}`;
      return `${SIGNS[verdict]} ${check.padEnd(width)}  ${below(says)}${took}${advice}`;
    })
    .join('\n');
}

export function allFine(lines: readonly Line[]): boolean {
  return lines.every(({ verdict }) => verdict !== 'failed');
}
