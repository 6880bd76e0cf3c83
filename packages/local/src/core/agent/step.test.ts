import { describe, expect, test } from 'vitest';
import { agentId, executorId, frameworkId, taskId } from '@mesos-elasticsearch/mesos-v1';
import type { ContainerIdValue, StatusUuid, TaskState } from '@mesos-elasticsearch/mesos-v1';
import type { ToMaster } from '../link-protocol.ts';
import { initialAgentState, runKey } from './state.ts';
import type { AgentEffect } from './state.ts';
import { step } from './step.ts';
import type { AgentInput } from './step.ts';

const FRAMEWORK = { id: frameworkId('f'), user: 'u', name: 'n', checkpoint: true };
const KEY = runKey(frameworkId('f'), executorId('e'));

class Play {
  now = 1_000_000;
  effects: AgentEffect[] = [];
  #uuids = 0;
  #state = initialAgentState({
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

  input(input: AgentInput): void {
    const nature = {
      now: this.now,
      newUuid: () => `agent-${this.#uuids++}` as StatusUuid,
      newContainerId: () => 'c' as ContainerIdValue,
    };
    const result = step(this.#state, input, nature);
    this.#state = result.state;
    this.effects.push(...result.effects);
  }
  run(name: string): void {
    const executor = { executorId: executorId('e'), command: { value: 'x' } };
    const task = { name, taskId: taskId(name), agentId: agentId('a'), executor };
    this.input({ kind: 'MASTER', message: { type: 'RUN_TASK', framework: FRAMEWORK, task } });
  }
  subscribe(): void {
    this.input({
      kind: 'EXECUTOR_SUBSCRIBED',
      key: KEY,
      said: { unacknowledgedTasks: [], unacknowledgedUpdates: [] },
    });
  }
  update(state: TaskState, uuid: string): void {
    const status = {
      taskId: taskId('t'),
      state,
      uuid: uuid as StatusUuid,
      source: 'SOURCE_EXECUTOR' as const,
    };
    this.input({ kind: 'EXECUTOR_UPDATE', key: KEY, status });
  }
  acknowledge(uuid: string): void {
    const ids = { frameworkId: frameworkId('f'), taskId: taskId('t'), uuid: uuid as StatusUuid };
    this.input({ kind: 'MASTER', message: { type: 'ACKNOWLEDGE', ...ids } });
  }
  tickAt(ms: number): void {
    this.now = 1_000_000 + ms;
    this.input({ kind: 'TICK' });
  }
  toMaster<T extends ToMaster['type']>(type: T): Extract<ToMaster, { type: T }>[] {
    const said = this.effects.flatMap((one) => (one.kind === 'TELL_MASTER' ? [one.message] : []));
    return said.filter((message): message is Extract<ToMaster, { type: T }> => message.type === type);
  }
  states(): string[] {
    return this.toMaster('STATUS_UPDATE').map(({ status }) =>
      `${status.state} ${status.reason ?? ''}`.trim(),
    );
  }
  toExecutor(): string[] {
    return this.effects.flatMap((one) => (one.kind === 'TELL_EXECUTOR' ? [one.event.type] : []));
  }
}

function playing(): Play {
  const play = new Play();
  play.input({
    kind: 'MASTER',
    message: { type: 'REGISTERED', agentId: agentId('a'), totalPingTimeoutMs: 75_000 },
  });
  play.run('t');
  play.subscribe();
  return play;
}

describe('updates', () => {
  test('the next one waits for the acknowledgement of the one before', () => {
    const play = playing();
    play.update('TASK_STARTING', 'u1');
    play.update('TASK_RUNNING', 'u2');
    expect(play.states()).toEqual(['TASK_STARTING']);
    play.acknowledge('wrong');
    expect(play.states()).toEqual(['TASK_STARTING']);
    play.acknowledge('u1');
    expect(play.states()).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  });

  test('unacknowledged it is sent again after 10, 20, 40 s; not while the master is away', () => {
    const play = playing();
    play.update('TASK_RUNNING', 'u1');
    for (const [ms, sent] of [
      [9_900, 1],
      [10_000, 2],
      [29_900, 2],
      [30_000, 3],
      [69_900, 3],
      [70_000, 4],
    ] as const) {
      play.tickAt(ms);
      expect(play.states()).toHaveLength(sent);
    }
    play.input({ kind: 'LINK_LOST' });
    play.tickAt(900_000);
    expect(play.states()).toHaveLength(4);
    play.input({
      kind: 'MASTER',
      message: { type: 'REGISTERED', agentId: agentId('a'), totalPingTimeoutMs: 75_000 },
    });
    expect(play.states()).toHaveLength(5);
  });

  test('a repeated update is acknowledged to the executor and queued once', () => {
    const play = playing();
    play.update('TASK_RUNNING', 'u1');
    play.update('TASK_RUNNING', 'u1');
    expect(play.toExecutor().filter((type) => type === 'ACKNOWLEDGED')).toHaveLength(2);
    play.acknowledge('u1');
    expect(play.states()).toEqual(['TASK_RUNNING']);
  });

  test('the wait before it is sent again grows to 10 min, and starts anew with the next update', () => {
    const play = playing();
    play.update('TASK_STARTING', 'u1');
    play.update('TASK_RUNNING', 'u2');
    const sentAt = [];
    for (let ms = 0; ms <= 1_830_000; ms += 10_000) {
      const before = play.states().length;
      play.tickAt(ms);
      if (play.states().length > before) sentAt.push(ms / 1_000);
    }
    expect(sentAt).toEqual([10, 30, 70, 150, 310, 630, 1_230, 1_830]);
    play.acknowledge('u1');
    play.tickAt(1_840_000);
    expect(play.states().slice(-2)).toEqual(['TASK_RUNNING', 'TASK_RUNNING']);
  });

  test('a finished task is known until its last update is acknowledged', () => {
    const play = playing();
    const asked = () =>
      play.input({
        kind: 'MASTER',
        message: { type: 'RECONCILE_TASKS', framework: FRAMEWORK, taskIds: [taskId('t')] },
      });
    play.update('TASK_FINISHED', 'u1');
    asked();
    expect(play.states()).toEqual(['TASK_FINISHED']);
    play.acknowledge('u1');
    asked();
    expect(play.states()).toEqual(['TASK_FINISHED', 'TASK_LOST REASON_RECONCILIATION']);
  });
});

describe('executors', () => {
  test('one that does not subscribe in time is destroyed, its task failed', () => {
    const play = new Play();
    play.input({
      kind: 'MASTER',
      message: { type: 'REGISTERED', agentId: agentId('a'), totalPingTimeoutMs: 75_000 },
    });
    play.run('t');
    play.tickAt(60_000);
    expect(play.effects.some((effect) => effect.kind === 'DESTROY')).toBe(true);
    play.input({ kind: 'EXECUTOR_EXITED', key: KEY, status: 9 });
    expect(play.states()).toEqual(['TASK_FAILED REASON_EXECUTOR_REGISTRATION_TIMEOUT']);
  });

  test('SHUTDOWN, and the hard end when the grace period is over', () => {
    const play = playing();
    const ids = { frameworkId: frameworkId('f'), executorId: executorId('e') };
    play.input({ kind: 'MASTER', message: { type: 'SHUTDOWN_EXECUTOR', ...ids } });
    expect(play.toExecutor().at(-1)).toBe('SHUTDOWN');
    play.tickAt(4_900);
    expect(play.effects.some((effect) => effect.kind === 'DESTROY')).toBe(false);
    play.tickAt(5_000);
    expect(play.effects.some((effect) => effect.kind === 'DESTROY')).toBe(true);
  });

  test('a launched task that a returning executor does not know was never started', () => {
    const play = playing();
    play.subscribe();
    expect(play.states()).toEqual(['TASK_LOST REASON_AGENT_RESTARTED']);
  });

  test('a task killed before its delivery never reaches the executor', () => {
    const play = new Play();
    play.input({
      kind: 'MASTER',
      message: { type: 'REGISTERED', agentId: agentId('a'), totalPingTimeoutMs: 75_000 },
    });
    play.run('t');
    play.input({ kind: 'MASTER', message: { type: 'KILL_TASK', framework: FRAMEWORK, taskId: taskId('t') } });
    play.subscribe();
    expect(play.states()).toEqual(['TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH']);
    expect(play.toExecutor()).toEqual(['SHUTDOWN']);
  });

  test('one that stays away after an agent restart is destroyed and its task lost', () => {
    const play = playing();
    play.input({ kind: 'RESTARTED' });
    play.tickAt(2_000);
    play.input({
      kind: 'MASTER',
      message: { type: 'REGISTERED', agentId: agentId('a'), totalPingTimeoutMs: 75_000 },
    });
    play.input({ kind: 'EXECUTOR_EXITED', key: KEY, status: -1 });
    expect(play.states()).toEqual(['TASK_LOST REASON_EXECUTOR_REREGISTRATION_TIMEOUT']);
  });

  test('nothing of a framework that is shut down here is passed on', () => {
    const play = playing();
    play.input({ kind: 'MASTER', message: { type: 'SHUTDOWN_FRAMEWORK', frameworkId: frameworkId('f') } });
    play.update('TASK_KILLED', 'u1');
    expect(play.states()).toEqual([]);
    expect(play.toExecutor().at(-1)).toBe('SHUTDOWN');
  });
});
