/**
 * One program of this machine with a time limit that holds whatever the program does. SIGKILL ends what waits for a file
 * system in most ways, but not what waits for an answer that the kernel has already asked for: such a process stays, in
 * state D, until the file system answers or is torn down. It is abandoned then, counted and said, and nobody waits for it.
 */
import { execa, type Options } from 'execa';
import { CommandTimeLimitError } from '../ports.ts';

export interface BoundedProgram {
  readonly argv: readonly string[];
  readonly limitMs: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly input?: Uint8Array | string | undefined;
}

export interface ProgramResult {
  /** Undefined: ended by a signal, or never started. */
  readonly exitCode: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly shortMessage: string | undefined;
}

/** How long a killed process may take to be gone. */
const REAP_MS = 1_000;
/** As many may hang at once; the next ones are refused, or every retry would leave one more. */
export const MOST_ABANDONED = 32;

const abandoned = new Set<string>();
let told: (message: string, fields: Readonly<Record<string, unknown>>) => void = () => undefined;

/** Programs that were killed and have not ended, as `NAME (pid N)`. */
export function abandonedPrograms(): readonly string[] {
  return [...abandoned];
}

/** Who is told of each program that is abandoned, and of its end. */
export function onAbandoned(tell: typeof told): void {
  told = tell;
}

/** @throws CommandTimeLimitError at the latest a second after the limit */
export async function runBounded(program: BoundedProgram): Promise<ProgramResult> {
  const [name, ...rest] = program.argv;
  if (name === undefined) throw new TypeError('no program given');
  const what = program.argv.join(' ');
  if (abandoned.size >= MOST_ABANDONED)
    throw new CommandTimeLimitError(
      `${what} is not started: ${String(abandoned.size)} programs hang already`,
    );
  const child = execa(name, rest, optionsFor(program));
  const ended = child.then((result): ProgramResult => ({
    exitCode: result.exitCode,
    stdout: Buffer.from(result.stdout as Uint8Array),
    stderr: Buffer.from(result.stderr as Uint8Array)
      .toString('utf8')
      .trim(),
    shortMessage: result.exitCode === undefined ? result.shortMessage : undefined,
  }));
  const inTime = await within(ended, program.limitMs);
  if (inTime !== undefined) return inTime;
  child.kill('SIGKILL');
  if ((await within(ended, REAP_MS)) === undefined)
    abandon(child, `${name} (pid ${String(child.pid)})`, ended);
  throw new CommandTimeLimitError(`${what} did not end within ${String(program.limitMs)} ms`);
}

function optionsFor({ environment, input }: BoundedProgram): Options & { encoding: 'buffer' } {
  return {
    reject: false,
    encoding: 'buffer',
    stripFinalNewline: false,
    extendEnv: false,
    env: environment,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  };
}

interface Abandonable {
  unref(): void;
  readonly stdin: { destroy(): unknown } | null;
  readonly stdout: { destroy(): unknown } | null;
  readonly stderr: { destroy(): unknown } | null;
}

function abandon(child: Abandonable, name: string, ended: Promise<unknown>): void {
  abandoned.add(name);
  told('a program hangs in the kernel and cannot be killed: its file system does not answer', {
    program: name,
    hanging: abandoned.size,
  });
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  child.unref();
  const gone = (): void => {
    abandoned.delete(name);
    told('a program that hung in the kernel has ended', { program: name, hanging: abandoned.size });
  };
  ended.then(gone, gone);
}

/** Undefined: not in time. */
async function within<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
