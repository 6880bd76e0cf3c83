/**
 * Enums of the v1 API as string unions. A name this version does not know (a newer Mesos) is kept as it
 * came (JSON) or becomes `UNRECOGNIZED_<number>` (protobuf), so `Open<…>` admits any string.
 */
export type Open<T extends string> = T | (string & Record<never, never>);

export type TaskState =
  | 'TASK_STAGING'
  | 'TASK_STARTING'
  | 'TASK_RUNNING'
  | 'TASK_KILLING'
  | 'TASK_FINISHED'
  | 'TASK_FAILED'
  | 'TASK_KILLED'
  | 'TASK_ERROR'
  | 'TASK_LOST'
  | 'TASK_DROPPED'
  | 'TASK_UNREACHABLE'
  | 'TASK_GONE'
  | 'TASK_GONE_BY_OPERATOR'
  | 'TASK_UNKNOWN';

export type StatusSource = 'SOURCE_MASTER' | 'SOURCE_AGENT' | 'SOURCE_EXECUTOR';

/** `REASON_…`; the list is long and grows, so it is not closed here (mesos-fields list: TaskStatus.Reason). */
export type StatusReason = Open<
  | 'REASON_EXECUTOR_TERMINATED'
  | 'REASON_EXECUTOR_REGISTRATION_TIMEOUT'
  | 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT'
  | 'REASON_RECONCILIATION'
  | 'REASON_AGENT_REMOVED'
  | 'REASON_AGENT_RESTARTED'
  | 'REASON_AGENT_DISCONNECTED'
  | 'REASON_AGENT_REREGISTERED'
  | 'REASON_INVALID_OFFERS'
  | 'REASON_TASK_INVALID'
  | 'REASON_TASK_UNAUTHORIZED'
  | 'REASON_TASK_KILLED_DURING_LAUNCH'
  | 'REASON_CONTAINER_LAUNCH_FAILED'
>;

export type FrameworkCapability = Open<
  | 'REVOCABLE_RESOURCES'
  | 'TASK_KILLING_STATE'
  | 'GPU_RESOURCES'
  | 'SHARED_RESOURCES'
  | 'PARTITION_AWARE'
  | 'MULTI_ROLE'
  | 'RESERVATION_REFINEMENT'
  | 'REGION_AWARE'
>;

const TERMINAL: ReadonlySet<string> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

/** Terminal in Mesos' accounting (resources freed). It does not mean that the process is gone. */
export function isTerminal(state: Open<TaskState>): boolean {
  return TERMINAL.has(state);
}
