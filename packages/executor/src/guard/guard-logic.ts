/**
 * What guard.sh decides, as a pure function of what it reads: the simulation runs this in its place. One table of
 * cases (`testing/guard-cases.ts`) is run against both, so that the two cannot drift apart.
 */

/** Between two looks at most: `nap` in guard.sh, where there is no sub-second sleep. */
export const GUARD_NAP_MS = 1_000;

export interface GuardState {
  readonly phase: 'waiting' | 'running';
  /** The last one that could be read, in whole seconds of uptime. */
  readonly deadline: number | 'never';
  readonly stopSent: boolean;
}

/** Before a deadline was read everything is overdue. */
export const NEW_GUARD: GuardState = { phase: 'waiting', deadline: 0, stopSent: false };

/** One look at the control directory, the kernel's uptime and the child. */
export interface GuardSight {
  readonly go: boolean;
  readonly stop: boolean;
  readonly kill: boolean;
  /** First line of the file; undefined where it cannot be read. */
  readonly deadline: string | undefined;
  /** Milliseconds; undefined where /proc/uptime cannot be read. */
  readonly uptimeMs: number | undefined;
  /** Of the process that was started; false before. */
  readonly childLives: boolean;
}

/** start: exec Elasticsearch. stop: SIGTERM to it. kill-…: SIGKILL to everything, and the end. exited: the end. */
export type GuardMove = 'nap' | 'start' | 'stop' | 'kill-order' | 'kill-deadline' | 'exited';

export interface GuardLook {
  readonly state: GuardState;
  readonly move: GuardMove;
}

export function look(state: GuardState, sight: GuardSight): GuardLook {
  // The end of the child is seen before anything else.
  if (state.phase === 'running' && !sight.childLives) return { state, move: 'exited' };
  if (sight.kill) return { state, move: 'kill-order' };
  const deadline = deadlineRead(state, sight.deadline);
  const read = deadline === state.deadline ? state : { ...state, deadline };
  if (isOverdue(deadline, sight.uptimeMs)) return { state: read, move: 'kill-deadline' };
  if (state.phase === 'waiting') {
    return sight.go ? { state: { ...read, phase: 'running' }, move: 'start' } : { state: read, move: 'nap' };
  }
  if (sight.stop && !state.stopSent) return { state: { ...read, stopSent: true }, move: 'stop' };
  return { state: read, move: 'nap' };
}

/** What cannot be understood leaves the last deadline in force. */
function deadlineRead(state: GuardState, text: string | undefined): GuardState['deadline'] {
  if (text === 'never') return 'never';
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : state.deadline;
}

function isOverdue(deadline: GuardState['deadline'], uptimeMs: number | undefined): boolean {
  if (deadline === 'never') return false;
  return uptimeMs === undefined || Math.floor(uptimeMs / 1_000) >= deadline;
}
