import { describe, expect, it } from 'vitest';
import { judgeStatus, RELEASE_TABLE, type Evidence, type Verdict } from './release-proof.ts';

const EXECUTOR_SAID: Evidence = {
  state: 'TASK_FINISHED',
  source: 'SOURCE_EXECUTOR',
  reason: undefined,
  message: undefined,
  launched: true,
  runtime: 'jar',
  tied: true,
  mounter: 'executor',
  sameFramework: true,
};
const TERMINATED = {
  state: 'TASK_FAILED',
  source: 'SOURCE_AGENT',
  reason: 'REASON_EXECUTOR_TERMINATED',
  message: 'Executor terminated',
} as const;
const MASTER = { source: 'SOURCE_MASTER', launched: false } as const;
const AGENT = { source: 'SOURCE_AGENT', launched: false } as const;

const cases: [what: string, evidence: Partial<Evidence>, verdict: Verdict, row: string][] = [
  ['executor: finished', {}, 'released', 'executor-said-terminal'],
  ['executor: failed', { state: 'TASK_FAILED' }, 'released', 'executor-said-terminal'],
  ['executor: killed', { state: 'TASK_KILLED' }, 'released', 'executor-said-terminal'],
  ['executor: error', { state: 'TASK_ERROR' }, 'released', 'executor-said-terminal'],
  ['executor: lost', { state: 'TASK_LOST' }, 'suspect', 'not-listed'],
  [
    'executor, isolator',
    { mounter: 'isolator' },
    'gone-but-mounted',
    'executor-said-terminal-isolator-unmounts',
  ],
  ['executor, old framework', { sameFramework: false }, 'suspect', 'task-of-an-earlier-framework-id'],
  [
    'invalid offers, lost',
    { ...MASTER, state: 'TASK_LOST', reason: 'REASON_INVALID_OFFERS' },
    'never-started',
    'invalid-offers',
  ],
  [
    'invalid offers, dropped',
    { ...MASTER, state: 'TASK_DROPPED', reason: 'REASON_INVALID_OFFERS' },
    'never-started',
    'invalid-offers',
  ],
  [
    'invalid offers of a launched task',
    { ...MASTER, launched: true, state: 'TASK_LOST', reason: 'REASON_INVALID_OFFERS' },
    'suspect',
    'not-listed',
  ],
  [
    'task invalid',
    { ...MASTER, state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID' },
    'never-started',
    'task-refused-by-master',
  ],
  [
    'task unauthorized',
    { ...MASTER, state: 'TASK_ERROR', reason: 'REASON_TASK_UNAUTHORIZED' },
    'never-started',
    'task-refused-by-master',
  ],
  [
    'draining',
    { ...AGENT, state: 'TASK_DROPPED', reason: 'REASON_AGENT_DRAINING' },
    'never-started',
    'agent-draining',
  ],
  [
    'dropped, agent restarted',
    { ...AGENT, state: 'TASK_DROPPED', reason: 'REASON_AGENT_RESTARTED' },
    'suspect',
    'not-listed',
  ],
  [
    'killed during launch',
    { ...AGENT, state: 'TASK_KILLED', reason: 'REASON_TASK_KILLED_DURING_LAUNCH' },
    'never-started',
    'killed-during-launch',
  ],
  ['killed, says the agent', { ...AGENT, state: 'TASK_KILLED' }, 'suspect', 'not-listed'],
  [
    'fetch failed',
    { ...AGENT, state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED' },
    'never-started',
    'container-never-launched',
  ],
  [
    'never registered',
    { ...AGENT, state: 'TASK_FAILED', reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT' },
    'never-started',
    'container-never-launched',
  ],
  ['executor terminated, jar', { ...TERMINATED, tied: false }, 'gone-but-mounted', 'container-destroyed'],
  [
    'executor terminated, tied container',
    { ...TERMINATED, runtime: 'docker', tied: true },
    'gone-but-mounted',
    'container-destroyed',
  ],
  [
    'executor terminated, untied container',
    { ...TERMINATED, runtime: 'docker', tied: false },
    'suspect',
    'executor-gone-container-untied',
  ],
  [
    'executor terminated, old framework',
    { ...TERMINATED, sameFramework: false },
    'suspect',
    'task-of-an-earlier-framework-id',
  ],
  [
    'executor terminated, says the master',
    { ...TERMINATED, source: 'SOURCE_MASTER' },
    'suspect',
    'not-listed',
  ],
  [
    'memory limit',
    { ...TERMINATED, reason: 'REASON_CONTAINER_LIMITATION_MEMORY' },
    'gone-but-mounted',
    'container-destroyed',
  ],
  [
    'abnormal',
    { ...TERMINATED, message: 'Abnormal executor termination: cannot kill' },
    'suspect',
    'abnormal-executor-termination',
  ],
  [
    'abnormal, unknown container',
    { ...TERMINATED, message: 'Abnormal executor termination: unknown container' },
    'suspect',
    'abnormal-executor-termination',
  ],
  ['gone, says the agent', { ...TERMINATED, state: 'TASK_GONE' }, 'gone-but-mounted', 'container-destroyed'],
  [
    'gone, says the master',
    { ...MASTER, state: 'TASK_GONE', reason: 'REASON_RECONCILIATION' },
    'suspect',
    'not-listed',
  ],
  [
    'lost',
    { ...MASTER, launched: true, state: 'TASK_LOST', reason: 'REASON_AGENT_REMOVED' },
    'suspect',
    'not-listed',
  ],
  [
    'unreachable',
    { ...MASTER, launched: true, state: 'TASK_UNREACHABLE', reason: 'REASON_AGENT_REMOVED' },
    'suspect',
    'not-listed',
  ],
  ['unknown', { ...MASTER, state: 'TASK_UNKNOWN', reason: 'REASON_RECONCILIATION' }, 'suspect', 'not-listed'],
  ['gone by operator', { ...MASTER, state: 'TASK_GONE_BY_OPERATOR' }, 'suspect', 'not-listed'],
  [
    'failed, answered to a reconciliation',
    { ...MASTER, state: 'TASK_FAILED', reason: 'REASON_RECONCILIATION' },
    'suspect',
    'not-listed',
  ],
  ['a state of a newer Mesos', { state: 'TASK_VANISHED' }, 'suspect', 'not-listed'],
  ['a source of a newer Mesos', { source: 'SOURCE_SOMEONE' }, 'suspect', 'not-listed'],
  ['no source', { source: undefined }, 'suspect', 'not-listed'],
];

describe('release proof', () => {
  it.each(cases)('%s', (_what, evidence, verdict, row) => {
    expect(judgeStatus({ ...EXECUTOR_SAID, ...evidence })).toEqual({ verdict, row });
  });

  it('has a case for every row of the table', () => {
    expect(new Set(cases.map(([, , , row]) => row))).toEqual(
      new Set([...RELEASE_TABLE.map((row) => row.name), 'not-listed']),
    );
  });
});
