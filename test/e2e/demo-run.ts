/** Runs the demo as a user does, and looks at what it leaves behind. */
import { execFile, spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const COMMAND = fileURLToPath(
  new URL('../../packages/cli/dist/mesos-elasticsearch.mjs', import.meta.url),
);
const TIME_LIMIT_MS = 540_000;

export interface DemoRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Folder of the run, as the demo said it. */
  readonly folder: string | undefined;
}

export const commandIsBuilt: boolean = await access(COMMAND).then(
  () => true,
  () => false,
);

/** @param during called with everything said so far, each time more is said; may signal the demo */
export async function runDemo(
  argv: readonly string[],
  during: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<DemoRun> {
  const child = spawn(process.execPath, [COMMAND, 'demo', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    during(stderr, (signal) => child.kill(signal));
  });
  // A signal, not SIGKILL: a demo that takes too long must clear up too.
  const limit = setTimeout(() => child.kill('SIGTERM'), TIME_LIMIT_MS);
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(limit);
  return { exitCode, stdout, stderr, folder: /\/\S*\/mesos-elasticsearch-demo-[a-z]+/.exec(stderr)?.[0] };
}

/** Processes, mounts and folders of the run that are still there, in words. */
export async function leftBehind(folder: string): Promise<string[]> {
  const name = /demo-[a-z]+$/.exec(folder)?.[0] ?? folder;
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args', '-ww']);
  const processes = stdout.split('\n').filter((line) => line.includes(name));
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(name));
  const there = await access(folder).then(
    () => [folder],
    () => [],
  );
  return [...processes, ...mounts, ...there];
}
