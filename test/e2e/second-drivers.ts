/** Volume drivers beside the first, on every machine of a cluster under test: where its volumes can be moved to. */
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeId, VOLUME_ROLES, volumeNameOf } from '@mesos-elasticsearch/contract';
import {
  rcloneVolumeOptions,
  startHostdirPlugin,
  startRclonePlugin,
  type RunningPlugin,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { bundlesBeside, type Undo } from '@mesos-elasticsearch/cli';
import { pathToFileURL } from 'node:url';
import type { ClusterUnderTest } from '../faults/cluster/start-cluster.ts';

/** Elasticsearch's user in the cluster under test. */
const UID = 9200;

export interface SecondDriver {
  readonly name: string;
  /** What `--options` gets. */
  readonly options: Readonly<Record<string, string>>;
  /** Where it keeps volumes, as the auditor wants it. */
  readonly stores: readonly string[];
  /** One process a machine. */
  readonly pids: readonly number[];
}

/** Another store, another name, the same program. */
export async function startSecondHostdir(
  cluster: ClusterUnderTest,
  command: string,
  undo: Undo,
): Promise<SecondDriver> {
  const bundles = bundlesBeside(pathToFileURL(command).href);
  const store = join(cluster.work.path, 'second-store');
  await mkdir(store, { recursive: true });
  const name = 'hostdir2';
  const pids: number[] = [];
  for (const machine of cluster.machines.list) {
    const plugin = await startHostdirPlugin({
      program: bundles.hostdir,
      store,
      instance: machine.name,
      pluginDirectory: directoryOf(machine),
      name,
      stopOnStdinEnd: true,
    });
    keep(undo, name, machine.name, plugin);
    pids.push(plugin.pid);
    await cluster.machines.cluster.registerOnMachine(machine.name, plugin.pid);
  }
  return { name, options: {}, stores: [join(store, 'volumes', '*', 'data')], pids };
}

/** One rclone a machine; all of them serve the same folder, which stands for a storage service. */
export async function startSecondRclone(cluster: ClusterUnderTest, undo: Undo): Promise<SecondDriver> {
  const remote = join(cluster.work.path, 'rclone-store');
  for (let id = 1; id <= cluster.shape.nodes; id += 1) {
    for (const role of VOLUME_ROLES) {
      const directory = join(remote, volumeNameOf(cluster.frameworkName, nodeId(id), role));
      await mkdir(directory, { recursive: true });
      await chown(directory, UID, UID);
    }
  }
  const [stores, pids]: [string[], number[]] = [[], []];
  for (const machine of cluster.machines.list) {
    const directory = join(cluster.work.agents, `${machine.name}-rclone`);
    const plugin = await startRclonePlugin({ directory, pluginDirectory: directoryOf(machine) });
    keep(undo, 'rclone', machine.name, plugin);
    pids.push(plugin.pid);
    stores.push(join(directory, 'mounts', '*'));
  }
  const options = {
    ...rcloneVolumeOptions({ directory: join(remote, '{volume}'), uid: UID, gid: UID }),
    // The write-back changes a file's time, which Lucene takes for foreign hands on its lock file.
    'no-modtime': 'true',
  };
  return { name: 'rclone', options, stores, pids };
}

function directoryOf({
  name,
  pluginDirectory,
}: {
  name: string;
  pluginDirectory: string | undefined;
}): string {
  if (pluginDirectory === undefined) throw new Error(`machine ${name} has no plugin directory`);
  return pluginDirectory;
}

function keep(undo: Undo, driver: string, machine: string, plugin: RunningPlugin): void {
  undo.add(`${driver} on ${machine}`, () => plugin.stop());
}
