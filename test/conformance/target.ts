/** What the suite runs against: an embedded cluster, or the real one that MESOS_MASTER names. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AgentId } from '@mesos-elasticsearch/mesos-v1';
import { programClusterControl, startEmbeddedCluster } from '@mesos-elasticsearch/local';
import type { ClusterControl } from '@mesos-elasticsearch/local';
import { bundleLocalProgram, bundleScriptedExecutor } from '@mesos-elasticsearch/local/testing';

export interface Target {
  readonly isEmbedded: boolean;
  /** `host:port` */
  readonly master: string;
  /** Undefined where nothing can be harmed. */
  readonly control: ClusterControl | undefined;
  /** How the control calls the agent. */
  agentName(agentId: AgentId, hostname: string): string;
  /** Shell command of the scripted executor. */
  readonly executorCommand: string;
  /** A folder that executors can write to. */
  readonly reports: string;
  stop(): Promise<void>;
}

const RESOURCES = 'cpus:2;mem:2048;disk:10000;ports:[31000-31999]';

export const isReal = process.env.MESOS_MASTER !== undefined;
/** Why a fault scenario is not run, if it is not. */
export const noFaults = isReal && process.env.CLUSTER_CONTROL === undefined;

/** Options of the agents as recorded, so that environments can be compared. */
const FLAGS = {
  executor_shutdown_grace_period: '3secs',
  executor_reregistration_timeout: '2secs',
  recovery_timeout: '1mins',
};

export async function startTarget(): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const executor = await bundleScriptedExecutor();
  const shared = { executorCommand: `exec ${process.execPath} ${executor}`, reports: folder };
  const realMaster = process.env.MESOS_MASTER;
  if (realMaster !== undefined) {
    const program = process.env.CLUSTER_CONTROL;
    return {
      ...shared,
      isEmbedded: false,
      master: realMaster,
      control: program === undefined ? undefined : programClusterControl(program),
      agentName: (_agentId, hostname) => hostname,
      stop: () => rm(dirname(executor), { recursive: true }),
    };
  }
  const program = await bundleLocalProgram();
  const agents = [1, 2].map((number) => ({
    name: `agent${number}`,
    hostname: `agent${number}.local`,
    resources: RESOURCES,
    attributes: `rack:r${number};zone:z${number % 2}`,
    flags: FLAGS,
  }));
  const cluster = await startEmbeddedCluster({ program, agents, workDir: join(folder, 'cluster') });
  return {
    ...shared,
    isEmbedded: true,
    master: cluster.master,
    control: cluster.control,
    agentName: (agentId) => [...cluster.agents].find(([, agent]) => agent.agentId === agentId)?.[0] ?? '',
    stop: async () => {
      await cluster.stop();
      for (const path of [folder, dirname(executor), dirname(program[1] ?? '')])
        await rm(path, { recursive: true });
    },
  };
}
