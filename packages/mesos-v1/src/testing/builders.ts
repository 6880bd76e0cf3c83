/** Offers, statuses and tasks with every required field, for tests that care about one of them. */
import type { ContainerIdValue, FrameworkId } from '../types/ids.ts';
import { agentId, executorId, frameworkId, offerId, taskId } from '../types/ids.ts';
import type {
  AgentInfo,
  ExecutorInfo,
  FrameworkInfo,
  Offer,
  Range,
  Resource,
  TaskInfo,
  TaskStatus,
} from '../types/messages.ts';
import type { ExecutorEvent } from '../types/executor-api.ts';
import type { SchedulerEvent } from '../types/scheduler-api.ts';

export function scalarResource(name: string, value: number, rest: Partial<Resource> = {}): Resource {
  return { name, type: 'SCALAR', scalar: { value }, role: '*', ...rest };
}

export function portsResource(ranges: Range[], rest: Partial<Resource> = {}): Resource {
  return { name: 'ports', type: 'RANGES', ranges: { range: ranges }, role: '*', ...rest };
}

/** 2 cpus, 2048 MB of memory, 10 GB of disk, a thousand ports: what the recorded agents offered. */
export function agentResources(): Resource[] {
  return [
    scalarResource('cpus', 2),
    scalarResource('mem', 2048),
    scalarResource('disk', 10_000),
    portsResource([{ begin: 31_000, end: 31_999 }]),
  ];
}

const FRAMEWORK = frameworkId('fake-master-0000');

export function buildOffer(rest: Partial<Offer> = {}): Offer {
  return {
    id: offerId('offer-1'),
    frameworkId: FRAMEWORK,
    agentId: agentId('agent-1'),
    hostname: 'agent1.local',
    resources: agentResources(),
    ...rest,
  };
}

export function buildTaskStatus(rest: Partial<TaskStatus> = {}): TaskStatus {
  return { taskId: taskId('task-1'), state: 'TASK_RUNNING', ...rest };
}

export function buildExecutorInfo(rest: Partial<ExecutorInfo> = {}): ExecutorInfo {
  return {
    executorId: executorId('executor-1'),
    type: 'CUSTOM',
    command: { value: 'true', shell: true },
    resources: [scalarResource('cpus', 0.1), scalarResource('mem', 32)],
    ...rest,
  };
}

export function buildTaskInfo(rest: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: 'task-1',
    taskId: taskId('task-1'),
    agentId: agentId('agent-1'),
    resources: [scalarResource('cpus', 0.2), scalarResource('mem', 64)],
    executor: buildExecutorInfo(),
    ...rest,
  };
}

export function buildFrameworkInfo(rest: Partial<FrameworkInfo> = {}): FrameworkInfo {
  return { user: 'root', name: 'test', checkpoint: true, failoverTimeout: 3600, ...rest };
}

export function buildAgentInfo(rest: Partial<AgentInfo> = {}): AgentInfo {
  return {
    hostname: 'agent1.local',
    id: agentId('agent-1'),
    port: 5051,
    resources: agentResources(),
    ...rest,
  };
}

/** SUBSCRIBED as a master sends it. */
export function schedulerSubscribed(
  id: FrameworkId = FRAMEWORK,
  heartbeatIntervalSeconds = 15,
): SchedulerEvent {
  return { type: 'SUBSCRIBED', subscribed: { frameworkId: id, heartbeatIntervalSeconds } };
}

/** SUBSCRIBED as an agent sends it. */
export function executorSubscribed(): ExecutorEvent {
  return {
    type: 'SUBSCRIBED',
    subscribed: {
      executorInfo: buildExecutorInfo({ frameworkId: FRAMEWORK }),
      frameworkInfo: buildFrameworkInfo({ id: FRAMEWORK }),
      agentInfo: buildAgentInfo(),
      containerId: { value: 'container-1' as ContainerIdValue },
    },
  };
}
