/** What a master's `/state` says of one framework's tasks. Its shape: Mesos, docs of the endpoint /master/state. */
import { clusterIdentitySchema, epoch, parseNodeId, TASK_LABEL } from '@mesos-elasticsearch/contract';
import { z } from 'zod';
import type { TaskEvidence } from './core/evidence.ts';

const taskSchema = z.object({
  id: z.string().min(1),
  /** Empty for a command task. */
  executor_id: z.string().optional(),
  slave_id: z.string().min(1),
  framework_id: z.string().min(1),
  state: z.string(),
  labels: z.array(z.object({ key: z.string(), value: z.string().optional() })).optional(),
});
type ShownTask = z.infer<typeof taskSchema>;

const tasks = z.array(taskSchema).default([]);
const frameworks = z.array(z.object({ tasks, unreachable_tasks: tasks, completed_tasks: tasks })).default([]);
const stateSchema = z.object({
  slaves: z.array(z.object({ id: z.string(), hostname: z.string() })).default([]),
  frameworks,
  completed_frameworks: frameworks,
});

export interface MasterEvidence {
  readonly tasks: readonly TaskEvidence[];
  readonly agents: readonly { readonly agentId: string; readonly host: string }[];
}

/**
 * Tasks that ended and tasks of frameworks that were removed are included: their epochs were handed out.
 * @throws Error for an answer that is no master's
 */
export function masterEvidence(source: string, answer: unknown, frameworkName: string): MasterEvidence {
  const parsed = stateSchema.safeParse(answer);
  if (!parsed.success) throw new Error(`${source} is not a master's state: ${z.prettifyError(parsed.error)}`);
  const { slaves, frameworks: registered, completed_frameworks: removed } = parsed.data;
  const agents = slaves.map(({ id, hostname }) => ({ agentId: id, host: hostname }));
  const evidence = (isRegistered: boolean) => (task: ShownTask) => {
    const host = agents.find(({ agentId }) => agentId === task.slave_id)?.host;
    return evidenceOf({ source, frameworkName, host, isRegistered }, task);
  };
  const found = [
    ...allTasks(registered).flatMap(evidence(true)),
    ...allTasks(removed).flatMap(evidence(false)),
  ];
  return { tasks: found, agents };
}

function allTasks(shown: z.infer<typeof frameworks>): ShownTask[] {
  return shown.flatMap((each) => [...each.tasks, ...each.unreachable_tasks, ...each.completed_tasks]);
}

/** Nothing for tasks of others, and for labels that are not ours to the letter. */
function evidenceOf({ source, frameworkName, host, isRegistered }: Where, task: ShownTask): TaskEvidence[] {
  const labels = new Map((task.labels ?? []).map(({ key, value }) => [key, value ?? '']));
  const identity = clusterIdentitySchema.safeParse(labels.get(TASK_LABEL.clusterIdentity));
  const [id = '', at = ''] = [labels.get(TASK_LABEL.nodeId), labels.get(TASK_LABEL.epoch)];
  if (labels.get(TASK_LABEL.frameworkName) !== frameworkName) return [];
  if (!identity.success || !NUMBER.test(id) || !NUMBER.test(at)) return [];
  const executorId = task.executor_id === undefined || task.executor_id === '' ? task.id : task.executor_id;
  return [
    {
      source: `${source}, task ${task.id}`,
      frameworkName,
      clusterIdentity: identity.data,
      nodeId: parseNodeId(id),
      epoch: epoch(Number(at)),
      taskId: task.id,
      executorId,
      agentId: task.slave_id,
      host,
      frameworkId: task.framework_id,
      isRegistered,
      state: task.state,
    },
  ];
}

type Where = Pick<TaskEvidence, 'source' | 'frameworkName' | 'host' | 'isRegistered'>;
const NUMBER = /^[1-9][0-9]{0,14}$/;
