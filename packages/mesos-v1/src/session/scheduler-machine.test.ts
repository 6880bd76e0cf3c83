import { describe, expect, it } from 'vitest';
import { schedulerSubscribed } from '../testing/index.ts';
import type { StreamId } from '../types/ids.ts';
import { exponentialBackoff, LONGEST_BACKOFF_MS } from './backoff.ts';
import { initialScheduler, schedulerWakeAt, stepScheduler } from './scheduler-machine.ts';
import type { SchedulerInput, SchedulerMachine, SchedulerStep } from './scheduler-state.ts';

const context = { now: 1000, random: 0, subscribeTimeoutMs: 30_000 };
const streamId = 'stream-1' as StreamId;

/** Feeds inputs one after the other; `attempt` is filled in with the current one. */
function play(
  from: SchedulerMachine,
  ...inputs: (Record<string, unknown> & { kind: string })[]
): SchedulerStep {
  let step: SchedulerStep = { state: from, effects: [] };
  for (const input of inputs) {
    const whole = { attempt: step.state.attempt, ...input } as unknown as SchedulerInput;
    step = stepScheduler(step.state, whole, context);
  }
  return step;
}
const masters = { kind: 'masters', urls: ['http://a:5050', 'http://b:5050'] };
const opened = { kind: 'opened', streamId };
const told = { kind: 'event', event: schedulerSubscribed() };
const subscribed = play(initialScheduler(), { kind: 'start' }, masters, opened, told).state;
const connectedTo = (step: SchedulerStep) =>
  step.effects.flatMap((effect) => (effect.kind === 'connect' ? [effect.url] : []));

describe('the subscription machine', () => {
  it('asks for the masters, connects, and is subscribed when told so', () => {
    const started = play(initialScheduler(), { kind: 'start' });
    expect(started.effects).toEqual([{ kind: 'find-masters', attempt: 1 }]);
    const connecting = play(started.state, masters);
    expect(connectedTo(connecting)).toEqual(['http://a:5050/api/v1/scheduler']);
    expect(schedulerWakeAt(connecting.state)).toBe(31_000);
    expect(subscribed).toMatchObject({
      frameworkId: 'fake-master-0000',
      failures: 0,
      phase: { name: 'subscribed', streamId },
    });
    expect(schedulerWakeAt(subscribed)).toBe(76_000);
  });

  it('takes masters in turn as attempts fail', () => {
    let state = play(initialScheduler(), { kind: 'start' }).state;
    const tried: string[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const connecting = play(state, masters);
      tried.push(...connectedTo(connecting));
      const waiting = play(connecting.state, { kind: 'lost', reason: 'refused' }).state;
      state = stepScheduler(waiting, { kind: 'tick' }, { ...context, now: 100_000 }).state;
    }
    expect(tried.map((url) => new URL(url).hostname)).toEqual(['a', 'b', 'a']);
  });

  it('waits longer after every failure, with jitter, and at most 15 s', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 100].map((failures) => exponentialBackoff(failures, 0.999999));
    expect(waits.map(Math.round)).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    expect(exponentialBackoff(50, 0)).toBe(LONGEST_BACKOFF_MS / 2);
  });

  it('ignores whatever an earlier attempt still says', () => {
    const stale = [
      { kind: 'event', attempt: 1, event: { type: 'ERROR', error: { message: 'Framework failed over' } } },
      { kind: 'lost', attempt: 1, reason: 'late' },
      { kind: 'answered', attempt: 1, status: 401, body: '', location: null },
    ];
    for (const input of stale) {
      expect(play(subscribed, input)).toEqual({ state: subscribed, effects: [] });
    }
  });

  it('is not replaced by the answer to a call of an earlier subscription', () => {
    const answer = { kind: 'call-answered', consequence: 'replaced', reason: 'stale' };
    expect(play(subscribed, { ...answer, streamId: 'earlier' }).state).toBe(subscribed);
    expect(play(subscribed, { ...answer, streamId }).state.phase).toEqual({ name: 'ended' });
  });

  it('goes to a new leader at once, from wherever it is, with its failures forgotten', () => {
    const leads = { kind: 'leader-changed', urls: ['http://c:5050'] };
    const moved = play(subscribed, leads);
    expect(moved.effects).toMatchObject([
      { kind: 'disconnect' },
      { kind: 'change', change: { state: 'disconnected', retryInMs: 0 } },
      { kind: 'find-masters' },
    ]);
    const lost = { kind: 'lost', reason: 'refused' };
    const waiting = play(subscribed, lost, { kind: 'resubscribe', reason: '' }, masters, lost).state;
    expect(waiting).toMatchObject({ phase: { name: 'waiting' }, failures: 2 });
    const found = play(waiting, leads, { kind: 'masters', urls: ['http://c:5050', 'http://d:5050'] });
    expect(connectedTo(found)).toEqual(['http://c:5050/api/v1/scheduler']);
    expect(play(initialScheduler(), { kind: 'start' }, leads).state).toMatchObject({
      phase: { name: 'finding' },
      attempt: 2,
    });
  });

  it('stays with a stream that is the new leader’s own already', () => {
    const urls = ['http://x:5050/', 'http://a:5050/'];
    expect(play(subscribed, { kind: 'leader-changed', urls })).toEqual({ state: subscribed, effects: [] });
    expect(play(subscribed, { kind: 'leader-changed', urls: [] })).toEqual({
      state: subscribed,
      effects: [],
    });
  });

  it('asks again after a pause when no master is known yet', () => {
    const none = play(initialScheduler(), { kind: 'start' }, { kind: 'masters', urls: [] });
    expect(none.state).toMatchObject({ phase: { name: 'waiting' }, failures: 1 });
    expect(connectedTo(none)).toEqual([]);
  });

  it('never moves again once it has ended', () => {
    const ended = play(subscribed, {
      kind: 'event',
      event: { type: 'ERROR', error: { message: 'Framework failed over' } },
    }).state;
    for (const input of [
      { kind: 'start' },
      { kind: 'resubscribe', reason: '' },
      { kind: 'leader-changed', urls: ['http://c:5050'] },
      { kind: 'tick' },
      masters,
      opened,
      told,
    ]) {
      expect(play(ended, input)).toEqual({ state: ended, effects: [] });
    }
    expect(schedulerWakeAt(ended)).toBeNull();
  });

  it('does not trust a stream that begins with anything but SUBSCRIBED', () => {
    const open = play(initialScheduler(), { kind: 'start' }, masters, opened).state;
    const step = play(open, { kind: 'event', event: { type: 'HEARTBEAT' } });
    expect(step.state.phase.name).toBe('waiting');
    expect(step.effects).toContainEqual({ kind: 'disconnect' });
  });

  it('takes any event for a sign of life', () => {
    const step = stepScheduler(
      subscribed,
      { kind: 'event', attempt: subscribed.attempt, event: { type: 'UNKNOWN', unknownType: 'NEW' } },
      { ...context, now: 50_000 },
    );
    expect(schedulerWakeAt(step.state)).toBe(125_000);
    expect(stepScheduler(step.state, { kind: 'tick' }, { ...context, now: 124_999 }).effects).toEqual([]);
    expect(stepScheduler(step.state, { kind: 'tick' }, { ...context, now: 125_000 }).state.phase.name).toBe(
      'waiting',
    );
  });

  it('says so when there is no master, and looks again', () => {
    const step = play(initialScheduler(), { kind: 'start' }, { kind: 'masters', urls: [] });
    expect(step.effects).toContainEqual({
      kind: 'change',
      change: { state: 'disconnected', reason: 'no master is known', retryInMs: 250 },
    });
  });
});
