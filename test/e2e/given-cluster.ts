/**
 * A framework of one node on a Mesos cluster that is there already, as the environment describes it:
 * MESOS_MASTER=host:port, VOLUME_DRIVER (of the agents), and where they differ from the defaults VOLUME_PATH,
 * VOLUME_OPTIONS, DVDCLI, LEASE_DIRECTORY (the same path on the agents), ELASTICSEARCH_HOME (on the agents) or
 * ELASTICSEARCH_ARCHIVE (served by the scheduler), ELASTICSEARCH_BIND_HOST, MESOS_USER, NODE_PROGRAM.
 */
import { randomInt } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ElasticsearchClient,
  NodeBoard,
  startSchedulerProcess,
  tearDownFramework,
  type SchedulerProcess,
} from '@mesos-elasticsearch/cli';
import { COMMAND } from './demo-run.ts';

type Environment = Readonly<Record<string, string | undefined>>;
const STOP_WITHIN_MS = 30_000;
const never = new AbortController().signal;

export const LEASE_MS = 10_000;
export const PAUSE_BOUND_MS = 2000;

/** Why there is no such cluster; undefined where there is one. */
export function whyNoGivenCluster(environment: Environment): string | undefined {
  if (!environment['MESOS_MASTER']) return 'MESOS_MASTER is not set';
  if (!environment['VOLUME_DRIVER']) return 'VOLUME_DRIVER, a volume driver of the agents, is not set';
  return environment['ELASTICSEARCH_HOME'] || environment['ELASTICSEARCH_ARCHIVE']
    ? undefined
    : 'neither ELASTICSEARCH_HOME nor ELASTICSEARCH_ARCHIVE is set';
}

export class GivenCluster {
  readonly name = `e2e-${Array.from({ length: 6 }, () => String.fromCharCode(97 + randomInt(26))).join('')}`;
  readonly board = new NodeBoard();
  readonly elasticsearch = new ElasticsearchClient(() => this.board.running().map(({ http }) => http));
  /** Kinds of progress, oldest first. */
  readonly told: string[] = [];
  readonly #environment: Environment;
  readonly #directory: string;
  #scheduler: SchedulerProcess | undefined;

  private constructor(environment: Environment, directory: string) {
    this.#environment = environment;
    this.#directory = directory;
  }

  static async make(environment: Environment): Promise<GivenCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'given-cluster-'));
    await chmod(directory, 0o755);
    return new GivenCluster(environment, directory);
  }

  /** Starts the scheduler, for the first time or again. */
  async start(): Promise<SchedulerProcess> {
    const argv = [process.execPath, COMMAND, 'scheduler', ...this.#flags()];
    const started = await startSchedulerProcess(argv, join(this.#directory, 'scheduler.log'), (line) => {
      this.told.push(line.kind);
      this.board.take(line);
    });
    this.#scheduler = started;
    return started;
  }

  /** Stops the scheduler, which leaves the node alone, and starts it on the same state. */
  async restart(): Promise<void> {
    await this.#scheduler?.stop();
    await this.start();
    await this.board.until(
      'it has subscribed',
      () => this.told.at(-1) === 'subscribed',
      STOP_WITHIN_MS,
      never,
    );
  }

  /** What the scheduler's API says of the nodes. */
  async nodes(): Promise<unknown> {
    const response = await fetch(`${this.#scheduler?.url ?? ''}/v1/nodes`);
    return ((await response.json()) as { nodes: unknown }).nodes;
  }

  /** Ends the node in good order. Its volumes stay: they are the driver's, and nobody asked to delete them. */
  async remove(): Promise<void> {
    await this.#scheduler?.stop();
    const { frameworkId } = this.board;
    if (frameworkId !== undefined) {
      const framework = { id: frameworkId, name: this.name, user: this.#user };
      const why = await tearDownFramework(`http://${this.#get('MESOS_MASTER')}`, framework, STOP_WITHIN_MS);
      if (why !== undefined)
        throw new Error(`framework ${frameworkId} (${this.name}) is still there: ${why}`);
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #user(): string {
    return this.#get('MESOS_USER', 'root');
  }

  #get(name: string, otherwise = ''): string {
    const value = this.#environment[name];
    return value === undefined || value === '' ? otherwise : value;
  }

  #flags(): string[] {
    const archive = this.#get('ELASTICSEARCH_ARCHIVE');
    const flags: Record<string, string> = {
      ...{ master: this.#get('MESOS_MASTER'), frameworkName: this.name, frameworkUser: this.#user },
      ...{ elasticsearchClusterName: this.name, elasticsearchNodes: '1', elasticsearchCpu: '0.5' },
      ...{ elasticsearchRam: '1024', elasticsearchHeap: '384', frameworkUseDocker: 'false' },
      ...{ useIpAddress: 'true', elasticsearchBindHost: this.#get('ELASTICSEARCH_BIND_HOST', '127.0.0.1') },
      nodeProgram: this.#get('NODE_PROGRAM', process.execPath),
      externalVolumeDriver: this.#get('VOLUME_DRIVER'),
      volumePath: this.#get('VOLUME_PATH', 'plugin-socket'),
      dvdcliProgram: this.#get('DVDCLI', '/usr/bin/dvdcli'),
      externalVolumeOptions: this.#get('VOLUME_OPTIONS'),
      stateDirectory: join(this.#directory, 'state'),
      leaseDirectory: this.#get('LEASE_DIRECTORY', this.#directory),
      ...{ suspectPolicy: 'fence', leaseMs: String(LEASE_MS), pauseBoundMs: String(PAUSE_BOUND_MS) },
      ...{ webUiPort: '0', progress: 'json', shutdownGraceSeconds: '60' },
      ...(archive === ''
        ? { elasticsearchHome: this.#get('ELASTICSEARCH_HOME') }
        : { elasticsearchBinaryUrl: archive }),
    };
    return Object.entries(flags)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `--${name}=${value}`);
  }
}
