/** The tasks of the recordings. */
import { executorId, taskId } from '@mesos-elasticsearch/mesos-v1';
import type { Offer, Resource, SchedulerCall, TaskInfo } from '@mesos-elasticsearch/mesos-v1';
import type { Target } from './target.ts';

function scalar(name: string, value: number): Resource {
  return { name, type: 'SCALAR', scalar: { value }, role: '*' };
}

export function commandTask(name: string, offer: Offer, value: string, cpus = 0.2): TaskInfo {
  return {
    name,
    taskId: taskId(name),
    agentId: offer.agentId,
    resources: [scalar('cpus', cpus), scalar('mem', 64)],
    command: { shell: true, value },
  };
}

export function executorTask(
  name: string,
  offer: Offer,
  target: Target,
  variables: Record<string, string> = {},
): TaskInfo {
  return {
    name,
    taskId: taskId(name),
    agentId: offer.agentId,
    resources: [scalar('cpus', 0.2), scalar('mem', 64)],
    executor: {
      type: 'CUSTOM',
      executorId: executorId(`ex-${name}`),
      name: 'scripted executor',
      resources: [scalar('cpus', 0.1), scalar('mem', 32)],
      command: {
        shell: true,
        value: target.executorCommand,
        environment: { variables: Object.entries(variables).map(([key, value]) => ({ name: key, value })) },
      },
    },
  };
}

export function launch(offer: Offer, ...taskInfos: TaskInfo[]): SchedulerCall {
  return {
    type: 'ACCEPT',
    accept: {
      offerIds: [offer.id],
      operations: [{ type: 'LAUNCH', launch: { taskInfos } }],
      filters: { refuseSeconds: 1 },
    },
  };
}
