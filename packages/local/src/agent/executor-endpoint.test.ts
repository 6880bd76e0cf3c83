import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agentId, encodeExecutorCall, executorId, frameworkId, taskId } from '@mesos-elasticsearch/mesos-v1';
import type { ContainerIdValue, ExecutorCall, StatusUuid } from '@mesos-elasticsearch/mesos-v1';
import { initialAgentState } from '../core/agent/state.ts';
import type { AgentEffect, AgentState } from '../core/agent/state.ts';
import { step } from '../core/agent/step.ts';
import type { AgentInput } from '../core/agent/step.ts';
import { closeServer, listen } from '../http/listen.ts';
import { ExecutorEndpoint } from './executor-endpoint.ts';

const JSON_TYPE = 'application/json';
const WHO = { frameworkId: frameworkId('f'), executorId: executorId('e') };
const UUID = 'AAAAAAAAQACAAAAAAAAAAA==' as StatusUuid;
const UPDATE: ExecutorCall = {
  type: 'UPDATE',
  ...WHO,
  update: { status: { taskId: taskId('t'), state: 'TASK_RUNNING', uuid: UUID, source: 'SOURCE_EXECUTOR' } },
};

let now: number;
let state: AgentState;
let effects: AgentEffect[];
function input(one: AgentInput): void {
  const result = step(state, one, {
    now,
    newUuid: () => UUID,
    newContainerId: () => 'c' as ContainerIdValue,
  });
  state = result.state;
  effects.push(...result.effects);
  for (const effect of result.effects)
    if (effect.kind === 'TELL_EXECUTOR') endpoint.send(effect.key, effect.event);
}

const endpoint = new ExecutorEndpoint({ state: () => state, input });
const server = createServer((request, response) => void endpoint.handle(request, response));
let url: string;
beforeAll(async () => {
  url = `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}/api/v1/executor`;
});
afterAll(() => closeServer(server));

function registered(): void {
  input({
    kind: 'MASTER',
    message: { type: 'REGISTERED', agentId: agentId('a'), totalPingTimeoutMs: 75_000 },
  });
}

/** An agent with one executor that has not come back since the agent's restart. */
beforeEach(() => {
  now = 1_000_000;
  effects = [];
  state = initialAgentState({
    workDir: '/w',
    hostname: 'h',
    ip: '127.0.0.1',
    port: 1,
    resources: [],
    attributes: [],
    executorRegistrationTimeoutMs: 60_000,
    executorReregistrationTimeoutMs: 2_000,
    executorShutdownGraceMs: 5_000,
    resendMinMs: 10_000,
    resendMaxMs: 600_000,
  });
  registered();
  const framework = { id: WHO.frameworkId, user: 'u', name: 'n', checkpoint: true };
  const executor = { executorId: WHO.executorId, command: { value: 'x' } };
  const task = { name: 't', taskId: taskId('t'), agentId: agentId('a'), executor };
  input({ kind: 'MASTER', message: { type: 'RUN_TASK', framework, task } });
  const said = { unacknowledgedTasks: [], unacknowledgedUpdates: [] };
  input({ kind: 'EXECUTOR_SUBSCRIBED', key: 'f/e', said });
  input({ kind: 'RESTARTED' });
  effects = [];
});

async function post(call: ExecutorCall): Promise<Response> {
  const body = new Uint8Array(encodeExecutorCall(call, JSON_TYPE));
  return fetch(url, { method: 'POST', headers: { 'content-type': JSON_TYPE }, body });
}

async function answer(call: ExecutorCall) {
  const response = await post(call);
  return { status: response.status, text: await response.text() };
}

const sent = () =>
  effects.flatMap((one) =>
    one.kind === 'TELL_MASTER' && one.message.type === 'STATUS_UPDATE' ? [one.message.status.state] : [],
  );

describe('a restarted agent that waits for its executors', () => {
  test('takes no update, and says the same as a real one', async () => {
    expect(await answer(UPDATE)).toEqual({ status: 503, text: 'Agent has not finished recovery' });
    expect(sent()).toEqual([]);
  });

  test('takes a subscription at once, as 1.3.2 does; with 1.6.2 it may have to be repeated after a 503', async () => {
    const stream = await post({
      type: 'SUBSCRIBE',
      ...WHO,
      subscribe: { unacknowledgedTasks: [], unacknowledgedUpdates: [UPDATE.update] },
    });
    expect(stream.status).toBe(200);
    expect(state.executors.get('f/e')?.subscribed).toBe(true);
    await stream.body?.cancel();
  });

  test('takes updates when the wait is over', async () => {
    const stream = await post({
      type: 'SUBSCRIBE',
      ...WHO,
      subscribe: { unacknowledgedTasks: [], unacknowledgedUpdates: [] },
    });
    now += 2_000;
    input({ kind: 'TICK' });
    expect((await answer(UPDATE)).status).toBe(202);
    await stream.body?.cancel();
  });
});

describe('an agent in service', () => {
  test.each([
    ['another framework', { frameworkId: frameworkId('x') }, 400, 'Framework cannot be found'],
    ['another executor', { executorId: executorId('x') }, 400, 'Executor cannot be found'],
  ])('refuses %s', async (_what, other, status, text) => {
    now += 2_000;
    input({ kind: 'TICK' });
    expect(await answer({ ...UPDATE, ...other })).toEqual({ status, text });
  });
});
