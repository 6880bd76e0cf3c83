/** `GET /master/state`: the part of a real master's answer that tools look at. */
import { isTerminal } from '@mesos-elasticsearch/mesos-v1';
import type { Resource } from '@mesos-elasticsearch/mesos-v1';
import type { TaskRecord } from '../core/link-protocol.ts';
import { usedOn } from '../core/master/allocate.ts';
import type { MasterState } from '../core/master/state.ts';
import { total } from '../core/resources.ts';

function amounts(resources: readonly Resource[]) {
  const ports = resources
    .filter((resource) => resource.name === 'ports')
    .flatMap((one) => one.ranges?.range ?? []);
  return {
    cpus: total(resources, 'cpus'),
    mem: total(resources, 'mem'),
    disk: total(resources, 'disk'),
    ...(ports.length > 0
      ? { ports: `[${ports.map(({ begin, end }) => `${begin}-${end}`).join(', ')}]` }
      : {}),
  };
}

function shownTask(task: TaskRecord) {
  return {
    id: task.taskId,
    name: task.name,
    framework_id: task.frameworkId,
    executor_id: task.executorId ?? '',
    slave_id: task.agentId,
    state: task.state,
    resources: amounts(task.resources),
    ...(task.labels === undefined ? {} : { labels: task.labels }),
  };
}

export function clusterState(state: MasterState, now: number): unknown {
  const { masterInfo } = state.config;
  const tasks = [...state.tasks.values()];
  return {
    version: masterInfo.version,
    id: masterInfo.id,
    pid: masterInfo.pid,
    hostname: masterInfo.hostname,
    elected_time: now / 1000,
    activated_slaves: [...state.agents.values()].filter((agent) => agent.link !== undefined).length,
    unreachable_slaves: state.unreachable.size,
    slaves: [...state.agents.values()].map((agent) => ({
      id: agent.id,
      hostname: agent.hostname,
      port: agent.port,
      pid: `slave(1)@${agent.ip}:${agent.port}`,
      active: agent.link !== undefined,
      attributes: Object.fromEntries(
        agent.attributes.map((each) => [each.name, each.text?.value ?? each.scalar?.value]),
      ),
      resources: amounts(agent.resources),
      used_resources: amounts(usedOn(state, agent.id)),
    })),
    frameworks: [...state.frameworks.values()].map((framework) => ({
      id: framework.id,
      name: framework.info.name,
      active: framework.streamId !== undefined,
      connected: framework.streamId !== undefined,
      role: framework.role ?? '*',
      checkpoint: framework.info.checkpoint ?? false,
      failover_timeout: framework.info.failoverTimeout ?? 0,
      tasks: tasks
        .filter((task) => task.frameworkId === framework.id && !isTerminal(task.state))
        .map(shownTask),
      unreachable_tasks: [...state.unreachableTasks.values()]
        .filter((task) => task.frameworkId === framework.id)
        .map(shownTask),
    })),
    completed_frameworks: state.completed.map((id) => ({ id })),
  };
}
