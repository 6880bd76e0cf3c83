/**
 * Programs inside the running container, through exec. Never the archive API: `docker cp` mounts the volumes a
 * second time under the same ID, which some drivers refuse and others then unmount under the container.
 */
import { PassThrough, type Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { CommandTimeLimitError, type CommandRunner } from '../ports.ts';

const DEFAULT_LIMIT_MS = 60_000;

export function containerCommands(
  docker: Docker,
  container: Docker.Container,
  user: { uid: number; gid: number },
): CommandRunner {
  return {
    run: async (argv, options) => {
      const limitMs = options.limitMs ?? DEFAULT_LIMIT_MS;
      const exec = await container.exec({
        Cmd: [...argv],
        User: options.as === 'node' ? `${String(user.uid)}:${String(user.gid)}` : '0:0',
        AttachStdin: options.input !== undefined,
        AttachStdout: true,
        AttachStderr: true,
        Env: Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      });
      const stream = await exec.start({ hijack: true, stdin: options.input !== undefined });
      const output = await collect(docker, stream, options.input, { limitMs, what: argv.join(' ') });
      const { ExitCode: exitCode } = await exec.inspect();
      return { exitCode: exitCode ?? 128, ...output };
    },
  };
}

async function collect(
  docker: Docker,
  stream: Duplex,
  input: Uint8Array | string | undefined,
  limit: { limitMs: number; what: string },
): Promise<{ stdout: Buffer; stderr: string }> {
  const [stdout, stderr] = [chunksOf(), chunksOf()];
  docker.modem.demuxStream(stream, stdout.stream, stderr.stream);
  const timer = setTimeout(() => {
    stream.destroy(new CommandTimeLimitError(`${limit.what} did not end within ${String(limit.limitMs)} ms`));
  }, limit.limitMs);
  try {
    if (input !== undefined) stream.end(input);
    await finished(stream, { writable: false });
  } finally {
    clearTimeout(timer);
  }
  return { stdout: stdout.all(), stderr: stderr.all().toString('utf8').trim() };
}

function chunksOf(): { stream: PassThrough; all: () => Buffer } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, all: () => Buffer.concat(chunks) };
}
