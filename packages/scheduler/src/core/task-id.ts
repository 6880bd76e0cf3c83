/** The one place where node ID and epoch become a task ID, and back. */
import { parseNodeId, type NodeId } from '@mesos-elasticsearch/contract';
import { executorId, taskId, type ExecutorId, type TaskId } from '@mesos-elasticsearch/mesos-v1';

/** `elasticsearch-1-3-5f0c…`: framework, node ID, epoch, random. */
export function makeTaskId(frameworkName: string, nodeId: NodeId, epoch: number, random: string): TaskId {
  return taskId(`${frameworkName}-${nodeId}-${epoch}-${random.replaceAll('-', '').slice(0, 12)}`);
}

/** Each task has its own executor, of the same name. */
export function executorIdOf(task: string): ExecutorId {
  return executorId(task);
}

/** Undefined for a task ID that is not of this framework's form. */
export function parseTaskId(
  frameworkName: string,
  text: string,
): { readonly nodeId: NodeId; readonly epoch: number } | undefined {
  if (!text.startsWith(`${frameworkName}-`)) return undefined;
  const match = /^([1-9][0-9]{0,14})-([1-9][0-9]{0,14})-[0-9a-z]+$/.exec(
    text.slice(frameworkName.length + 1),
  );
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { nodeId: parseNodeId(match[1]), epoch: Number(match[2]) };
}
