/** Embedded agents with isolators, a hostdir driver each over one store, and our dvdcli between them. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  pluginSocketVolumes,
  startHostdirPlugin,
  type RunningPlugin,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { buildPrograms } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { startEmbeddedCluster, type EmbeddedCluster } from '@mesos-elasticsearch/local';

export const WHY_NO_ISOLATORS =
  process.getuid?.() === 0 ? undefined : 'the isolators mount, which needs root';

export interface IsolatingAgent {
  readonly name: string;
  /** `--isolation`; absent: none. */
  readonly isolation?: string;
  readonly resources: string;
  /** The text of its dvdcli, given a command that is the real one. Default: that. */
  readonly dvdcli?: (real: string) => string;
}

export interface IsolatingCluster {
  readonly folder: string;
  readonly store: string;
  readonly cluster: EmbeddedCluster;
  readonly drivers: ReadonlyMap<string, RunningPlugin>;
  /** Asks one agent's driver. */
  volumesOf(agent: string): Volumes;
  /** The dvdcli of that agent's isolators. */
  dvdcliOf(agent: string): string;
  /** Where a volume's files are. */
  pathOf(volume: string): string;
  stop(): Promise<void>;
}

const onlyThat = (real: string) => `exec ${real} "$@"`;

/** @param program as of an embedded cluster */
export async function startIsolatingCluster(
  program: readonly string[],
  agents: readonly IsolatingAgent[],
): Promise<IsolatingCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'isolators-'));
  await chmod(folder, 0o755);
  const { hostdir, dvdcli } = await buildPrograms(folder);
  const store = join(folder, 'store');
  const place = (agent: string, part: string) => join(folder, `${agent}-${part}`);
  const drivers = new Map<string, RunningPlugin>();
  for (const { name, dvdcli: scriptOf = onlyThat } of agents) {
    const pluginDirectory = place(name, 'plugins');
    await mkdir(pluginDirectory);
    const running = await startHostdirPlugin({
      ...{ program: hostdir, store, instance: name, pluginDirectory, stopOnStdinEnd: true },
    });
    drivers.set(name, running);
    const real = `env VOLUME_PLUGIN_DIRECTORIES=${pluginDirectory} ${process.execPath} ${dvdcli}`;
    await writeFile(place(name, 'dvdcli'), `#!/bin/sh\n${scriptOf(real)}\n`, { mode: 0o755 });
  }
  const cluster = await startEmbeddedCluster({
    program,
    workDir: join(folder, 'cluster'),
    agents: agents.map(({ name, isolation, resources }) => ({
      ...{ name, hostname: name, resources, machineProcesses: [drivers.get(name)?.pid ?? -1] },
      environment: {
        PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        VOLUME_PLUGIN_DIRECTORIES: place(name, 'plugins'),
      },
      flags: isolation === undefined ? {} : { isolation, dvdcli: place(name, 'dvdcli') },
    })),
  });
  return {
    ...{ folder, store, cluster, drivers },
    volumesOf: (agent) => pluginSocketVolumes({ directories: [place(agent, 'plugins')] }),
    dvdcliOf: (agent) => place(agent, 'dvdcli'),
    pathOf: (volume) => join(store, 'volumes', volume, 'data'),
    stop: async () => {
      await cluster.stop();
      for (const driver of drivers.values()) await driver.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
