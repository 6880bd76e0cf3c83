import { execa } from 'execa';
import type { RunResult } from './parse-output.ts';

/**
 * Runs the program with these arguments and nothing on its input. At the limit its whole process group is
 * killed: the program may be a script, and the original waits for its driver for ever.
 */
export async function runDvdcli(
  program: string,
  argv: readonly string[],
  options: { env?: Readonly<Record<string, string>>; limitMs: number },
): Promise<RunResult> {
  let timedOut = false;
  const child = execa(program, [...argv], {
    stdin: 'ignore',
    reject: false,
    detached: true,
    stripFinalNewline: false,
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  });
  const limit = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, options.limitMs);
  try {
    const result = await child;
    const started = result.exitCode !== undefined || result.signal !== undefined;
    return {
      exitCode: result.exitCode,
      stdout: result.stdout,
      stderr: result.stderr,
      timedOut,
      startFailure: started ? undefined : (result.originalMessage ?? 'it could not be started'),
    };
  } finally {
    clearTimeout(limit);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}
