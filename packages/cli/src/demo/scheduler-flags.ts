/** The flags that the demo starts its scheduler with: what a user would write. */
import { volumeNameOf, nodeId } from '@mesos-elasticsearch/contract';
import { rcloneVolumeOptions } from '@mesos-elasticsearch/dvdcli-bridge';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import type { Bundles } from '../bundles.ts';
import type { DemoOptions } from './options.ts';
import type { Prepared } from './prepare.ts';
import type { WorkDirectory } from './work-directory.ts';

/** Numeric, with no entry in /etc/passwd: Elasticsearch refuses to run as root. */
export const ELASTICSEARCH_UID = 9200;
/** Long enough for a busy machine with two cores, short enough to watch. */
export const LEASE_MS = 10_000;
export const PAUSE_BOUND_MS = 2000;
const HEAP_MB = 384;
const MEMORY_MB = 1024;
const SHUTDOWN_GRACE_SECONDS = 60;

export interface SchedulerStart {
  readonly options: DemoOptions;
  readonly frameworkName: string;
  readonly master: string;
  readonly work: WorkDirectory;
  readonly bundles: Bundles;
  readonly prepared: Prepared;
}

export async function schedulerArgv(start: SchedulerStart): Promise<string[]> {
  const { options, work } = start;
  const settings = join(work.path, 'elasticsearch.yml');
  // A small disk of the machine must not keep shards from being placed.
  await writeFile(settings, 'cluster.routing.allocation.disk.threshold_enabled: false\n', { mode: 0o644 });
  const flags: Record<string, string> = {
    master: start.master,
    frameworkName: start.frameworkName,
    frameworkUser: userInfo().username,
    elasticsearchClusterName: start.frameworkName,
    elasticsearchNodes: String(options.nodes),
    elasticsearchCpu: '0.5',
    elasticsearchRam: String(MEMORY_MB),
    elasticsearchHeap: String(HEAP_MB),
    elasticsearchUid: String(ELASTICSEARCH_UID),
    elasticsearchGid: String(ELASTICSEARCH_UID),
    elasticsearchBindHost: '127.0.0.1',
    elasticsearchSettingsLocation: settings,
    elasticsearchVersion: options.elasticsearchVersion,
    useIpAddress: 'true',
    nodeProgram: process.execPath,
    shutdownGraceSeconds: String(SHUTDOWN_GRACE_SECONDS),
    stateDirectory: work.state,
    leaseDirectory: work.leases,
    suspectPolicy: 'fence',
    leaseMs: String(LEASE_MS),
    pauseBoundMs: String(PAUSE_BOUND_MS),
    webUiPort: '0',
    bindHost: '127.0.0.1',
    publishHost: '127.0.0.1',
    progress: 'json',
    ...runtimeFlags(start),
    ...(await volumeFlags(start)),
  };
  const written = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return [process.execPath, start.bundles.command, 'scheduler', ...written];
}

function runtimeFlags({ prepared }: SchedulerStart): Record<string, string> {
  const { docker, elasticsearch, java } = prepared;
  if (docker === undefined) {
    return { frameworkUseDocker: 'false', elasticsearchHome: elasticsearch.home, javaHome: java.home };
  }
  return {
    frameworkUseDocker: 'true',
    elasticsearchDockerImage: docker.image,
    dockerSocket: docker.engine.socket,
  };
}

async function volumeFlags(start: SchedulerStart): Promise<Record<string, string>> {
  const { options, bundles } = start;
  const flags = { externalVolumeDriver: options.driver, volumePath: volumePathOf(options) };
  if (options.driver !== 'rclone') return flags;
  const root = process.getuid?.() === 0;
  await makeRemotes(start, root);
  const owner = root ? { uid: ELASTICSEARCH_UID, gid: ELASTICSEARCH_UID } : {};
  const volume = {
    ...rcloneVolumeOptions({ directory: join(start.work.store, '{volume}'), ...owner }),
    // The write-back changes a file's time, which Lucene takes for foreign hands on its lock file.
    'no-modtime': 'true',
  };
  return {
    ...flags,
    dvdcliProgram: bundles.dvdcli,
    externalVolumeOptions: Object.entries(volume)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  };
}

/** hostdir: straight to the socket. rclone: through dvdcli. Docker's own and installed ones: as the runtime has it. */
export function volumePathOf({ driver, runtime }: Pick<DemoOptions, 'driver' | 'runtime'>): string {
  if (driver === 'hostdir') return 'plugin-socket';
  if (driver === 'rclone') return 'dvdcli';
  return runtime === 'docker' ? 'engine' : 'plugin-socket';
}

/** rclone serves a folder that is there, and makes none for a volume. */
async function makeRemotes({ options, frameworkName, work }: SchedulerStart, root: boolean): Promise<void> {
  for (let id = 1; id <= options.nodes; id += 1) {
    for (const role of ['config', 'data'] as const) {
      const directory = join(work.store, volumeNameOf(frameworkName, nodeId(id), role));
      await mkdir(directory, { recursive: true });
      if (root) await chown(directory, ELASTICSEARCH_UID, ELASTICSEARCH_UID);
    }
  }
}
