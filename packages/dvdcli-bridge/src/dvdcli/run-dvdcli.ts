import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import type { RunResult } from './parse-output.ts';
import { killTree, RUN_VARIABLE } from './process-tree.ts';

/** How long a killed program's pipes may stay open before it is given up on: somebody out of reach may hold them. */
const LAST_OUTPUT_MS = 2_000;
/** No list is so long; a program that prints for ever is not read for ever. */
const OUTPUT_LIMIT = 16 << 20;

/**
 * Runs the program with these arguments and nothing on its input. At the limit it is killed with all below it: the
 * program may be a script, and the original waits for its driver for ever.
 */
export async function runDvdcli(
  program: string,
  argv: readonly string[],
  options: { env?: Readonly<Record<string, string>>; limitMs: number },
): Promise<RunResult> {
  const run = randomUUID();
  let timedOut = false;
  let limit: NodeJS.Timeout | undefined;
  const child = execa(program, [...argv], {
    stdin: 'ignore',
    reject: false,
    detached: true,
    stripFinalNewline: false,
    maxBuffer: OUTPUT_LIMIT,
    env: { ...options.env, [RUN_VARIABLE]: run },
  });
  const givenUp = new Promise<undefined>((resolve) => {
    limit = setTimeout(() => {
      timedOut = true;
      killTree(child.pid, run);
      limit = setTimeout(() => resolve(undefined), LAST_OUTPUT_MS);
    }, options.limitMs);
  });
  const result = await Promise.race([child, givenUp]);
  clearTimeout(limit);
  if (result === undefined)
    return { exitCode: undefined, stdout: '', stderr: '', timedOut, startFailure: undefined };
  if (result.isMaxBuffer) killTree(child.pid, run);
  const started = result.exitCode !== undefined || result.signal !== undefined || result.isMaxBuffer;
  return {
    // What is cut off is not the whole of what the program said, however it ended.
    exitCode: result.isMaxBuffer ? undefined : result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
    timedOut,
    startFailure: started ? undefined : (result.originalMessage ?? 'it could not be started'),
  };
}
