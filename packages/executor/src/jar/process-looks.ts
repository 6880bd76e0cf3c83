/** The same looks by a child of the executor's own program, `executor.mjs look`, which it may give up on. */
import { runBounded } from './bounded-program.ts';
import { LOOK_COMMAND, type ProcessLooks } from './look.ts';

const LOOK_LIMIT_MS = 15_000;

/** @param program of the executor, as argv. Every look rejects with CommandTimeLimitError when it takes too long. */
export function looksByProgram(
  program: readonly string[],
  environment: Readonly<Record<string, string>>,
  limitMs = LOOK_LIMIT_MS,
): ProcessLooks {
  const ask = async <T>(look: keyof ProcessLooks, about: unknown): Promise<T> => {
    const argv = [...program, LOOK_COMMAND];
    const result = await runBounded({ argv, limitMs, environment, input: JSON.stringify({ look, about }) });
    if (result.exitCode !== 0) {
      const [words = ''] = (result.stderr || (result.shortMessage ?? '')).split('\n');
      throw new Error(`processes cannot be looked at: ${words}`);
    }
    return (JSON.parse(result.stdout.toString('utf8')) as { answer?: T }).answer as T;
  };
  return {
    holdersOf: (directory) => ask('holdersOf', directory),
    survivorsOf: (run) => ask('survivorsOf', run),
    processesWith: (variable) => ask('processesWith', variable),
    marked: (mark) => ask('marked', mark),
    below: (hostPath) => ask('below', hostPath),
  };
}
