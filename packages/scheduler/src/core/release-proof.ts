/**
 * What a status says about the process that held a node ID (design rule 3): the one table that decides whether
 * a node ID may move. Whatever is not listed is suspect. Source of the rows: mesos-v1 reference 1.6 and 1.7,
 * and the recordings of a real cluster.
 */
import type { Open, StatusReason, StatusSource, TaskState } from '@mesos-elasticsearch/mesos-v1';

/**
 * never-started: no process ever ran for it. released: process gone, volumes unmounted.
 * gone-but-mounted: process gone, volumes perhaps still mounted on its agent.
 * suspect: it may be alive.
 */
export type Verdict = 'never-started' | 'released' | 'gone-but-mounted' | 'suspect';

export interface Evidence {
  readonly state: Open<TaskState>;
  readonly source: Open<StatusSource> | undefined;
  readonly reason: StatusReason | undefined;
  readonly message: string | undefined;
  /** The executor was seen to have the task (STARTING, RUNNING, or a lease taken). */
  readonly launched: boolean;
  readonly runtime: 'jar' | 'docker';
  /** docker: the container dies with the executor. jar: always true. */
  readonly tied: boolean;
  readonly mounter: 'executor' | 'isolator';
  /** The task belongs to the FrameworkID that we are subscribed with. */
  readonly sameFramework: boolean;
}

interface Row {
  /** Shown in logs and status as the reason for the verdict. */
  readonly name: string;
  readonly states?: readonly TaskState[];
  readonly sources?: readonly StatusSource[];
  readonly reasons?: readonly StatusReason[];
  readonly messageStarts?: string;
  readonly launched?: boolean;
  readonly tied?: boolean;
  readonly mounter?: Evidence['mounter'];
  readonly sameFramework?: boolean;
  readonly verdict: Verdict;
}

/** An executor terminated in one of these ways was destroyed with its whole container by the agent. */
const CONTAINER_DESTROYED: readonly StatusReason[] = [
  'REASON_EXECUTOR_TERMINATED',
  'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
  'REASON_CONTAINER_LIMITATION',
  'REASON_CONTAINER_LIMITATION_MEMORY',
  'REASON_CONTAINER_LIMITATION_DISK',
  'REASON_CONTAINER_PREEMPTED',
  'REASON_CONTAINER_UPDATE_FAILED',
];

/** First match wins; a field left out matches everything. */
export const RELEASE_TABLE: readonly Row[] = [
  { name: 'task-of-an-earlier-framework-id', sameFramework: false, verdict: 'suspect' },
  {
    name: 'executor-said-terminal',
    states: ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_ERROR'],
    sources: ['SOURCE_EXECUTOR'],
    mounter: 'executor',
    verdict: 'released',
  },
  {
    // Mesos unmounts after the executor has gone, and says nothing about it.
    name: 'executor-said-terminal-isolator-unmounts',
    states: ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_ERROR'],
    sources: ['SOURCE_EXECUTOR'],
    verdict: 'gone-but-mounted',
  },
  {
    name: 'invalid-offers',
    states: ['TASK_LOST', 'TASK_DROPPED', 'TASK_ERROR'],
    sources: ['SOURCE_MASTER'],
    reasons: ['REASON_INVALID_OFFERS'],
    launched: false,
    verdict: 'never-started',
  },
  {
    name: 'task-refused-by-master',
    states: ['TASK_ERROR'],
    sources: ['SOURCE_MASTER'],
    reasons: ['REASON_TASK_INVALID', 'REASON_TASK_UNAUTHORIZED'],
    launched: false,
    verdict: 'never-started',
  },
  {
    name: 'agent-draining',
    states: ['TASK_DROPPED'],
    sources: ['SOURCE_MASTER', 'SOURCE_AGENT'],
    reasons: ['REASON_AGENT_DRAINING'],
    launched: false,
    verdict: 'never-started',
  },
  {
    name: 'killed-during-launch',
    states: ['TASK_KILLED'],
    sources: ['SOURCE_MASTER', 'SOURCE_AGENT'],
    reasons: ['REASON_TASK_KILLED_DURING_LAUNCH'],
    launched: false,
    verdict: 'never-started',
  },
  {
    // The agent could not destroy the container: whatever ran in it may run on.
    name: 'abnormal-executor-termination',
    messageStarts: 'Abnormal executor termination',
    verdict: 'suspect',
  },
  {
    name: 'container-never-launched',
    states: ['TASK_FAILED'],
    sources: ['SOURCE_AGENT'],
    reasons: ['REASON_CONTAINER_LAUNCH_FAILED', 'REASON_EXECUTOR_REGISTRATION_TIMEOUT'],
    launched: false,
    verdict: 'never-started',
  },
  {
    name: 'container-destroyed',
    states: ['TASK_FAILED', 'TASK_GONE'],
    sources: ['SOURCE_AGENT'],
    reasons: CONTAINER_DESTROYED,
    tied: true,
    verdict: 'gone-but-mounted',
  },
  {
    // A Docker container outlives its executor unless it is tied to it.
    name: 'executor-gone-container-untied',
    states: ['TASK_FAILED', 'TASK_GONE'],
    sources: ['SOURCE_AGENT'],
    reasons: CONTAINER_DESTROYED,
    tied: false,
    verdict: 'suspect',
  },
];

export interface Judgement {
  readonly verdict: Verdict;
  /** Name of the row that decided. */
  readonly row: string;
}

export function judgeStatus(evidence: Evidence): Judgement {
  const row = RELEASE_TABLE.find((candidate) => matches(candidate, evidence));
  return row === undefined
    ? { verdict: 'suspect', row: 'not-listed' }
    : { verdict: row.verdict, row: row.name };
}

function matches(row: Row, evidence: Evidence): boolean {
  const tied = evidence.runtime === 'jar' || evidence.tied;
  return (
    among(row.states, evidence.state) &&
    among(row.sources, evidence.source) &&
    among(row.reasons, evidence.reason) &&
    (row.messageStarts === undefined || (evidence.message ?? '').startsWith(row.messageStarts)) &&
    (row.launched === undefined || row.launched === evidence.launched) &&
    (row.tied === undefined || row.tied === tied) &&
    (row.mounter === undefined || row.mounter === evidence.mounter) &&
    (row.sameFramework === undefined || row.sameFramework === evidence.sameFramework)
  );
}

function among(listed: readonly string[] | undefined, value: string | undefined): boolean {
  return listed === undefined || (value !== undefined && listed.includes(value));
}
