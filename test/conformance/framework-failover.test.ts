import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { taskId } from '@mesos-elasticsearch/mesos-v1';
import type { FrameworkInfo } from '@mesos-elasticsearch/mesos-v1';
import { BareScheduler, FRAMEWORK } from './bare-scheduler.ts';
import { matters, recordedEvents, recording, storyOf, withoutIds } from './recording.ts';
import { startTarget } from './target.ts';
import type { Target } from './target.ts';
import { commandTask, launch } from './tasks.ts';

const RECORDING = '07-framework-failover';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.stop());

async function subscribed(info: FrameworkInfo): Promise<BareScheduler> {
  const scheduler = new BareScheduler(target.master);
  expect(await scheduler.subscribe(info)).toBe(200);
  return scheduler;
}

/** Offers and updates come and go with time; SUBSCRIBED and ERROR tell the story of the subscription. */
function subscriptionStory(events: Parameters<typeof matters>[0]) {
  return matters(events).filter((one) => one.event === 'SUBSCRIBED' || one.event === 'ERROR');
}

describe('recording 07: framework failover', () => {
  let first: BareScheduler;
  let second: BareScheduler;
  let third: BareScheduler;
  let identified: FrameworkInfo;

  test('a second subscriber takes over; the first hears why and its stream ends', async () => {
    first = await subscribed(FRAMEWORK);
    const offer = await first.offer();
    await first.call(launch(offer, commandTask('f1', offer, 'sleep 1000')));
    await first.update(taskId('f1'));
    identified = { ...FRAMEWORK, id: first.frameworkId! };
    second = await subscribed(identified);
    await first.next('ERROR');
    await expect.poll(() => first.ended).toBe(true);
    await second.offer();
    expect(subscriptionStory(first.events)).toEqual(subscriptionStory(recordedEvents(RECORDING)));
    expect(subscriptionStory(second.events)).toEqual(
      subscriptionStory(recordedEvents(RECORDING, 'scheduler-2')),
    );
    expect(second.frameworkId).toBe(first.frameworkId);
  });

  test("the first one's old stream ID is refused", async () => {
    const refused = recording(RECORDING).find((line) => line.kind === 'call' && line.status === 400)!;
    const answer = await first.call({ type: 'REVIVE' });
    expect(answer.status).toBe(refused.status);
    expect(withoutIds(answer.text)).toBe(withoutIds(refused.response!));
  });

  test('who reconnects within failover_timeout finds the task running', async () => {
    second.drop();
    third = await subscribed(identified);
    await third.next('SUBSCRIBED');
    await third.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    await third.update(taskId('f1'));
    expect(storyOf('f1', third.events)).toEqual(storyOf('f1', recordedEvents(RECORDING, 'scheduler-3')));
    await third.call({ type: 'TEARDOWN' });
    await expect.poll(() => third.ended).toBe(true);
  });

  test('the id of a framework that was torn down is used up', async () => {
    const fourth = await subscribed(identified);
    await fourth.next('ERROR');
    expect(matters(fourth.events)).toEqual(matters(recordedEvents(RECORDING, 'scheduler-4')));
    await expect.poll(() => fourth.ended).toBe(true);
  });

  test('failover_timeout passes: calls are refused, tasks are killed, the id is used up', async () => {
    const fifth = await subscribed({ ...FRAMEWORK, failoverTimeout: 1 });
    const offer = await fifth.offer();
    await fifth.call(launch(offer, commandTask('g1', offer, 'sleep 1000')));
    const running = await fifth.update(taskId('g1'), { acknowledge: false });
    fifth.drop();
    const refused = recording(RECORDING).find((line) => line.kind === 'call' && line.status === 403)!;
    const late = async () => {
      const { agentId, uuid } = running;
      const answer = await fifth.call({
        type: 'ACKNOWLEDGE',
        acknowledge: { agentId: agentId!, taskId: taskId('g1'), uuid: uuid! },
      });
      return { status: answer.status, text: answer.text };
    };
    await expect.poll(late).toEqual({ status: refused.status, text: refused.response });
    await expect.poll(late, { timeout: 5_000 }).toEqual({ status: 400, text: 'Framework cannot be found' });
    const sixth = await subscribed({ ...FRAMEWORK, id: fifth.frameworkId! });
    await sixth.next('ERROR');
    expect(matters(sixth.events)).toEqual(matters(recordedEvents(RECORDING, 'scheduler-6')));
  });
});
