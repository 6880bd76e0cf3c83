import { describe, expect, it } from 'vitest';
import { GUARD_CASES, type GuardMoment } from '../testing/guard-cases.ts';
import { look, NEW_GUARD, type GuardMove, type GuardState } from './guard-logic.ts';

const NOW_MS = 1_000_000.5;
const DEADLINES: Readonly<Record<string, string | undefined>> = {
  ahead: '1060',
  passed: '940',
  none: undefined,
};

/** The loop of guard.sh around the pure decisions, until there is only napping. */
class Guard {
  state: GuardState = NEW_GUARD;
  readonly files = new Set<string>();
  deadline: string | undefined;
  said = 'waiting';
  child: { exitCode: number | undefined } | undefined;

  live({ deadline, put, childEnds }: GuardMoment): string {
    if (deadline !== undefined) this.deadline = deadline in DEADLINES ? DEADLINES[deadline] : deadline;
    for (const file of put ?? []) this.files.add(file);
    if (childEnds === true && this.child) this.child.exitCode = 3;
    for (let move = this.#look(); move !== 'nap'; move = this.#look()) {
      this.#act(move);
      if (move.startsWith('kill') || move === 'exited') break;
    }
    return this.said;
  }

  #look(): GuardMove {
    const { state, move } = look(this.state, {
      go: this.files.has('go'),
      stop: this.files.has('stop'),
      kill: this.files.has('kill'),
      deadline: this.deadline,
      uptimeMs: NOW_MS,
      childLives: this.child !== undefined && this.child.exitCode === undefined,
    });
    this.state = state;
    return move;
  }

  #act(move: GuardMove): void {
    if (move === 'start') {
      this.child = { exitCode: undefined };
      this.said = 'running';
    } else if (move === 'stop' && this.child) this.child.exitCode = 7;
    else if (move === 'kill-order') this.said = 'killed order';
    else if (move === 'kill-deadline') this.said = 'killed deadline';
    else if (move === 'exited') this.said = `exited ${String(this.child?.exitCode)}`;
  }
}

describe('the guard as the simulation has it', () => {
  it.each(GUARD_CASES)('$name', ({ moments }) => {
    const guard = new Guard();
    expect(moments.map((moment) => guard.live(moment))).toEqual(moments.map(({ says }) => says));
  });

  it('kills when the clock cannot be read', () => {
    const sight = {
      go: true,
      stop: false,
      kill: false,
      deadline: '9999',
      uptimeMs: undefined,
      childLives: false,
    };
    expect(look(NEW_GUARD, sight).move).toBe('kill-deadline');
  });

  it.each([
    { uptimeMs: 59_999, move: 'start' },
    { uptimeMs: 60_000, move: 'kill-deadline' },
  ])('counts whole seconds: at $uptimeMs ms of 60 s it will $move', ({ uptimeMs, move }) => {
    const sight = { go: true, stop: false, kill: false, deadline: '60', uptimeMs, childLives: false };
    expect(look(NEW_GUARD, sight).move).toBe(move);
  });
});
