/** Where ledger and leases are: a real ZooKeeper behind wires that can be harmed, or a directory. */
import { startZookeeper, type ZooKeeperServer } from '@mesos-elasticsearch/coordination/testing';
import type { Machines, Undo, WorkDirectory } from '@mesos-elasticsearch/cli';
import { LinkProxy } from './link-proxy.ts';
import { ownerOfPort } from './socket-owner.ts';

export interface Coordination {
  /** Flags of the scheduler. */
  readonly flags: Readonly<Record<string, string>>;
  readonly zookeeper: ZooKeeperServer | undefined;
  /** Callers are pids of schedulers. */
  readonly schedulersWire: LinkProxy | undefined;
  /** Callers are names of agents: whatever runs on that machine. */
  readonly agentsWire: LinkProxy | undefined;
}

/** Sessions last from two to twenty of them. */
const TICK_MS = 500;
/** So long after its death a leader is succeeded. */
const SESSION_MS = 4000;
const PATH = '/mesos-elasticsearch';

export function inDirectories(work: WorkDirectory): Coordination {
  const flags = { stateDirectory: work.state, leaseDirectory: work.leases };
  return { flags, zookeeper: undefined, schedulersWire: undefined, agentsWire: undefined };
}

export async function inZookeeper(
  machines: Machines,
  undo: Undo,
  callerOf: (port: number) => string | undefined,
): Promise<Coordination> {
  const zookeeper = await startZookeeper({ tickMs: TICK_MS });
  undo.add('ZooKeeper', () => zookeeper.destroy());
  const target = { host: '127.0.0.1', port: zookeeper.port };
  const schedulersWire = await LinkProxy.open(target, callerOf);
  const agentsWire = await LinkProxy.open(target, (port) => agentCalling(machines, port));
  undo.add('the wire from the schedulers to ZooKeeper', () => schedulersWire.close());
  undo.add('the wire from the agents to ZooKeeper', () => agentsWire.close());
  const flags = {
    zookeeperUrl: `zk://${schedulersWire.address}${PATH}`,
    zookeeperUrlOnAgents: `zk://${agentsWire.address}${PATH}`,
    zookeeperSessionTimeoutMs: String(SESSION_MS),
  };
  return { flags, zookeeper, schedulersWire, agentsWire };
}

function agentCalling({ list, cluster }: Machines, port: number): string | undefined {
  return list
    .map(({ name }) => name)
    .find((name) => ownerOfPort(port, cluster.machinePids(name)) !== undefined);
}
