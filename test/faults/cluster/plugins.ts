/** The volume driver of each machine, as a process that can be lost and started again. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import {
  startHostdirPlugin,
  startRclonePlugin,
  type RunningPlugin,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { signal } from './victims.ts';
import type { Bundles, Machines, WorkDirectory } from '@mesos-elasticsearch/cli';

export interface PluginsOptions {
  /** local: the engine's own, which is no process. */
  readonly driver: 'hostdir' | 'rclone' | 'local';
  readonly machines: Machines;
  readonly work: WorkDirectory;
  readonly bundles: Bundles;
  /** Told of every driver that runs. */
  readonly onStarted?: (agent: string, pid: number) => void;
}

export class Plugins {
  readonly #options: PluginsOptions;
  readonly #running = new Map<string, RunningPlugin>();

  constructor(options: PluginsOptions) {
    this.#options = options;
    for (const { name, driver } of options.machines.list) if (driver) this.#keep(name, driver);
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
    await this.kill(agent);
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
        : await startRcloneAgain(join(work.agents, `${agent}-rclone`), pluginDirectory);
    this.#keep(agent, plugin);
    // rclone stands for a storage service: it outlives the machine.
    if (driver === 'hostdir') await machines.cluster.registerOnMachine(agent, plugin.pid);
  }

  #keep(agent: string, plugin: RunningPlugin): void {
    this.#running.set(agent, plugin);
    this.#options.onStarted?.(agent, plugin.pid);
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

/** The mounts of a killed one are still there, and dead. */
async function startRcloneAgain(directory: string, pluginDirectory: string): Promise<RunningPlugin> {
  for (const point of await readdir(join(directory, 'mounts')).catch(() => [])) {
    await execa('umount', ['--lazy', join(directory, 'mounts', point)], { reject: false });
  }
  return startRclonePlugin({ directory, pluginDirectory });
}
