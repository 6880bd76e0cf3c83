/** What is done to victims, in the words of the table. */
import type { ClusterControl } from '@mesos-elasticsearch/local';
import { pidOf, type NodePart } from '../cluster/victims.ts';
import type { Ground } from './row.ts';

type Harm = (ground: Ground) => Promise<void>;
type Control = Parameters<ClusterControl['kill']>[0];

const control = ({ cluster }: Ground) => cluster.machines.cluster.control;
export const MASTER = (): Control => ({ kind: 'master' });
export const AGENT = ({ node }: Ground): Control => ({ kind: 'agent', agent: node.host });
export const MACHINE = ({ node }: Ground): Control => ({ kind: 'machine', agent: node.host });

export function send(name: NodeJS.Signals, part: NodePart): Harm {
  return async ({ node }) => {
    process.kill(pidOf(node.taskId, part), name);
  };
}

/** Frozen and thawed; longer than a lease or not is what the row is about. */
export function freezeFor(ms: number, ...pids: ((ground: Ground) => number)[]): Harm {
  return async (ground) => {
    const chosen = pids.map((pid) => pid(ground));
    for (const pid of chosen) process.kill(pid, 'SIGSTOP');
    await ground.lasting(ms);
    for (const pid of chosen) process.kill(pid, 'SIGCONT');
  };
}

export const part =
  (name: NodePart) =>
  ({ node }: Ground): number =>
    pidOf(node.taskId, name);
export const plugin = ({ cluster, node }: Ground): number => cluster.plugins.pid(node.host);

/** By the cluster's own control: it knows masters, agents and machines. */
export function controlled(
  whom: (ground: Ground) => Control,
  first: 'kill' | 'freeze' | 'partition',
  then: 'start' | 'thaw' | 'heal',
  afterMs: number,
): Harm {
  return async (ground) => {
    await control(ground)[first](whom(ground));
    await ground.lasting(afterMs);
    await control(ground)[then](whom(ground));
  };
}
