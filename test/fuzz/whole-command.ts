/** The `dvdcli` command as a process, before a plugin that answers with fuzzed bytes. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { Random } from '../sim/random.ts';
import { startFuzzedPlugin } from './fuzzed-plugin.ts';
import type { Fault } from './in-process.ts';
import { VOLUME } from './plugin-material.ts';

const VERBS = ['mount', 'mount', 'mount', 'unmount', 'path', 'get', 'list', 'create', 'remove'];
/** Its own limit, and when it counts as hung: to take a mount back it may take three seconds more. */
const TIME_LIMIT_MS = 700;
const HUNG_MS = 20_000;

interface Ran {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly timedOut: boolean;
}

/** @param home a directory of its own for the sockets */
export async function fuzzCommand(
  program: string,
  home: string,
  seed: number,
  count: number,
): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  let next = 0;
  // Each has a plugin of its own, so that what it said can be told from what the others said.
  const worker = async (name: string): Promise<void> => {
    const plugins = join(home, name);
    const mountpoint = join(plugins, 'mountpoint');
    mkdirSync(mountpoint, { recursive: true });
    const plugin = await startFuzzedPlugin(join(plugins, 'fuzzed.sock'), mountpoint);
    while (next < count && faults.length < 10) {
      const stream = (next += 1);
      const random = new Random(seed, stream);
      const verb = random.pick(VERBS);
      plugin.use(random);
      const ran = await run(program, verb, plugins);
      const says = faultOf(verb, ran, plugin.said());
      if (says !== undefined) {
        const input = { verb, said: plugin.said(), stdout: ran.stdout };
        faults.push({ target: 'dvdcli command', stream, input, says });
      }
    }
    await plugin.close();
  };
  await Promise.all([worker('a'), worker('b')]);
  return faults;
}

async function run(program: string, verb: string, plugins: string): Promise<Ran> {
  const argv = [verb, '--volumedriver=fuzzed', `--volumename=${VOLUME}`, `--timeout=${TIME_LIMIT_MS}ms`];
  const { exitCode, stdout, timedOut } = await execa(program, argv, {
    stdin: 'ignore',
    reject: false,
    stripFinalNewline: false,
    timeout: HUNG_MS,
    killSignal: 'SIGKILL',
    env: { VOLUME_PLUGIN_DIRECTORIES: plugins, DOCKER_HOST: `unix://${plugins}/no-engine.sock` },
  });
  return { exitCode, stdout, timedOut };
}

function faultOf(verb: string, { exitCode, stdout, timedOut }: Ran, said: string): string | undefined {
  if (timedOut) return 'hung';
  if (exitCode !== 0 && exitCode !== 1 && exitCode !== 64) return `exit code ${String(exitCode)}`;
  if (exitCode !== 0) return stdout === '' ? undefined : 'failed, and printed something';
  const lines = stdout.split('\n').slice(0, -1);
  if (!stdout.endsWith('\n') && stdout !== '') return 'a line without an end';
  if (verb === 'create' || verb === 'unmount' || verb === 'remove')
    return stdout === '' ? undefined : 'printed something';
  if (verb === 'list') return undefined;
  if (verb === 'path' && stdout === '') return undefined;
  const [line = ''] = lines;
  if (lines.length !== 1) return `${lines.length} lines`;
  if (verb === 'get') return line.toLowerCase() === VOLUME ? undefined : 'another name';
  if (!line.startsWith('/')) return 'a path that is not absolute';
  if (verb === 'path') return undefined;
  if (statSync(line, { throwIfNoEntry: false })?.isDirectory() !== true)
    return 'mounted where no directory is';
  return said.includes('ountpoint') || said.includes('OUNTPOINT')
    ? undefined
    : 'mounted, and the plugin never said where';
}
