/** One builder per executor call. */
import type { ExecutorCall, Update } from '../types/executor-api.ts';
import type { ExecutorId, FrameworkId } from '../types/ids.ts';
import type { TaskInfo, TaskStatus } from '../types/messages.ts';

type Call<T extends ExecutorCall['type']> = Extract<ExecutorCall, { type: T }>;

export interface ExecutorIdentity {
  frameworkId: FrameworkId;
  executorId: ExecutorId;
}

function subscribe(
  { frameworkId, executorId }: ExecutorIdentity,
  unacknowledged: { tasks: readonly TaskInfo[]; updates: readonly Update[] },
): Call<'SUBSCRIBE'> {
  const { tasks, updates } = unacknowledged;
  const subscribe = {
    ...(tasks.length > 0 ? { unacknowledgedTasks: [...tasks] } : {}),
    ...(updates.length > 0 ? { unacknowledgedUpdates: [...updates] } : {}),
  };
  return { type: 'SUBSCRIBE', frameworkId, executorId, subscribe };
}

/** `status` needs a uuid, `source` SOURCE_EXECUTOR and a state other than TASK_STAGING, or the agent answers 400. */
function update({ frameworkId, executorId }: ExecutorIdentity, status: TaskStatus): Call<'UPDATE'> {
  return { type: 'UPDATE', frameworkId, executorId, update: { status } };
}

function message({ frameworkId, executorId }: ExecutorIdentity, data: Uint8Array): Call<'MESSAGE'> {
  return { type: 'MESSAGE', frameworkId, executorId, message: { data } };
}

export const executorCalls = { subscribe, update, message };
