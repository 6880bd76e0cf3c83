import { describe, expect, test } from 'vitest';
import { agentId, executorId, streamId, taskId } from '@mesos-elasticsearch/mesos-v1';
import type {
  Offer,
  SchedulerCall,
  SchedulerEvent,
  StatusUuid,
  TaskState,
} from '@mesos-elasticsearch/mesos-v1';
import type { ToAgent, ToMaster } from '../link-protocol.ts';
import { parseResources } from '../resource-grammar.ts';
import { initialMasterState } from './state.ts';
import type { LinkId, MasterEffect, Registry } from './state.ts';
import { step } from './step.ts';
import type { MasterInput } from './step.ts';

const LINK = 'link-1' as LinkId;
const UUID = 'AAAAAAAAQACAAAAAAAAAAA==' as StatusUuid;

/** A master, time, and what it said. */
class Play {
  now = 1_000_000;
  /** The agent answers pings. */
  alive = true;
  effects: MasterEffect[] = [];
  #state;

  constructor(registry: Registry = { agents: [], unreachable: [] }) {
    const masterInfo = { id: 'm', ip: 0, port: 5050 };
    const config = {
      masterInfo,
      heartbeatMs: 15_000,
      allocationIntervalMs: 1_000,
      agentPingTimeoutMs: 1_000,
      maxAgentPingTimeouts: 3,
      agentReregisterTimeoutMs: 600_000,
    };
    this.#state = initialMasterState(config, registry, this.now);
  }

  input(input: MasterInput): void {
    const result = step(this.#state, input, this.now);
    this.#state = result.state;
    this.effects.push(...result.effects);
  }
  subscribe(stream = 's1', more: object = {}): void {
    const info = { user: 'u', name: 'n', failoverTimeout: 60, checkpoint: true, ...more };
    this.input({
      kind: 'SUBSCRIBE',
      subscription: { streamId: streamId(stream), info, suppressedRoles: [] },
    });
  }
  call(call: SchedulerCall): void {
    this.input({ kind: 'CALL', call: { ...call, frameworkId: 'm-0000' as never } });
  }
  say(message: ToMaster, link = LINK): void {
    this.input({ kind: 'AGENT', link, message });
  }
  register(more: object = {}, link = LINK): void {
    const agent = {
      hostname: 'h',
      ip: '127.0.0.1',
      port: 1,
      resources: parseResources('cpus:2;mem:1024'),
      attributes: [],
    };
    this.say(
      { type: 'REGISTER', agent: { ...agent, tasks: [], executors: [], frameworks: [], ...more } },
      link,
    );
  }
  pass(ms: number, step = 100): void {
    for (let waited = 0; waited < ms; waited += step) {
      this.now += step;
      this.input({ kind: 'TICK' });
      if (this.alive) this.say({ type: 'PONG' });
    }
  }
  heard(stream = 's1'): SchedulerEvent[] {
    return this.effects.flatMap((one) => (one.kind === 'SEND' && one.streamId === stream ? [one.event] : []));
  }
  told(): ToAgent[] {
    return this.effects.flatMap((one) => (one.kind === 'TELL_AGENT' ? [one.message] : []));
  }
  offers(stream = 's1'): Offer[] {
    return this.heard(stream).flatMap((event) =>
      event.type === 'OFFERS' ? (event.offers.offers ?? []) : [],
    );
  }
  updates(): { task: string; state: string; reason: string | undefined }[] {
    return this.heard().flatMap((event) => {
      if (event.type !== 'UPDATE') return [];
      const { taskId: task, state, reason } = event.update.status;
      return [{ task, state, reason }];
    });
  }
  launch(offer: Offer, name = 't', cpus = 0.5): void {
    const task = {
      name,
      taskId: taskId(name),
      agentId: offer.agentId,
      resources: parseResources(`cpus:${cpus}`),
    };
    const taskInfos = [{ ...task, command: { value: 'true' } }];
    const operations = [{ type: 'LAUNCH' as const, launch: { taskInfos } }];
    this.call({ type: 'ACCEPT', accept: { offerIds: [offer.id], operations } });
  }
  status(state: TaskState, name = 't'): void {
    const status = { taskId: taskId(name), state, agentId: agentId('m-S0'), uuid: UUID };
    this.say({ type: 'STATUS_UPDATE', frameworkId: 'm-0000' as never, status, latestState: state });
  }
}

function playWithTask(more: object = {}): Play {
  const play = new Play();
  play.register();
  play.subscribe('s1', more);
  play.launch(play.offers()[0]!);
  play.status('TASK_RUNNING');
  return play;
}
const PARTITION_AWARE = { capabilities: [{ type: 'PARTITION_AWARE' }] };

describe('offers', () => {
  test('a refusal holds for its time, and for no more than was refused', () => {
    const play = new Play();
    play.register();
    play.subscribe();
    const decline = (refuseSeconds: number) => {
      play.call({
        type: 'DECLINE',
        decline: { offerIds: [play.offers().at(-1)!.id], filters: { refuseSeconds } },
      });
    };
    decline(10);
    play.pass(9_900);
    expect(play.offers()).toHaveLength(1);
    play.pass(1_100);
    expect(play.offers()).toHaveLength(2);
    decline(0);
    play.pass(1_000);
    expect(play.offers()).toHaveLength(3);
  });

  test('what a task leaves over is offered after the filter, and all of it when the task is over', () => {
    const play = playWithTask();
    play.pass(6_000);
    expect(play.offers().at(-1)?.resources?.[0]?.scalar?.value).toBe(1.5);
    play.call({
      type: 'DECLINE',
      decline: { offerIds: [play.offers().at(-1)!.id], filters: { refuseSeconds: 3600 } },
    });
    play.status('TASK_FINISHED');
    play.pass(1_000);
    expect(play.offers().at(-1)?.resources?.[0]?.scalar?.value).toBe(2);
  });

  test('suppressed, nothing is offered until revive, which forgets the refusals', () => {
    const play = new Play();
    play.subscribe();
    play.call({ type: 'SUPPRESS' });
    play.register();
    play.pass(2_000);
    expect(play.offers()).toEqual([]);
    play.call({ type: 'REVIVE' });
    expect(play.offers()).toHaveLength(1);
  });

  test('the framework that has less is offered first', () => {
    const play = playWithTask();
    play.subscribe('s2');
    play.pass(1_000);
    expect(play.offers('s2')).toHaveLength(1);
  });

  test('one bad offer spoils the whole ACCEPT, and the others are given back', () => {
    const play = new Play();
    play.register();
    play.subscribe();
    const offer = play.offers()[0]!;
    play.call({ type: 'ACCEPT', accept: { offerIds: [offer.id, 'm-O9' as never] } });
    play.pass(1_000);
    expect(play.offers()).toHaveLength(2);
    play.launch(offer);
    expect(play.updates()).toEqual([{ task: 't', state: 'TASK_LOST', reason: 'REASON_INVALID_OFFERS' }]);
    expect(play.told().some((message) => message.type === 'RUN_TASK')).toBe(false);
  });
});

describe('reconciliation', () => {
  const ask = (play: Play, name: string, agent?: string) => {
    const about = { taskId: taskId(name), ...(agent === undefined ? {} : { agentId: agentId(agent) }) };
    const before = play.updates().length;
    play.call({ type: 'RECONCILE', reconcile: { tasks: [about] } });
    return play
      .updates()
      .slice(before)
      .map((update) => update.state);
  };
  const lost = () => {
    const play = playWithTask(PARTITION_AWARE);
    play.alive = false;
    play.pass(4_100);
    return play;
  };

  test.each([
    ['a known task', () => ask(playWithTask(), 't'), ['TASK_RUNNING']],
    ['a task its agent does not know', () => ask(playWithTask(PARTITION_AWARE), 'x', 'm-S0'), ['TASK_GONE']],
    ['a task of an unreachable agent', () => ask(lost(), 't', 'm-S0'), ['TASK_UNREACHABLE']],
    ['the same without its agent', () => ask(lost(), 't'), ['TASK_UNKNOWN']],
    ['a task of nowhere', () => ask(playWithTask(PARTITION_AWARE), 'x', 'm-S9'), ['TASK_UNKNOWN']],
    ['any of these, not PARTITION_AWARE', () => ask(playWithTask(), 'x', 'm-S9'), ['TASK_LOST']],
  ])('%s', (_what, answer, expected) => {
    expect(answer()).toEqual(expected);
  });

  test('of a task of an unreachable agent it says since when', () => {
    const play = lost();
    ask(play, 't', 'm-S0');
    const last = play.heard().findLast((event) => event.type === 'UPDATE');
    expect(last?.type === 'UPDATE' && last.update.status.unreachableTime).toHaveProperty('nanoseconds');
  });

  test('a task that is over counts as running until the scheduler was told, but uses nothing', () => {
    const play = playWithTask();
    const about = { frameworkId: 'm-0000' as never, taskId: taskId('t') };
    play.say({ type: 'LATEST_STATE', ...about, latestState: 'TASK_FINISHED' });
    play.status('TASK_RUNNING');
    expect(ask(play, 't')).toEqual(['TASK_RUNNING']);
    play.pass(6_000);
    expect(play.offers().at(-1)?.resources?.[0]?.scalar?.value).toBe(2);
  });

  test('all tasks: all of the framework that asks, none of another', () => {
    const play = playWithTask();
    play.subscribe('s2');
    const heard = play.updates().length;
    const all: SchedulerCall = { type: 'RECONCILE', reconcile: { tasks: [] } };
    play.input({ kind: 'CALL', call: { ...all, frameworkId: 'm-0001' as never } });
    expect(play.updates()).toHaveLength(heard);
    play.call(all);
    expect(play.updates()).toHaveLength(heard + 1);
  });

  test('an agent that a restarted master still waits for: silence', () => {
    const play = new Play({ agents: [{ id: agentId('old-S0'), hostname: 'h' }], unreachable: [] });
    play.subscribe('s1', PARTITION_AWARE);
    expect([...ask(play, 't', 'old-S0'), ...ask(play, 't')]).toEqual([]);
    expect(ask(play, 't', 'other-S0')).toEqual(['TASK_UNKNOWN']);
  });
});

describe('agents', () => {
  test('three unanswered pings: unreachable; answered ones keep it', () => {
    const play = playWithTask(PARTITION_AWARE);
    play.pass(5_000);
    expect(play.updates()).toHaveLength(1);
    play.alive = false;
    play.pass(4_000);
    expect(play.updates().at(-1)).toEqual({
      task: 't',
      state: 'TASK_UNREACHABLE',
      reason: 'REASON_AGENT_REMOVED',
    });
    expect(play.heard().filter((event) => event.type === 'FAILURE')).toHaveLength(1);
  });

  test('a master that was frozen itself does not blame its agents', () => {
    const play = playWithTask(PARTITION_AWARE);
    play.now += 60_000;
    play.input({ kind: 'TICK' });
    expect(play.updates()).toHaveLength(1);
  });

  test('a task that the returning agent does not list is asked about', () => {
    const play = playWithTask();
    play.input({ kind: 'LINK_CLOSED', link: LINK });
    play.register({ agentId: 'm-S0' }, 'link-2' as LinkId);
    expect(play.told().find((message) => message.type === 'RECONCILE_TASKS')).toMatchObject({
      taskIds: ['t'],
    });
  });

  test('a kill that found its agent away is repeated when it is back', () => {
    const play = playWithTask();
    play.input({ kind: 'LINK_CLOSED', link: LINK });
    play.call({ type: 'KILL', kill: { taskId: taskId('t') } });
    expect(play.told().some((message) => message.type === 'KILL_TASK')).toBe(false);
    play.register({ agentId: 'm-S0' }, 'link-2' as LinkId);
    expect(play.told().some((message) => message.type === 'KILL_TASK')).toBe(true);
  });
});

describe('frameworks', () => {
  test('failover_timeout counts from the disconnection and ends with everything shut down', () => {
    const play = playWithTask();
    play.input({ kind: 'STREAM_CLOSED', streamId: streamId('s1') });
    play.pass(59_000, 1_000);
    expect(play.told().some((message) => message.type === 'SHUTDOWN_FRAMEWORK')).toBe(false);
    play.pass(2_000, 1_000);
    play.subscribe('s2', { id: 'm-0000' });
    expect(play.heard('s2')).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
  });

  test('a message reaches only the agent it is for', () => {
    const play = playWithTask();
    const message = { agentId: agentId('m-S7'), executorId: executorId('e'), data: new Uint8Array([1]) };
    play.call({ type: 'MESSAGE', message });
    expect(play.told().some((each) => each.type === 'FRAMEWORK_MESSAGE')).toBe(false);
  });
});
