/** The volume driver of each machine, as a process that can be lost and started again. */
import { join } from 'node:path';
import {
  startHostdirPlugin,
  startRclonePlugin,
  type RunningPlugin,
} from '@mesos-elasticsearch/dvdcli-bridge';
import type { Bundles, Machines, WorkDirectory } from '@mesos-elasticsearch/cli';

export interface PluginsOptions {
  readonly driver: 'hostdir' | 'rclone';
  readonly machines: Machines;
  readonly work: WorkDirectory;
  readonly bundles: Bundles;
}

export class Plugins {
  readonly #options: PluginsOptions;
  readonly #running = new Map<string, RunningPlugin>();

  constructor(options: PluginsOptions) {
    this.#options = options;
    for (const { name, driver } of options.machines.list) if (driver) this.#running.set(name, driver);
  }

  pid(agent: string): number {
    const plugin = this.#running.get(agent);
    if (plugin === undefined) throw new Error(`no volume driver runs on ${agent}`);
    return plugin.pid;
  }

  async kill(agent: string): Promise<void> {
    const plugin = this.#running.get(agent);
    if (plugin === undefined) return;
    signal(plugin.pid, 'SIGKILL');
    await plugin.stop();
    this.#running.delete(agent);
  }

  /** After it was killed, by itself or with its machine. */
  async start(agent: string): Promise<void> {
    const { driver, machines, work, bundles } = this.#options;
    const machine = machines.list.find(({ name }) => name === agent);
    if (machine?.pluginDirectory === undefined) throw new Error(`there is no machine ${agent} with a driver`);
    const { pluginDirectory } = machine;
    const plugin =
      driver === 'hostdir'
        ? await startHostdirPlugin({
            program: bundles.hostdir,
            store: work.store,
            instance: agent,
            pluginDirectory,
            stopOnStdinEnd: true,
          })
        : await startRclonePlugin({ directory: join(work.agents, `${agent}-rclone`), pluginDirectory });
    this.#running.set(agent, plugin);
    // rclone stands for a storage service: it outlives the machine.
    if (driver === 'hostdir') await machines.cluster.registerOnMachine(agent, plugin.pid);
  }

  async stop(): Promise<void> {
    for (const plugin of this.#running.values()) {
      // A frozen one hears nothing else.
      signal(plugin.pid, 'SIGKILL');
      await plugin.stop();
    }
    this.#running.clear();
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}
