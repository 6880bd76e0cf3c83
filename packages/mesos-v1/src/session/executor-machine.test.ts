import { describe, expect, it } from 'vitest';
import { buildTaskInfo, buildTaskStatus, executorSubscribed } from '../testing/index.ts';
import type { ExecutorEvent } from '../types/executor-api.ts';
import type { StatusUuid } from '../types/ids.ts';
import { taskId } from '../types/ids.ts';
import { executorWakeAt, initialExecutor, stepExecutor } from './executor-machine.ts';
import type { ExecutorContext, ExecutorInput, ExecutorMachine, ExecutorStep } from './executor-state.ts';

const context: ExecutorContext = {
  now: 0,
  random: 0.5,
  checkpoint: true,
  recoveryTimeoutMs: 60_000,
  backoffMaxMs: 2000,
  attemptTimeoutMs: 15_000,
};

function play(
  from: ExecutorMachine,
  at: Partial<ExecutorContext>,
  ...inputs: { kind: string }[]
): ExecutorStep {
  let step: ExecutorStep = { state: from, effects: [] };
  for (const input of inputs) {
    const whole = { attempt: step.state.attempt, ...input } as unknown as ExecutorInput;
    step = stepExecutor(step.state, whole, { ...context, ...at });
  }
  return step;
}
const event = (heard: ExecutorEvent) => ({ kind: 'event', event: heard });
const subscribed = play(
  initialExecutor(),
  {},
  { kind: 'start' },
  { kind: 'opened' },
  event(executorSubscribed()),
).state;
const uuid = (text: string) => text as StatusUuid;
const update = (name: string) => ({
  kind: 'send-update',
  update: { status: buildTaskStatus({ uuid: uuid(name) }) },
});
const sent = ({ effects }: ExecutorStep) =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.update.status.uuid] : []));
const answered = (name: string, consequence: string) => ({
  kind: 'update-answered',
  uuid: name,
  consequence,
  reason: '',
});
const acknowledged = (name: string) =>
  event({ type: 'ACKNOWLEDGED', acknowledged: { taskId: taskId('task-1'), uuid: uuid(name) } });
const lost = { kind: 'lost', reason: 'broken' };

describe('the executor machine', () => {
  it('keeps updates in order, one on its way at a time', () => {
    const first = play(subscribed, {}, update('1'));
    expect(sent(first)).toEqual(['1']);
    const second = play(first.state, {}, update('2'));
    expect(sent(second)).toEqual([]);
    expect(sent(play(second.state, {}, answered('1', 'ok')))).toEqual(['2']);
  });

  it('does not send twice what was acknowledged before its answer came', () => {
    const early = play(subscribed, {}, update('1'), acknowledged('1'), answered('1', 'ok'));
    expect(early.state).toMatchObject({ updates: [], received: [], sending: null });
  });

  it('repeats the same update, not the next, when the agent was not ready', () => {
    const waiting = play(subscribed, { now: 1000 }, update('1'), update('2'), answered('1', 'retry')).state;
    expect(executorWakeAt(waiting)).toBe(2000);
    expect(sent(play(waiting, { now: 1999 }, { kind: 'tick' }))).toEqual([]);
    expect(sent(play(waiting, { now: 2000 }, { kind: 'tick' }))).toEqual(['1']);
  });

  it('takes along every launched task that no update was acknowledged of', () => {
    const [one, two] = [buildTaskInfo(), buildTaskInfo({ taskId: taskId('task-2') })];
    const running = play(
      subscribed,
      {},
      event({ type: 'LAUNCH', launch: { task: one } }),
      event({ type: 'LAUNCH_GROUP', launchGroup: { taskGroup: { tasks: [two] } } }),
      update('1'),
      acknowledged('1'),
      lost,
    ).state;
    const again = play(running, { now: 5000 }, { kind: 'tick' });
    expect(again.effects).toContainEqual(
      expect.objectContaining({ kind: 'connect', tasks: [two], updates: [] }),
    );
  });

  it('does not send what SUBSCRIBE has taken along', () => {
    const back = play(subscribed, {}, update('1'), lost).state;
    const resubscribed = play(
      back,
      { now: 5000 },
      { kind: 'tick' },
      update('2'),
      { kind: 'opened' },
      event(executorSubscribed()),
    );
    expect(sent(resubscribed)).toEqual(['2']);
  });

  it('waits at random up to the bound, and gives up when the recovery timeout is over', () => {
    const waiting = play(subscribed, { now: 1000 }, lost);
    expect(executorWakeAt(waiting.state)).toBe(2000);
    const trying = play(waiting.state, { now: 2000 }, { kind: 'tick' }).state;
    const lastWait = play(trying, { now: 60_900 }, lost).state;
    expect(executorWakeAt(lastWait)).toBe(61_000);
    expect(play(lastWait, { now: 61_000 }, { kind: 'tick' }).effects).toContainEqual({
      kind: 'change',
      change: expect.objectContaining({ state: 'agent-lost' }),
    });
  });

  it('counts the recovery timeout anew after every subscription', () => {
    expect(subscribed.lostSince).toBeNull();
    expect(play(subscribed, { now: 1_000_000 }, lost).state).toMatchObject({
      lostSince: 1_000_000,
      phase: { name: 'waiting' },
    });
  });

  it('does not hang on an agent that takes the connection and says nothing', () => {
    const connecting = play(initialExecutor(), {}, { kind: 'start' }).state;
    expect(play(connecting, { now: 15_000 }, { kind: 'tick' }).state.phase.name).toBe('waiting');
  });

  it('ends when the agent does not know it, or says ERROR', () => {
    for (const input of [answered('1', 'fatal'), event({ type: 'ERROR', error: { message: 'no' } })]) {
      const step = play(subscribed, {}, update('1'), input);
      expect(step.state.phase).toEqual({ name: 'ended' });
      expect(play(step.state, {}, lost, { kind: 'tick' }, update('2')).effects).toEqual([]);
    }
  });
});
