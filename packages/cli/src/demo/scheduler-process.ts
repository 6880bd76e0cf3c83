/** The scheduler as a process of its own, started with the flags a user would give. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ProgressLine } from '../commands/scheduler.ts';

const STARTS_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 15_000;

export interface SchedulerProcess {
  readonly pid: number;
  readonly url: string;
  /** Resolves when it has ended, with the words of its end. */
  readonly ended: Promise<string>;
  /** SIGTERM: the nodes run on. */
  stop(): Promise<void>;
}

/** @throws Error with the last lines of its log when it does not come up */
export async function startSchedulerProcess(
  argv: readonly string[],
  logFile: string,
  onProgress: (line: ProgressLine) => void,
): Promise<SchedulerProcess> {
  const log = await open(logFile, 'a');
  const [program = process.execPath, ...rest] = argv;
  // A group of its own: Ctrl-C in the terminal must not end it before the demo has cleared up.
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', log.fd], detached: true });
  await log.close();
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `code ${code ?? 'none'}`}`));
  });
  const listening = new Promise<string>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as ProgressLine;
      if (line.kind === 'listening') resolve(line.url);
      onProgress(line);
    });
  });
  const url = await Promise.race([
    listening,
    ended.then(() => undefined),
    new Promise<undefined>((resolve) => setTimeout(resolve, STARTS_WITHIN_MS, undefined).unref()),
  ]);
  if (url === undefined) {
    child.kill('SIGKILL');
    const words = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-5).join('\n  ');
    throw new Error(`the scheduler does not start:\n  ${words}`);
  }
  return {
    pid: child.pid ?? -1,
    url,
    ended,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const limit = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
      await exit;
      clearTimeout(limit);
    },
  };
}
