import { parseArgs } from 'node:util';
import { isShortDriverName, SHORT_DRIVER_NAME_RULE } from '../names.ts';
import { durableFiles } from './durable-files.ts';
import { findVolumeUser } from './open-files.ts';
import { currentProcess, processRuns, ticksSinceBoot } from './processes.ts';
import { servePlugin } from './server.ts';
import { openStore } from './store.ts';

const USAGE = `hostdir: a Docker volume plugin whose volumes are directories of one store.

  hostdir --store DIR --instance NAME --plugin-directory DIR [--name hostdir] [--stop-on-stdin-end]

  --store DIR             the store; every instance that shares it is given the same directory
  --instance NAME         who attaches volumes, one name per machine
  --plugin-directory DIR  where the socket <name>.sock is made
  --name NAME             driver name (hostdir)
  --stop-on-stdin-end     end when standard input ends

A volume that is mounted through one instance is refused to every other, until it is unmounted there or
that instance is dead and nothing of its machine has the volume in use.
When it is ready it prints {"listening": "<socket>"}. SIGTERM stops serving; what is mounted stays attached.
`;

class UsageError extends Error {}

interface HostdirOptions {
  readonly store: string;
  readonly instance: string;
  readonly pluginDirectory: string;
  readonly name: string;
  readonly stopOnStdinEnd: boolean;
}

function parseOptions(argv: readonly string[]): HostdirOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      store: { type: 'string' },
      instance: { type: 'string' },
      'plugin-directory': { type: 'string' },
      name: { type: 'string', default: 'hostdir' },
      'stop-on-stdin-end': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { store, instance, 'plugin-directory': pluginDirectory, name } = values;
  const faults: string[] = [];
  if (!store) faults.push('--store DIR is missing');
  if (!instance) faults.push('--instance NAME is missing');
  else if (!isShortDriverName(instance)) faults.push(`--instance: wanted ${SHORT_DRIVER_NAME_RULE}`);
  if (!pluginDirectory) faults.push('--plugin-directory DIR is missing');
  if (!isShortDriverName(name)) faults.push(`--name: wanted ${SHORT_DRIVER_NAME_RULE}`);
  if (!store || !instance || !pluginDirectory || faults.length > 0) throw new UsageError(faults.join('\n'));
  return { store, instance, pluginDirectory, name, stopOnStdinEnd: values['stop-on-stdin-end'] };
}

async function run(options: HostdirOptions): Promise<void> {
  const store = openStore({
    store: options.store,
    claimant: { instance: options.instance, process: currentProcess() },
    processes: { runs: processRuns, userOf: findVolumeUser, ticksSinceBoot },
    files: durableFiles(),
    now: () => new Date(),
  });
  store.resume();
  const server = await servePlugin(store, options);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void server.close().then(() => {
      store.releaseIdle();
      process.exit(0);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (options.stopOnStdinEnd) process.stdin.on('end', stop).on('error', stop).resume();
  process.stdout.write(`${JSON.stringify({ listening: server.socketPath })}\n`);
}

async function main(): Promise<void> {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options === 'help') process.stdout.write(USAGE);
    else await run(options);
  } catch (error) {
    const usage =
      error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`hostdir: ${(error as Error).message}\n${usage === true ? `\n${USAGE}` : ''}`);
    process.exitCode = usage === true ? 64 : 1;
  }
}

await main();
