/** The cluster under test: every part its own process, real Elasticsearch, and a hand on each of them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  bundlesBeside,
  ElasticsearchClient,
  makeWorkDirectory,
  NodeBoard,
  prepare,
  removeWorkDirectory,
  schedulerArgv,
  startMachines,
  type Undo,
  type Bundles,
  type DemoOptions,
  type Machines,
  type Prepared,
  type WorkDirectory,
} from '@mesos-elasticsearch/cli';
import { Plugins } from './plugins.ts';
import { ProgressLog } from './progress.ts';
import { Schedulers } from './schedulers.ts';
import { untilWhole } from './wholeness.ts';

export interface ClusterShape {
  readonly nodes: number;
  readonly agents: number;
  readonly driver: 'hostdir' | 'rclone';
  /** On top of what the demo gives its scheduler. */
  readonly schedulerFlags: Readonly<Record<string, string>>;
}

export interface ClusterUnderTest {
  readonly shape: ClusterShape;
  readonly frameworkName: string;
  readonly work: WorkDirectory;
  readonly machines: Machines;
  readonly board: NodeBoard;
  readonly progress: ProgressLog;
  readonly schedulers: Schedulers;
  readonly plugins: Plugins;
  readonly elasticsearch: ElasticsearchClient;
  /** `host:port` of every node, where it was last known to run. */
  addresses(): readonly string[];
  /** Where the driver keeps volumes, as the auditor wants it. */
  readonly stores: readonly string[];
  readonly signal: AbortSignal;
}

export interface Surroundings {
  /** The built command: packages/cli/dist/mesos-elasticsearch.mjs */
  readonly command: string;
  readonly tell: (line: string) => void;
  readonly undo: Undo;
  readonly interrupt: AbortController;
}

/** Small, of one module, and fast to start. */
const ELASTICSEARCH_VERSION = '7.17.29';
const WHOLE_WITHIN_MS = 240_000;

/** @throws what went wrong; what was begun by then is in `undo` */
export async function startCluster(shape: ClusterShape, around: Surroundings): Promise<ClusterUnderTest> {
  const { undo, tell, interrupt } = around;
  const bundles = bundlesBeside(pathToFileURL(around.command).href);
  const options = optionsOf(shape);
  const frameworkName = `faults-${randomLetters(5)}`;
  const work = await makeWorkDirectory(frameworkName);
  undo.add(`the folder ${work.path}`, () => removeWorkDirectory(work, false));
  const environment = { ...process.env, ELASTICSEARCH_HOME: '' };
  const prepared = await prepare(options, work, { environment, tell, undo });
  interrupt.signal.throwIfAborted();
  const machines = await startMachines({
    count: shape.agents,
    driver: shape.driver,
    work,
    bundles,
    random: Math.random(),
  });
  const plugins = new Plugins({ driver: shape.driver, machines, work, bundles });
  undo.add('the volume drivers', () => plugins.stop());
  undo.add('master and agents', () => machines.cluster.stop());
  const cluster = await assemble(
    { shape, frameworkName, work, machines, plugins },
    { options, prepared, bundles, around },
  );
  undo.add('the scheduler', () => cluster.schedulers.kill());
  await cluster.schedulers.start();
  await untilWhole(cluster, WHOLE_WITHIN_MS);
  return cluster;
}

function optionsOf({ nodes, agents, driver }: ClusterShape): DemoOptions {
  const fixed = { runtime: 'jar', keepVolumes: false, verify: false, json: false } as const;
  return { ...fixed, nodes, agents, driver, elasticsearchVersion: ELASTICSEARCH_VERSION };
}

type Parts = Pick<ClusterUnderTest, 'shape' | 'frameworkName' | 'work' | 'machines' | 'plugins'>;

async function assemble(
  parts: Parts,
  more: { options: DemoOptions; prepared: Prepared; bundles: Bundles; around: Surroundings },
): Promise<ClusterUnderTest> {
  const { frameworkName, work, machines, shape } = parts;
  const { options, prepared, bundles, around } = more;
  const master = machines.cluster.master;
  const argv = await schedulerArgv({ options, frameworkName, master, work, bundles, prepared });
  const extra = Object.entries(shape.schedulerFlags).map(([name, value]) => `--${name}=${value}`);
  const board = new NodeBoard();
  const progress = new ProgressLog();
  const addresses = new Map<number, string>();
  const schedulers = new Schedulers({
    argv: [...argv, ...extra],
    logs: work.logs,
    onProgress: (line) => {
      board.take(line);
      for (const { nodeId, http } of board.running()) addresses.set(nodeId, http);
      progress.take(line);
    },
    onLost: (words) => around.interrupt.abort(new Error(`the scheduler is gone: ${words}`)),
  });
  const elasticsearch = new ElasticsearchClient(() => [...addresses.values()]);
  const { signal } = around.interrupt;
  return {
    ...parts,
    ...{ board, progress, schedulers, elasticsearch, signal },
    addresses: () => [...addresses.values()],
    stores: storesOf(parts),
  };
}

/** hostdir: the folder of the store. rclone: each agent's own mountpoints; a volume has one on each. */
function storesOf({ shape, work, machines }: Parts): string[] {
  if (shape.driver === 'hostdir') return [join(work.store, 'volumes', '*', 'data')];
  return machines.list.map(({ name }) => join(work.agents, `${name}-rclone`, 'mounts', '*'));
}

function randomLetters(count: number): string {
  // No digits: a node ID follows the name in the names of volumes.
  return Array.from({ length: count }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join(
    '',
  );
}
