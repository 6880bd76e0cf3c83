/** The machines of the demo: an agent each, with ports, a plugin directory and (for ours) a volume driver of its own. */
import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import {
  MOUNT_LEDGER_VARIABLE,
  PLUGIN_DIRECTORIES_VARIABLE,
  startHostdirPlugin,
  startRclonePlugin,
  type RunningPlugin,
} from '@mesos-elasticsearch/dvdcli-bridge';
import {
  startEmbeddedCluster,
  type EmbeddedAgentSpec,
  type EmbeddedCluster,
} from '@mesos-elasticsearch/local';
import type { Bundles } from '../bundles.ts';
import { freeRanges, type PortRange } from './free-ports.ts';
import type { WorkDirectory } from './work-directory.ts';

const PORTS_PER_AGENT = 4;
/** Offered by each agent: one node and its executor, and some room. Nobody holds a node to it here. */
const RESOURCES = 'cpus:2;mem:4096;disk:20000';

export interface Machine {
  readonly name: string;
  /** Absent: plugins are looked for where Docker does. */
  readonly pluginDirectory: string | undefined;
  readonly driver: RunningPlugin | undefined;
}

export interface Machines {
  readonly cluster: EmbeddedCluster;
  readonly list: readonly Machine[];
  /** Ends master, agents, executors and our volume drivers, and all below them. */
  stop(): Promise<void>;
}

export interface MachinesWanted {
  readonly count: number;
  readonly driver: string;
  readonly work: WorkDirectory;
  readonly bundles: Bundles;
  readonly random: number;
}

/** @throws Error naming the process that did not start; nothing runs then */
export async function startMachines(wanted: MachinesWanted): Promise<Machines> {
  const ranges = await freeRanges(wanted.count, PORTS_PER_AGENT, wanted.random);
  const list: Machine[] = [];
  try {
    for (const index of ranges.keys()) list.push(await startDriver(wanted, `agent${index + 1}`));
    const cluster = await startEmbeddedCluster({
      program: [process.execPath, wanted.bundles.command, 'local'],
      agents: list.map((machine, index) => agentSpec(wanted.work, machine, ranges[index])),
      workDir: wanted.work.agents,
      agentPingTimeoutMs: 1000,
      maxAgentPingTimeouts: 3,
    });
    return { cluster, list, stop: () => cluster.stop().finally(() => stopDrivers(list)) };
  } catch (error) {
    await stopDrivers(list);
    throw error;
  }
}

async function startDriver({ driver, work, bundles }: MachinesWanted, name: string): Promise<Machine> {
  if (driver !== 'hostdir' && driver !== 'rclone')
    return { name, pluginDirectory: undefined, driver: undefined };
  const pluginDirectory = join(work.agents, `${name}-plugins`);
  await mkdir(pluginDirectory, { recursive: true });
  const running =
    driver === 'hostdir'
      ? await startHostdirPlugin({
          program: bundles.hostdir,
          store: work.store,
          instance: name,
          pluginDirectory,
          stopOnStdinEnd: true,
        })
      : await startRclonePlugin({ directory: join(work.agents, `${name}-rclone`), pluginDirectory });
  return { name, pluginDirectory, driver: running };
}

function agentSpec(
  work: WorkDirectory,
  { name, pluginDirectory, driver }: Machine,
  range: PortRange | undefined,
): EmbeddedAgentSpec {
  const { begin, end } = range ?? { begin: 0, end: 0 };
  return {
    name,
    hostname: name,
    resources: `${RESOURCES};ports:[${begin}-${end}]`,
    environment: {
      // Executors inherit nothing; dvdcli is a Node program, rclone mounts through fusermount3.
      PATH: [
        dirname(process.execPath),
        '/usr/local/sbin',
        '/usr/local/bin',
        '/usr/sbin',
        '/usr/bin',
        '/sbin',
        '/bin',
      ].join(delimiter),
      // These machines share one kernel; each has its own records as a real one would.
      [MOUNT_LEDGER_VARIABLE]: join(work.agents, `${name}-mounts`),
      ...(pluginDirectory === undefined ? {} : { [PLUGIN_DIRECTORIES_VARIABLE]: pluginDirectory }),
    },
    // rclone stands for a storage service: what it has not written back yet must outlive the machine.
    machineProcesses: driver === undefined || driver.socketPath.endsWith('/rclone.sock') ? [] : [driver.pid],
  };
}

async function stopDrivers(list: readonly Machine[]): Promise<void> {
  for (const { driver } of list) await driver?.stop();
}
