/** `state export | rebuild`: a copy of the ledger, and a ledger for a store that was lost. */
import { open, readFile } from 'node:fs/promises';
import { clusterRoot, parseZookeeperCredentials, parseZookeeperUrl } from '@mesos-elasticsearch/coordination';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { StatePlace } from '../config/compile.ts';
import { FIELDS, variableOf, type FieldName } from '../config/fields.ts';
import { leasesOf, type Evidence } from '../state/core/evidence.ts';
import { rebuildLedger } from '../state/core/rebuild.ts';
import { describeRebuilt } from '../state/describe-rebuilt.ts';
import { encodeStateDocument } from '../state/document.ts';
import { exportState } from '../state/export-state.ts';
import { readExport, readLeases, readMarker, readMaster } from '../state/gather.ts';
import { openPlaceToRead, openPlaceToWrite, type WritePlace } from '../state/place.ts';
import { writeRebuilt } from '../state/write-rebuilt.ts';
import { UsageError } from './exit-code.ts';
import { terminal, type Terminal } from './terminal.ts';

interface PlaceOptions {
  readonly frameworkName: string;
  readonly elasticsearchClusterName: string;
  readonly stateDirectory?: string;
  readonly leaseDirectory?: string;
  readonly zookeeperUrl?: string;
  readonly zookeeperCredentialsFile?: string;
  readonly zookeeperExecutorDigest?: string;
}

interface RebuildOptions extends PlaceOptions {
  readonly fromExport: readonly string[];
  readonly marker: readonly string[];
  readonly master?: URL;
  readonly frameworkPrincipal?: string;
  readonly frameworkSecretPath?: string;
  readonly dryRun?: true;
}

export function stateCommand(to: Terminal = terminal): Command {
  const state = new Command('state').description('the ledger: a copy of it, or a new one').exitOverride();
  placed(state.command('export'))
    .description(
      'writes the ledger and its leases as one JSON document (it may hold credentials of volume drivers)',
    )
    .option('--out <file>', 'a new file, readable by its owner only; absent: stdout')
    .action(async (options: PlaceOptions & { readonly out?: string }) => {
      await inPlace(await openPlaceToRead(await placeOf(options)), async (place) => {
        const text = encodeStateDocument(await exportState(place, to.nowMs()));
        if (options.out === undefined) to.write(text);
        else await writePrivate(options.out, text);
      });
    });
  placed(state.command('rebuild'))
    .description('makes a ledger for a cluster whose store was lost, with every node suspect')
    .option('--from-export <file...>', 'what state export wrote', [])
    .option('--marker <file...>', 'copies of .mesos-elasticsearch-volume.json from volumes', [])
    .addOption(new Option('--master <url>', 'a master that knows the tasks').argParser(parseUrl))
    .option('--frameworkPrincipal <name>', 'to ask the master with')
    .option('--frameworkSecretPath <file>', 'secret of the principal')
    .option('--dry-run', 'shows what would be written')
    .action(async (options: RebuildOptions) => {
      await inPlace(await openPlaceToWrite(await placeOf(options)), (place) => rebuild(options, place, to));
    });
  return state;
}

/** Settings of the scheduler, by the same names and variables. */
function placed(command: Command): Command {
  const wanted = [
    'frameworkName',
    'elasticsearchClusterName',
    'stateDirectory',
    'leaseDirectory',
    'zookeeperUrl',
    'zookeeperCredentialsFile',
    'zookeeperExecutorDigest',
  ] as const satisfies readonly FieldName[];
  for (const name of wanted) {
    const option = new Option(`--${name} <value>`, FIELDS[name].help).env(variableOf(name));
    const { fallback } = FIELDS[name];
    command.addOption(fallback === undefined ? option : option.default(fallback));
  }
  return command;
}

async function inPlace<P extends { close(): Promise<void> }>(
  place: P,
  work: (place: P) => Promise<void>,
): Promise<void> {
  try {
    await work(place);
  } finally {
    await place.close();
  }
}

async function placeOf(options: PlaceOptions): Promise<StatePlace> {
  const { stateDirectory: state, zookeeperUrl, zookeeperCredentialsFile: file } = options;
  if ((state === undefined) === (zookeeperUrl === undefined)) {
    throw new UsageError(
      'wanted either --stateDirectory or --zookeeperUrl, as the scheduler is started with',
    );
  }
  if (state !== undefined) return { kind: 'directory', state, leases: options.leaseDirectory ?? state };
  const url = parseZookeeperUrl(zookeeperUrl ?? '');
  const login = file === undefined ? undefined : (await readFile(file, 'utf8')).trim();
  return {
    kind: 'zookeeper',
    url,
    root: clusterRoot(url.path, options.frameworkName, options.elasticsearchClusterName),
    sessionTimeoutMs: FIELDS.zookeeperSessionTimeoutMs.fallback,
    credentials: login === undefined ? undefined : parseZookeeperCredentials(login),
    executorDigest: options.zookeeperExecutorDigest,
  };
}

async function rebuild(options: RebuildOptions, place: WritePlace, to: Terminal): Promise<void> {
  const evidence = await evidenceOf(options, place);
  const rebuilt = rebuildLedger(evidence, to.nowMs());
  if (!rebuilt.ok) throw new Error(['no ledger can be rebuilt:', ...rebuilt.problems].join('\n  '));
  to.write(`${describeRebuilt(rebuilt.framework, rebuilt.nodes, rebuilt.warnings)}\n`);
  if (options.dryRun === true) {
    to.write('Nothing was written (--dry-run).\n');
    return;
  }
  await writeRebuilt(rebuilt, place, leasesOf(evidence));
  to.write(
    `Written to ${place.name}. Every node waits for proof or your word: mesos-elasticsearch nodes release\n`,
  );
}

/** The leases of the place itself are evidence always: what is left of them may be the newest that there is. */
async function evidenceOf(options: RebuildOptions, place: WritePlace): Promise<Evidence> {
  const { frameworkName, elasticsearchClusterName: clusterName, master } = options;
  const login = await masterLogin(options);
  const told =
    master === undefined ? { tasks: [], agents: [] } : await readMaster(master, frameworkName, login);
  return {
    frameworkName,
    clusterName,
    exports: await Promise.all(options.fromExport.map(readExport)),
    markers: await Promise.all(options.marker.map(readMarker)),
    leases: await readLeases(place.name, await place.listLeases(), place.leases),
    ...told,
  };
}

async function masterLogin(options: RebuildOptions): Promise<string | undefined> {
  const { frameworkPrincipal: principal, frameworkSecretPath: path } = options;
  if (principal === undefined || path === undefined) return undefined;
  return `${principal}:${(await readFile(path, 'utf8')).replace(/\r?\n$/, '')}`;
}

/** Never over a file that is there: it may be the last good copy. */
async function writePrivate(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw isThere ? new UsageError(`${path} is there already: nothing is written over it`) : error;
  });
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function parseUrl(text: string): URL {
  const url = /^https?:\/\//.test(text) ? text : `http://${text}`;
  if (URL.canParse(url)) return new URL(url);
  throw new InvalidArgumentError('wanted host:port or http(s)://host:port');
}
