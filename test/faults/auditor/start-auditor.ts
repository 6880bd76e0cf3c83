/** Starts the auditor and asks it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Audit, AuditorLine, Overlap } from './records.ts';

const ANSWERS_WITHIN_MS = 15_000;
export const LOOKS_EVERY_MS = 40;

export interface Auditor {
  /** All that was seen so far. @throws Error when it does not answer: then nothing is known to be right */
  audit(): Promise<Audit>;
  stop(): Promise<void>;
}

/**
 * @param program the auditor as one file
 * @param stores `*` stands for a volume's name; what is before it must exist
 * @param onOverlap called at once when it sees one
 */
export async function startAuditor(
  program: string,
  stores: readonly string[],
  onOverlap: (overlap: Overlap) => void = () => undefined,
): Promise<Auditor> {
  const real = stores.map((store) => {
    const [base = '', ...inner] = store.split('/*');
    return [realpathSync(base), ...inner].join('/*');
  });
  // A session of its own: Ctrl-C must not end the oracle before the last question.
  const child = spawn(process.execPath, [program, String(LOOKS_EVERY_MS), ...real], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  const waiting: ((line: AuditorLine) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as AuditorLine;
    if (line.kind === 'overlap') onOverlap(line.overlap);
    else waiting.shift()?.(line);
  });
  const ended = once(child, 'exit');
  const next = () =>
    new Promise<AuditorLine>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error('the auditor does not answer')), ANSWERS_WITHIN_MS);
      void ended.then(() => reject(new Error('the auditor has ended')));
      waiting.push((line) => {
        clearTimeout(limit);
        resolve(line);
      });
    });
  await next();
  return {
    async audit() {
      const answer = next();
      child.stdin.write('audit\n');
      const line = await answer;
      if (line.kind !== 'audit') throw new Error(`the auditor said ${line.kind}`);
      return line.audit;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      await ended;
    },
  };
}
