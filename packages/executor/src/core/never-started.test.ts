import { describe, expect, it } from 'vitest';
import { GOOD_START, kill, launch, letGo, Story } from '../testing/machine-story.ts';
import type { MachineEvent } from './events.ts';

describe('the end of a task', () => {
  const endAfter = (steps: number, event: MachineEvent) => {
    const story = new Story();
    story.feed(launch(), ...GOOD_START.slice(0, steps), event);
    // An order to stop waits for the step under way.
    if (story.state.phase === 'starting') story.feed(GOOD_START[steps]!);
    letGo(story);
    expect(story.state.phase).toBe('ended');
    return story.statuses.at(-1)!;
  };
  const refusal = { kind: 'step-failed', outcome: 'not-done', message: 'refused' } as const;
  const STEPS = [
    ...['prepare', 'take-lease', 'detach-former', 'ensure', 'attach', 'attach', 'start-process', 'inspect'],
    ...['claim', 'configure', 'go'],
  ] as const;

  it('says that Elasticsearch was never started, at every step before it is let go', () => {
    for (let steps = 0; steps < GOOD_START.length - 1; steps += 1) {
      const step = STEPS[steps]!;
      if (step !== 'detach-former') {
        expect(endAfter(steps, { ...refusal, step })).toMatchObject({
          state: 'TASK_FAILED',
          report: { neverStarted: true, epoch: 1 },
        });
      }
      expect(endAfter(steps, kill)).toMatchObject({ state: 'TASK_KILLED', report: { neverStarted: true } });
    }
  });

  it('does not say so once the go was given, whatever became of it', () => {
    const go = GOOD_START.length - 1;
    for (const [steps, event] of [
      [go, { ...refusal, step: 'go' }],
      [go, kill],
      [go + 1, { kind: 'process-gone', how: 'exited with 1' }],
      [go + 1, kill],
    ] as const)
      expect(endAfter(steps, event).report?.neverStarted).toBeUndefined();
  });
});
