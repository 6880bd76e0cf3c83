import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Encoding } from '../codec/encoding.ts';
import { ENCODINGS } from '../codec/encoding.ts';
import type { FakeAgent, Inbox } from '../testing/index.ts';
import {
  buildTaskInfo,
  buildTaskStatus,
  collectingLog,
  createInbox,
  executorSubscribed,
  startFakeAgent,
} from '../testing/index.ts';
import type { ExecutorCall, ExecutorEvent } from '../types/executor-api.ts';
import { executorId, frameworkId, taskId } from '../types/ids.ts';
import type { TaskStatus } from '../types/messages.ts';
import type { ExecutorSession, ExecutorSessionOptions } from './executor-session.ts';
import { startExecutorSession } from './executor-session.ts';
import type { ExecutorChange } from './executor-state.ts';

let agent: FakeAgent;
let events: Inbox<ExecutorEvent>;
let changes: Inbox<ExecutorChange>;
let session: ExecutorSession | undefined;

function start(options: Partial<ExecutorSessionOptions> = {}): ExecutorSession {
  session = startExecutorSession({
    endpoint: agent.url,
    frameworkId: frameworkId('framework-1'),
    executorId: executorId('executor-1'),
    checkpoint: true,
    recoveryTimeoutMs: 60_000,
    backoffMaxMs: 0,
    encoding: 'application/x-protobuf',
    onEvent: (event) => events.push(event),
    onState: (change) => changes.push(change),
    log: collectingLog(),
    random: () => 0,
    ...options,
  });
  return session;
}

async function subscribed(options: Partial<ExecutorSessionOptions> = {}) {
  const started = start(options);
  const subscription = await agent.subscriptions.next();
  subscription.send(executorSubscribed());
  await changes.next(({ state }) => state === 'subscribed');
  return { session: started, subscription };
}

async function nextUpdate(): Promise<TaskStatus> {
  const { call } = await agent.calls.next((received) => received.call.type === 'UPDATE');
  return (call as Extract<ExecutorCall, { type: 'UPDATE' }>).update.status;
}

const acknowledged = ({ taskId: id, uuid }: TaskStatus): ExecutorEvent => ({
  type: 'ACKNOWLEDGED',
  acknowledged: { taskId: id, uuid: uuid! },
});
const launch: ExecutorEvent = { type: 'LAUNCH', launch: { task: buildTaskInfo() } };
const starting = buildTaskStatus({ state: 'TASK_STARTING' });
const running = buildTaskStatus({ state: 'TASK_RUNNING' });

beforeEach(async () => {
  events = createInbox('events');
  changes = createInbox('changes');
  agent = await startFakeAgent();
});
afterEach(async () => {
  session?.close();
  await agent.close();
});

describe('an executor session', () => {
  it.each<[Encoding]>(ENCODINGS.map((encoding) => [encoding]))(
    'subscribes and reports in %s',
    async (encoding) => {
      const { session: executor, subscription } = await subscribed({ encoding, token: 'a.b.c' });
      expect(subscription.call).toEqual({
        type: 'SUBSCRIBE',
        frameworkId: 'framework-1',
        executorId: 'executor-1',
        subscribe: {},
      });
      expect(subscription.headers.authorization).toBe('Bearer a.b.c');
      subscription.send(launch);
      await events.next(({ type }) => type === 'LAUNCH');

      executor.sendUpdate(starting);
      const status = await nextUpdate();
      expect(status).toMatchObject({ state: 'TASK_STARTING', source: 'SOURCE_EXECUTOR' });
      expect(Buffer.from(status.uuid!, 'base64')).toHaveLength(16);
      expect(executor.unacknowledged()).toBe(1);
      subscription.send(acknowledged(status));
      expect(await executor.drained(5000)).toBe(true);
      expect(executor.unacknowledged()).toBe(0);
    },
  );

  it('sends updates one after the other, never overtaking', async () => {
    const { session: executor } = await subscribed();
    agent.holdCalls(true);
    executor.sendUpdate(starting);
    executor.sendUpdate(running);
    expect((await nextUpdate()).state).toBe('TASK_STARTING');
    expect(agent.calls.all).toHaveLength(1);
    agent.holdCalls(false);
    expect((await nextUpdate()).state).toBe('TASK_RUNNING');
  });

  it('sends an update again that the agent could not take yet', async () => {
    const { session: executor } = await subscribed();
    agent.answerCall({ status: 503, body: 'Agent has not finished recovery' });
    executor.sendUpdate(starting);
    const first = await nextUpdate();
    expect((await nextUpdate()).uuid).toBe(first.uuid);
  });

  it('takes unacknowledged tasks and updates along when it comes back', async () => {
    const { session: executor, subscription } = await subscribed();
    subscription.send(launch);
    await events.next(({ type }) => type === 'LAUNCH');
    executor.sendUpdate(starting);
    executor.sendUpdate(running);
    await nextUpdate();
    await nextUpdate();
    subscription.destroy();

    const again = await agent.subscriptions.next();
    expect(again.call).toMatchObject({
      subscribe: {
        unacknowledgedTasks: [{ taskId: 'task-1' }],
        unacknowledgedUpdates: [
          { status: { state: 'TASK_STARTING' } },
          { status: { state: 'TASK_RUNNING' } },
        ],
      },
    });
    again.send(executorSubscribed());
    await changes.next(({ state }) => state === 'subscribed');
    expect(agent.calls.all).toHaveLength(2);
  });

  it('lists a task no more once any update of it was acknowledged', async () => {
    const { session: executor, subscription } = await subscribed();
    subscription.send(launch);
    executor.sendUpdate(starting);
    executor.sendUpdate(running);
    const first = await nextUpdate();
    await nextUpdate();
    subscription.send(acknowledged(first));
    await events.next(({ type }) => type === 'ACKNOWLEDGED');
    subscription.destroy();
    const { call } = await agent.subscriptions.next();
    expect(call).toMatchObject({
      subscribe: { unacknowledgedUpdates: [{ status: { state: 'TASK_RUNNING' } }] },
    });
    expect(
      (call as Extract<ExecutorCall, { type: 'SUBSCRIBE' }>).subscribe.unacknowledgedTasks,
    ).toBeUndefined();
  });

  it('keeps updates that are made while there is no agent', async () => {
    const { session: executor, subscription } = await subscribed();
    agent.refuseSubscribe({ status: 503, body: 'Agent has not finished recovery' });
    subscription.destroy();
    await changes.next(({ state }) => state === 'disconnected');
    executor.sendUpdate(running);
    const again = await agent.subscriptions.next();
    again.send(executorSubscribed());
    const carried = (again.call as Extract<ExecutorCall, { type: 'SUBSCRIBE' }>).subscribe
      .unacknowledgedUpdates;
    if (carried === undefined) expect((await nextUpdate()).state).toBe('TASK_RUNNING');
    else expect(carried[0]!.status.state).toBe('TASK_RUNNING');
  });

  it('gives up at once without checkpointing', async () => {
    const { subscription } = await subscribed({ checkpoint: false });
    subscription.destroy();
    expect(await changes.next(({ state }) => state === 'agent-lost')).toBeDefined();
    expect(agent.subscriptions.all).toHaveLength(1);
  });

  it('gives up when the agent does not come back within the recovery timeout', async () => {
    const { session: executor, subscription } = await subscribed({ recoveryTimeoutMs: 60, backoffMaxMs: 10 });
    executor.sendUpdate(running);
    await agent.close();
    await subscription.closed;
    expect(await changes.next(({ state }) => state === 'agent-lost')).toMatchObject({
      reason: expect.stringContaining('0.06 s'),
    });
    expect(await executor.drained(5000)).toBe(false);
  });

  it.each([
    [400, 'Executor cannot be found'],
    [401, ''],
    [403, 'claims differ'],
  ])('ends when SUBSCRIBE is answered with %i %s', async (status, body) => {
    agent.refuseSubscribe({ status, body });
    start();
    expect(await changes.next(({ state }) => state === 'refused')).toBeDefined();
  });

  it('says so when it cannot even make the request', async () => {
    start({ token: 'two\nlines', recoveryTimeoutMs: 0 });
    expect(await changes.next(({ state }) => state === 'agent-lost')).toMatchObject({
      reason: expect.stringContaining('cannot make the SUBSCRIBE call'),
    });
  });

  it('takes a SHUTDOWN as first event', async () => {
    start();
    (await agent.subscriptions.next()).send({ type: 'SHUTDOWN' });
    expect(await events.next()).toEqual({ type: 'SHUTDOWN' });
  });

  it('sends messages only while subscribed', async () => {
    const executor = start();
    expect(executor.sendMessage(Buffer.from('early'))).toBe(false);
    (await agent.subscriptions.next()).send(executorSubscribed());
    await changes.next(({ state }) => state === 'subscribed');
    expect(executor.sendMessage(Buffer.from('hello'))).toBe(true);
    const { call } = await agent.calls.next();
    expect(call).toEqual({
      type: 'MESSAGE',
      frameworkId: 'framework-1',
      executorId: 'executor-1',
      message: { data: new Uint8Array(Buffer.from('hello')) },
    });
  });

  it('is not drained while an update waits for its acknowledgement', async () => {
    const { session: executor } = await subscribed();
    executor.sendUpdate(running);
    await nextUpdate();
    expect(await executor.drained(10)).toBe(false);
  });

  it('refuses to queue what no agent takes', async () => {
    const { session: executor } = await subscribed();
    expect(() => executor.sendUpdate(buildTaskStatus({ state: 'TASK_STAGING' }))).toThrow(TypeError);
    expect(() => executor.sendUpdate({ taskId: taskId('t') } as TaskStatus)).toThrow(
      "'update.status.state' is required",
    );
    expect(executor.unacknowledged()).toBe(0);
  });

  it('drops an update that the agent will never take, so that others get through', async () => {
    const { session: executor } = await subscribed();
    agent.answerCall({ status: 400, body: 'Failed to validate executor::Call: …' });
    executor.sendUpdate(starting);
    executor.sendUpdate(running);
    await nextUpdate();
    expect((await nextUpdate()).state).toBe('TASK_RUNNING');
    expect(executor.unacknowledged()).toBe(1);
  });
});
