/** What a guard does about what it finds, case by case: for guard.sh and for `guard-logic.ts` alike. */

/** ahead, passed: a minute from now, a minute ago. none: there is no such file. Anything else is written as it is. */
export type DeadlineText = 'ahead' | 'passed' | 'never' | 'none' | (string & {});

/** The control files that are put in place, and what the guard says once it has looked. */
export interface GuardMoment {
  readonly deadline?: DeadlineText;
  readonly put?: readonly ('go' | 'stop' | 'kill')[];
  /** The program ends by itself with code 3. (On SIGTERM it ends with code 7.) */
  readonly childEnds?: true;
  readonly says: 'waiting' | 'running' | 'exited 3' | 'exited 7' | 'killed deadline' | 'killed order';
}

export interface GuardCase {
  readonly name: string;
  readonly moments: readonly GuardMoment[];
}

const up: GuardMoment = { deadline: 'ahead', put: ['go'], says: 'running' };

export const GUARD_CASES: readonly GuardCase[] = [
  { name: 'waits for its go', moments: [{ deadline: 'ahead', says: 'waiting' }] },
  { name: 'waits without a limit', moments: [{ deadline: 'never', says: 'waiting' }] },
  {
    name: 'ends before its go at the deadline',
    moments: [
      { deadline: 'ahead', says: 'waiting' },
      { deadline: 'passed', says: 'killed deadline' },
    ],
  },
  {
    name: 'starts nothing after the deadline',
    moments: [{ deadline: 'passed', put: ['go'], says: 'killed deadline' }],
  },
  {
    name: 'without a deadline, now is late',
    moments: [{ deadline: 'none', put: ['go'], says: 'killed deadline' }],
  },
  { name: 'with an empty one too', moments: [{ deadline: '', put: ['go'], says: 'killed deadline' }] },
  { name: 'with garbage too', moments: [{ deadline: '12x', put: ['go'], says: 'killed deadline' }] },
  { name: 'starts on its go', moments: [up] },
  {
    name: 'garbage leaves the last deadline in force',
    moments: [up, { deadline: '-1', says: 'running' }, { deadline: 'none', says: 'running' }],
  },
  { name: 'kills at the deadline', moments: [up, { deadline: 'passed', says: 'killed deadline' }] },
  {
    name: 'goes on where the deadline was moved',
    moments: [up, { deadline: 'never', says: 'running' }, { deadline: 'ahead', says: 'running' }],
  },
  { name: 'kills when told to', moments: [up, { put: ['kill'], says: 'killed order' }] },
  {
    name: 'kills when told to before its go',
    moments: [{ deadline: 'never', put: ['kill'], says: 'killed order' }],
  },
  {
    name: 'an order comes before the deadline',
    moments: [{ deadline: 'passed', put: ['kill'], says: 'killed order' }],
  },
  {
    name: 'does not start what it is to kill',
    moments: [{ deadline: 'ahead', put: ['go', 'kill'], says: 'killed order' }],
  },
  { name: 'stops gracefully', moments: [up, { put: ['stop'], says: 'exited 7' }] },
  { name: 'tells the exit code', moments: [up, { childEnds: true, says: 'exited 3' }] },
];
