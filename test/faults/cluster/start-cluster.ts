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
import { LEASE_MS, PAUSE_BOUND_MS } from '../rows/durations.ts';
import { inDirectories, inZookeeper, type Coordination } from './coordination.ts';
import { Engine } from './engine.ts';
import { FenceCommand } from './fence-command.ts';
import { LinkProxy } from './link-proxy.ts';
import { Plugins } from './plugins.ts';
import { ProgressLog } from './progress.ts';
import { Schedulers } from './schedulers.ts';
import { ownerOfPort } from './socket-owner.ts';
import { untilWhole } from './wholeness.ts';

export interface ClusterShape {
  readonly nodes: number;
  readonly agents: number;
  /** local: Docker's own, and Elasticsearch in containers of an engine of the test's own. */
  readonly driver: 'hostdir' | 'rclone' | 'local';
  /** On top of what the demo gives its scheduler. `preempt`: with the fence command of the tests. */
  readonly suspectPolicy: 'fence' | 'preempt';
  /** Where ledger and leases are. */
  readonly place: 'zookeeper' | 'directory';
}

export interface ClusterUnderTest {
  readonly shape: ClusterShape;
  readonly frameworkName: string;
  readonly work: WorkDirectory;
  readonly machines: Machines;
  readonly board: NodeBoard;
  readonly progress: ProgressLog;
  readonly schedulers: Schedulers;
  readonly links: Links;
  readonly plugins: Plugins;
  /** Where Elasticsearch runs in containers. */
  readonly engine: Engine | undefined;
  readonly elasticsearch: ElasticsearchClient;
  /** `host:port` of every node, where it was last known to run. */
  addresses(): readonly string[];
  /** Where the driver keeps volumes, as the auditor wants it. */
  readonly stores: readonly string[];
  readonly signal: AbortSignal;
}

/** Wires that rows can harm. */
export interface Links {
  /** Callers are pids of schedulers. */
  readonly schedulersToMaster: LinkProxy;
  readonly coordination: Coordination;
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
/** Suspect for this long, then its storage is taken away. */
const PREEMPT_AFTER_MS = 5000;
const WHOLE_WITHIN_MS = 240_000;

/** @throws what went wrong; what was begun by then is in `undo` */
export async function startCluster(shape: ClusterShape, around: Surroundings): Promise<ClusterUnderTest> {
  const { undo, tell, interrupt } = around;
  const bundles = bundlesBeside(pathToFileURL(around.command).href);
  const options = optionsOf(shape);
  const frameworkName = `faults-${randomLetters(5)}`;
  const work = await makeWorkDirectory(frameworkName);
  undo.add(`the folder ${work.path}`, () => removeWorkDirectory(work, false));
  const engine = shape.driver === 'local' ? new Engine(join(work.path, 'docker')) : undefined;
  if (engine !== undefined) undo.add('the Docker engine', () => engine.stop());
  await engine?.start();
  const environment = { ...process.env, ELASTICSEARCH_HOME: '', ...dockerHost(engine) };
  const prepared = await prepare(options, work, { environment, tell, undo });
  interrupt.signal.throwIfAborted();
  const machines = await startMachines({
    count: shape.agents,
    driver: shape.driver,
    work,
    bundles,
    random: Math.random(),
  });
  const fence = shape.suspectPolicy === 'preempt' ? new FenceCommand(work) : undefined;
  const onStarted = (agent: string, pid: number) => fence?.note(agent, pid);
  const plugins = new Plugins({ driver: shape.driver, machines, work, bundles, onStarted });
  undo.add('the volume drivers', () => plugins.stop());
  undo.add('master and agents', () => machines.cluster.stop());
  const [host = '', port = ''] = machines.cluster.master.split(':');
  // Known only when they have been started: by then the wires are there.
  const running: { schedulers?: Schedulers } = {};
  const caller = (from: number) => ownerOfPort(from, running.schedulers?.pids() ?? [])?.toString();
  const schedulersToMaster = await LinkProxy.open({ host, port: Number(port) }, caller);
  undo.add('the wire to the master', () => schedulersToMaster.close());
  const coordination =
    shape.place === 'zookeeper' ? await inZookeeper(machines, undo, caller) : inDirectories(work);
  const links = { schedulersToMaster, coordination };
  const cluster = await assemble(
    { shape, frameworkName, work, machines, plugins, engine, links },
    { options, prepared, bundles, around, fence },
  );
  running.schedulers = cluster.schedulers;
  undo.add('the scheduler', () => cluster.schedulers.stop());
  await cluster.schedulers.startLeader();
  await untilWhole(cluster, WHOLE_WITHIN_MS);
  return cluster;
}

function optionsOf({ nodes, agents, driver }: ClusterShape): DemoOptions {
  const fixed = { keepVolumes: false, verify: false, json: false } as const;
  const runtime = driver === 'local' ? 'docker' : 'jar';
  return { ...fixed, runtime, nodes, agents, driver, elasticsearchVersion: ELASTICSEARCH_VERSION };
}

function dockerHost(engine: Engine | undefined): Record<string, string> {
  return engine === undefined ? {} : { DOCKER_HOST: engine.host };
}

type Parts = Pick<
  ClusterUnderTest,
  'shape' | 'frameworkName' | 'work' | 'machines' | 'plugins' | 'engine' | 'links'
>;

async function assemble(
  parts: Parts,
  more: {
    options: DemoOptions;
    prepared: Prepared;
    bundles: Bundles;
    around: Surroundings;
    fence: FenceCommand | undefined;
  },
): Promise<ClusterUnderTest> {
  const { frameworkName, work, links } = parts;
  const { options, prepared, bundles, around } = more;
  const master = links.schedulersToMaster.address;
  const argv = await schedulerArgv({ options, frameworkName, master, work, bundles, prepared });
  const lease = { leaseMs: String(LEASE_MS), pauseBoundMs: String(PAUSE_BOUND_MS) };
  const own = { ...lease, ...links.coordination.flags, ...takeoverFlags(more.fence) };
  const extra = Object.entries(own).map(([name, value]) => `--${name}=${value}`);
  const common = argv.filter((word) => !/^--(stateDirectory|leaseDirectory)=/.test(word));
  const board = new NodeBoard();
  const progress = new ProgressLog();
  const addresses = new Map<number, string>();
  const schedulers = new Schedulers({
    argv: [...common, ...extra],
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

function takeoverFlags(fence: FenceCommand | undefined): Record<string, string> {
  if (fence === undefined) return {};
  return { suspectPolicy: 'preempt', preemptAfterMs: String(PREEMPT_AFTER_MS), fenceCommand: fence.program };
}

/** local: the engine's own folder. hostdir: the folder of the store. rclone: each agent's own mountpoints; a volume has one on each. */
function storesOf({ shape, work, machines, engine }: Parts): string[] {
  if (engine !== undefined) return [engine.store];
  if (shape.driver === 'hostdir') return [join(work.store, 'volumes', '*', 'data')];
  return machines.list.map(({ name }) => join(work.agents, `${name}-rclone`, 'mounts', '*'));
}

function randomLetters(count: number): string {
  // No digits: a node ID follows the name in the names of volumes.
  return Array.from({ length: count }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join(
    '',
  );
}
