import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa } from 'execa';

export interface RunningPlugin {
  readonly pid: number;
  readonly socketPath: string;
  /** SIGTERM, and the end of the process; harmless when it is gone already. */
  stop(): Promise<void>;
}

export interface HostdirPluginOptions {
  /** The bundled `hostdir` program. */
  readonly program: string;
  readonly store: string;
  /** One name per agent. */
  readonly instance: string;
  readonly pluginDirectory: string;
  /** Driver name; `hostdir` unless told. */
  readonly name?: string;
  /** The plugin goes with the process that started it. */
  readonly stopOnStdinEnd?: boolean;
  readonly readyWithinMs?: number;
}

/** Starts a hostdir process and waits until it serves. @throws Error with what it printed when it does not. */
export async function startHostdirPlugin(options: HostdirPluginOptions): Promise<RunningPlugin> {
  const argv = [
    options.program,
    ...['--store', options.store, '--instance', options.instance],
    ...['--plugin-directory', options.pluginDirectory, '--name', options.name ?? 'hostdir'],
    ...(options.stopOnStdinEnd === true ? ['--stop-on-stdin-end'] : []),
  ];
  const child = execa(process.execPath, argv, {
    stdin: options.stopOnStdinEnd === true ? 'pipe' : 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: { stdout: false },
    reject: false,
    cleanup: options.stopOnStdinEnd === true,
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), options.readyWithinMs ?? 10_000);
  const socketPath = await firstReadyLine(child.stdout);
  clearTimeout(limit);
  if (socketPath !== undefined && child.pid !== undefined)
    return { pid: child.pid, socketPath, stop: () => stopped(child) };
  const ended = await child;
  throw new Error(`hostdir did not start (${ended.shortMessage ?? 'it ended'}): ${ended.stderr}`);
}

/** `undefined`: the output ended without it. */
function firstReadyLine(stdout: Readable): Promise<string | undefined> {
  const lines = createInterface({ input: stdout });
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const socketPath = readyLine(line);
      if (socketPath !== undefined) resolve(socketPath);
    });
    lines.on('close', () => resolve(undefined));
  });
}

function readyLine(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { listening?: string }).listening;
  } catch {
    return undefined;
  }
}

async function stopped(
  child: { kill(signal: NodeJS.Signals): boolean } & PromiseLike<unknown>,
): Promise<void> {
  child.kill('SIGTERM');
  await child;
}
