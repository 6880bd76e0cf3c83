/**
 * Whole tasks that migrate, for tests: executors as processes, leases on disk, real volume drivers; the agent is a double,
 * and the volumes hold what an Elasticsearch would have left on them.
 */
import { chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeMigrationReport,
  epoch,
  launchSpecSchema,
  MARKER_FILE,
  nodeId,
  VOLUME_ROLES,
  type LaunchSpecInput,
  type MigrationReport,
  type VolumeRole,
} from '@mesos-elasticsearch/contract';
import { directoryLeases } from '@mesos-elasticsearch/coordination';
import {
  pluginSocketVolumes,
  startHostdirPlugin,
  type ConsumerId,
  type RunningPlugin,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { processes } from '../jar/process-table.ts';
import { COPIER_ARGUMENT } from '../migration/copy-plan.ts';
import { launchExecutor, type LaunchedExecutor } from './agent-double.ts';
import { MIGRATION, migrationSpec } from './launch-specs.ts';
import { fillVolume } from './volume-tree.ts';

export type Places = LaunchSpecInput['volumes'];

/** Elasticsearch's user. */
export const NODE_UID = process.getuid?.() === 0 ? 1000 : (process.getuid?.() ?? 0);

export interface MigrationParts {
  readonly from?: Places;
  readonly to?: Places;
  readonly spec?: Partial<LaunchSpecInput>;
  /** Of the lease; milliseconds. */
  readonly durationMs?: number;
  readonly overwriteFormer?: boolean;
}

/** The volumes of node 1 at a hostdir driver of that name. */
export const at = (driver: string): Places => ({
  config: { name: 'elasticsearch1config', driver, options: {} },
  data: { name: 'elasticsearch1data', driver, options: {} },
});

/** One agent with the drivers `hostdir` and `other`, each with a store of its own. */
export class MigrationWorld {
  readonly root: string;
  readonly plugins: RunningPlugin[] = [];
  readonly #programs: { readonly executor: string; readonly hostdir: string };
  readonly #running: LaunchedExecutor[] = [];

  private constructor(root: string, programs: { executor: string; hostdir: string }) {
    this.root = root;
    this.#programs = programs;
  }

  static async start(programs: { executor: string; hostdir: string }): Promise<MigrationWorld> {
    const world = new MigrationWorld(await mkdtemp(join(tmpdir(), 'migration-')), programs);
    await chmod(world.root, 0o755);
    await mkdir(join(world.root, 'leases'));
    for (const name of ['hostdir', 'other']) await world.startHostdir(name);
    return world;
  }

  async stop(): Promise<void> {
    for (const { process: executor } of this.#running) {
      if (executor.exitCode === null && executor.signalCode === null) executor.kill('SIGKILL');
    }
    for (const pid of await this.#withPlan(() => true)) process.kill(pid, 'SIGKILL');
    for (const plugin of this.plugins) await plugin.stop();
    await rm(this.root, { recursive: true, force: true });
  }

  async startHostdir(name: string): Promise<RunningPlugin> {
    const plugin = await startHostdirPlugin({
      ...{ program: this.#programs.hostdir, name, instance: 'agent-1' },
      ...{ store: join(this.root, name), pluginDirectory: this.pluginDirectory },
    });
    this.plugins.push(plugin);
    return plugin;
  }

  get pluginDirectory(): string {
    return join(this.root, 'plugins');
  }
  get volumes() {
    return pluginSocketVolumes({ directories: [this.pluginDirectory] });
  }
  get leases() {
    return directoryLeases(join(this.root, 'leases'));
  }
  /** Where hostdir keeps a volume's files. */
  inStore(driver: string, role: VolumeRole, file = ''): string {
    return join(this.root, driver, 'volumes', `elasticsearch1${role}`, 'data', file);
  }

  /** What a node that ran in epoch `number` leaves on its volumes. */
  async lived(places: Places, number: number): Promise<void> {
    const consumer = 'elasticsearch-1.0' as ConsumerId;
    for (const role of VOLUME_ROLES) {
      const volume = launchSpecSchema.parse(migrationSpec({ volumes: places })).volumes[role];
      await this.volumes.ensure(volume);
      const attached = await this.volumes.attach(volume, consumer);
      if (attached.kind !== 'done' || attached.value.kind !== 'host-path') throw new Error('not attached');
      const path = attached.value.hostPath;
      if (role === 'data') fillVolume(path, NODE_UID);
      else writeFileSync(join(path, 'elasticsearch.yml'), 'node.name: elasticsearch-1\n');
      const { clusterIdentity, frameworkName, clusterName } = migrationSpec();
      const marker = {
        format: 1,
        clusterIdentity,
        frameworkName,
        clusterName,
        nodeId: 1,
        role,
        epoch: number,
      };
      const volumeIdentity = `00000000-0000-4000-8000-00000000000${role === 'data' ? '2' : '1'}`;
      writeFileSync(join(path, MARKER_FILE), JSON.stringify({ ...marker, volumeIdentity }));
      if (process.getuid?.() === 0) chownSync(path, NODE_UID, NODE_UID);
      await this.volumes.detach(volume, consumer);
    }
  }

  async migrate(number: number, parts: MigrationParts = {}): Promise<LaunchedExecutor> {
    await this.leases.openEpoch(nodeId(1), epoch(number));
    const { from = at('hostdir'), to = at('other'), overwriteFormer = false, durationMs = 15_000 } = parts;
    const place = { kind: 'directory', directory: join(this.root, 'leases') } as const;
    const spec = migrationSpec({
      ...{ epoch: number, taskId: `elasticsearch-1.${String(number)}`, volumes: from },
      migration: { ...MIGRATION, to, overwriteFormer },
      lease: { place, durationMs },
      ...parts.spec,
    });
    const environment = { VOLUME_PLUGIN_DIRECTORIES: this.pluginDirectory };
    const { root } = this;
    const executor = await launchExecutor({ bundle: this.#programs.executor, root, spec, environment });
    this.#running.push(executor);
    return executor;
  }

  /** What hostdir has on record as attached, and what rclone has mounted; none: everything was let go. */
  stillAttached(): readonly string[] {
    const records = readdirSync(this.root).flatMap((store) => {
      const volumes = join(this.root, store, 'volumes');
      const names = existsSync(volumes) ? readdirSync(volumes) : [];
      return names.map((name) => join(volumes, name, 'attachment.json')).filter((file) => existsSync(file));
    });
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return [...records, ...mounts.filter((line) => line.includes(`${this.root}/rclone`))];
  }

  /** The processes that copy or verify. Not their guards, which have the same words in their command line. */
  copiers(): Promise<readonly number[]> {
    return this.#withPlan(([program, , what]) => program === process.execPath && what === COPIER_ARGUMENT);
  }

  async #withPlan(wanted: (argv: readonly string[]) => boolean): Promise<readonly number[]> {
    const all = await processes();
    return all
      .map(({ pid }) => pid)
      .filter((pid) => {
        const argv = argvOf(pid);
        return (
          argv.includes(COPIER_ARGUMENT) && argv.some((part) => part.startsWith(this.root)) && wanted(argv)
        );
      });
  }
}

/** The report of a task that has finished, and its process ended in good order. */
export async function finished(executor: LaunchedExecutor): Promise<MigrationReport> {
  const status = await executor.status('TASK_FINISHED');
  const exitCode = await executor.exited;
  const report = decodeMigrationReport(status.data ?? new Uint8Array());
  if (!report || exitCode !== 0) throw new Error(`exit code ${String(exitCode)}, or no report`);
  return report;
}

export function stagesOf(executor: LaunchedExecutor): readonly string[] {
  const reports = executor.statuses.map(({ data }) => decodeMigrationReport(data ?? new Uint8Array()));
  return [...new Set(reports.flatMap((report) => report?.stage ?? []))];
}

export function markerAt(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(path, MARKER_FILE), 'utf8')) as Record<string, unknown>;
}

function argvOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1').split('\0');
  } catch {
    return [];
  }
}
