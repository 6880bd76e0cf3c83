import { agentId, frameworkId, offerId, type Offer, type TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import type { Agent } from './agent.ts';
import type { Lane } from './network.ts';

export interface Task {
  readonly taskId: string;
  readonly frameworkId: string;
  state: TaskStatus['state'];
}

/** An agent as the master knows it. */
export interface Registered {
  readonly id: string;
  readonly agent: Agent;
  state: 'active' | 'disconnected' | 'unreachable';
  misses: number;
  readonly tasks: Map<string, Task>;
  readonly toKill: Set<string>;
  offer: Offer | undefined;
  filteredUntilMs: number;
  readonly lane: Lane;
}

export function newAgent(id: string, agent: Agent): Registered {
  return {
    ...{ id, agent, state: 'active', misses: 0, tasks: new Map<string, Task>(), toKill: new Set<string>() },
    ...{ offer: undefined, filteredUntilMs: 0, lane: { lastAtMs: 0 } },
  };
}

/** Always the same resources: what runs there already is for the scheduler to know. */
export function offerOf(id: string, framework: string, { id: agent, agent: { machine } }: Registered): Offer {
  return {
    id: offerId(id),
    frameworkId: frameworkId(framework),
    agentId: agentId(agent),
    hostname: machine.name,
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 4 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 4096 } },
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 31_009 }] } },
    ],
  };
}
