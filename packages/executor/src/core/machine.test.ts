import { describe, expect, it } from 'vitest';
import { encodeJson } from '@mesos-elasticsearch/contract';
import { launchSpec } from '../testing/launch-specs.ts';
import { EMPTY, GOOD_START, kill, launch, letGo, Story, TASK } from '../testing/machine-story.ts';
import type { MachineEvent } from './events.ts';

describe('a start in which all goes well', () => {
  it('goes from lease to Elasticsearch one step at a time, and says RUNNING when the node has joined', () => {
    const story = new Story();
    story.feed(
      launch(),
      ...GOOD_START,
      { kind: 'node-answers', waitsFor: 'a master' },
      { kind: 'node-joined' },
    );
    expect(story.done).toEqual([
      ...[
        'TASK_STARTING',
        'prepare',
        'take-lease',
        'detach-former',
        'ensure',
        'attach config',
        'attach data',
        'start-process',
      ],
      ...['inspect', 'claim', 'configure', 'go', 'TASK_STARTING', 'TASK_RUNNING'],
    ]);
    expect(story.statuses.at(-1)).toMatchObject({
      healthy: true,
      report: { nodeId: 1, epoch: 1, tied: true, elasticsearchVersion: '8.19.5', http: '127.0.0.1:9200' },
    });
  });

  it('tells health changes only after it joined', () => {
    const story = new Story();
    story.feed(launch(), ...GOOD_START, { kind: 'health-changed', healthy: false, message: 'x' });
    expect(story.statuses.at(-1)?.state).toBe('TASK_STARTING');
    story.feed({ kind: 'node-joined' }, { kind: 'health-changed', healthy: false, message: 'no master' });
    expect(story.statuses.at(-1)).toMatchObject({
      state: 'TASK_RUNNING',
      healthy: false,
      message: 'no master',
    });
  });

  it('keeps seed hosts that come too early until there is a configuration', () => {
    const story = new Story();
    const message = {
      kind: 'message',
      data: encodeJson({ version: 1, kind: 'seed-hosts', hosts: ['a:1'] }),
    } as const;
    story.feed(launch(), message);
    expect(story.done).not.toContain('write-seed-hosts');
    const effects = story.feed(...GOOD_START);
    expect(effects.at(-1)).toEqual({ kind: 'write-seed-hosts', hosts: ['a:1'] });
  });
});

describe('what earlier holders left attached on this agent', () => {
  const FORMER = { formerConsumers: ['elasticsearch-1.0'] };

  it('is detached with the lease in hand and before anything of ours is attached', () => {
    const story = new Story();
    story.feed(launch(launchSpec(FORMER)), { kind: 'prepared' }, { kind: 'lease-taken' });
    expect(story.done.at(-1)).toBe('detach-former');
    story.feed({ kind: 'former-detached' });
    expect(story.done.at(-1)).toBe('ensure');
  });

  it('is all that a release does, and then it has finished', () => {
    const story = new Story();
    story.feed(launch(launchSpec({ ...FORMER, purpose: 'release' })), { kind: 'prepared' });
    story.feed({ kind: 'lease-taken' }, { kind: 'former-detached' });
    letGo(story);
    expect(story.done).toEqual([
      ...['TASK_STARTING', 'prepare', 'take-lease', 'detach-former', 'give-back', 'TASK_FINISHED', 'finish'],
    ]);
  });

  it.each(['run', 'release'] as const)(
    'is tried again until it is certain: a %s that ends says nothing before',
    (purpose) => {
      const story = new Story();
      story.feed(launch(launchSpec({ ...FORMER, purpose })), { kind: 'prepared' }, { kind: 'lease-taken' });
      const failed = {
        kind: 'step-failed',
        step: 'detach-former',
        outcome: 'unknown',
        message: 'no answer',
      } as const;
      story.feed(failed, failed, { kind: 'timer', name: 'retry' });
      expect(story.statuses.map(({ state }) => state)).toEqual(['TASK_STARTING']);
      story.feed({ kind: 'former-detached' }, { kind: 'lease-given-back' });
      expect(story.statuses.at(-1)?.state).toBe('TASK_FAILED');
    },
  );

  it('is not waited for without end: the executor ends, says nothing of its own and keeps the lease', () => {
    const story = new Story();
    story.feed(launch(), ...GOOD_START, { kind: 'node-joined' }, kill, {
      kind: 'process-gone',
      how: 'killed',
    });
    const what = { step: 'detach', role: 'data', outcome: 'unknown', message: 'no answer' } as const;
    const failed: MachineEvent = { kind: 'step-failed', ...what };
    for (let tries = 1; tries < 16; tries += 1) story.feed(failed, { kind: 'timer', name: 'retry' });
    expect(story.state.phase).toBe('stopping');
    expect(story.feed(failed).at(-1)).toEqual({ kind: 'finish', exitCode: 75 });
    expect(story.statuses.map(({ state }) => state)).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
    expect(story.done).not.toContain('give-back');
  });

  it('is left alone without the lease', () => {
    const story = new Story();
    story.feed(launch(launchSpec(FORMER)), { kind: 'prepared' }, { kind: 'lease-refused', why: 'closed' });
    expect(story.done).not.toContain('detach-former');
    expect(story.statuses.at(-1)?.state).toBe('TASK_FAILED');
  });
});

describe('a launch that cannot be', () => {
  it.each([
    [
      'another node in the environment',
      launch(launchSpec(), '2'),
      'ELASTICSEARCH_NODE_ID is "2" but the launch spec is for node 1',
    ],
    [
      'a lease too short to be guarded',
      launch(launchSpec({ lease: { durationMs: 3_000 } })),
      'at least 5000',
    ],
    ['no launch spec', { ...launch(), data: undefined } as MachineEvent, 'has no launch spec'],
    ['garbage', { ...launch(), data: Buffer.from('{') } as MachineEvent, 'is not JSON'],
  ])('fails for %s and does nothing else', (_, event, text) => {
    const story = new Story();
    story.feed(event);
    expect(story.done).toEqual(['TASK_FAILED', 'finish']);
    expect(story.statuses[0]?.message).toContain(text);
  });

  it('refuses a second task and goes on with the first', () => {
    const story = new Story();
    story.feed(launch(), { ...launch(), taskId: 'other' } as MachineEvent);
    expect(story.statuses.at(-1)).toMatchObject({ taskId: 'other', state: 'TASK_FAILED' });
    expect(story.state.phase).toBe('starting');
  });
});

describe('disturbances at every point of the start', () => {
  const disturbances: readonly [string, MachineEvent, string][] = [
    ['KILL', kill, 'TASK_KILLED'],
    ['SHUTDOWN', { kind: 'shutdown' }, 'TASK_KILLED'],
    ['a lease that was closed', { kind: 'lease-closed' }, 'TASK_FAILED'],
    ['a lease that expired', { kind: 'lease-expired', message: 'no answer' }, 'TASK_FAILED'],
    ['an agent that is gone', { kind: 'agent-gone' }, 'TASK_FAILED'],
  ];
  const points = GOOD_START.map((_, index) => index);

  it.each(disturbances.flatMap(([name, event, ending]) => points.map((at) => ({ name, event, ending, at }))))(
    '$name before answer $at: the step under way is awaited, then all is undone in order',
    ({ event, ending, at }) => {
      const story = new Story();
      story.feed(launch(), ...GOOD_START.slice(0, at), event);
      const answer = GOOD_START[at]!;
      expect(story.statuses.at(-1)?.state).toBe('TASK_STARTING');
      story.feed(answer);
      letGo(story);
      expect(story.state.phase).toBe('ended');
      expect(story.done.slice(-2)).toEqual([ending, 'finish']);
      const detached = story.done.filter((text) => text.startsWith('detach '));
      const attached = story.done.filter((text) => text.startsWith('attach '));
      expect(detached).toEqual(attached.map((text) => text.replace('attach', 'detach')).reverse());
      if (story.done.includes('take-lease') && at > 0) expect(story.done).toContain('give-back');
    },
  );

  it('does not fence itself under the policy that waits', () => {
    const story = new Story();
    const spec = launchSpec({ lease: { policy: 'wait' } });
    story.feed(launch(spec), ...GOOD_START, { kind: 'node-joined' }, { kind: 'lease-expired', message: 'x' });
    expect(story.state.phase).toBe('up');
  });

  it('kills hard, without SIGTERM, when the lease expires in the run', () => {
    const story = new Story();
    const effects = story.feed(launch(), ...GOOD_START, {
      kind: 'lease-expired',
      message: 'no answer from the disk',
    });
    expect(effects.at(-1)).toEqual({ kind: 'kill-process' });
    letGo(story);
    expect(story.statuses.at(-1)?.message).toBe(
      'the lease of node 1 in epoch 1 could not be renewed in time: no answer from the disk',
    );
  });
});

describe('steps that fail', () => {
  const failing = (step: string, message: string, extra: object = {}) =>
    ({ kind: 'step-failed', step, outcome: 'not-done', message, ...extra }) as MachineEvent;

  it('never attaches when the lease is refused', () => {
    const story = new Story();
    story.feed(launch(), { kind: 'prepared' }, { kind: 'lease-refused', why: 'the epoch is closed' });
    expect(story.done).toEqual(['TASK_STARTING', 'prepare', 'take-lease', 'TASK_FAILED', 'finish']);
    expect(story.statuses.at(-1)?.message).toContain(
      'lease of node 1 in epoch 1 refused: the epoch is closed',
    );
  });

  it('detaches the first volume when the second cannot be attached, and keeps the driver’s words', () => {
    const story = new Story();
    const says = 'volume elasticsearch1data of driver hostdir: the driver refused: attached to agent-2';
    story.feed(launch(), ...GOOD_START.slice(0, 5), failing('attach', says, { role: 'data' }));
    letGo(story);
    expect(story.done.slice(-4)).toEqual(['detach config', 'give-back', 'TASK_FAILED', 'finish']);
    expect(story.statuses.at(-1)?.message).toBe(says);
  });

  it('retries an attach whose outcome is unknown, and then detaches that volume too', () => {
    const story = new Story();
    const unknown = failing('attach', 'time limit', { role: 'data', outcome: 'unknown' });
    const retry = { kind: 'timer', name: 'retry' } as const;
    story.feed(launch(), ...GOOD_START.slice(0, 5), unknown, retry, unknown, retry, unknown);
    letGo(story);
    expect(story.done.filter((text) => text === 'attach data')).toHaveLength(3);
    expect(story.done.slice(-5)).toEqual([
      'detach data',
      'detach config',
      'give-back',
      'TASK_FAILED',
      'finish',
    ]);
  });

  it('undoes an attach of unknown outcome when it is told to stop meanwhile', () => {
    const story = new Story();
    const unknown = failing('attach', 'time limit', { role: 'config', outcome: 'unknown' });
    story.feed(launch(), ...GOOD_START.slice(0, 4), kill, unknown);
    letGo(story);
    expect(story.done.slice(-4)).toEqual(['detach config', 'give-back', 'TASK_KILLED', 'finish']);
  });

  it('refuses a foreign marker without writing to either volume', () => {
    const story = new Story();
    const data = { marker: '{"format":1}', entries: [] };
    const inspected = { ...GOOD_START[7]!, findings: { config: EMPTY, data } } as MachineEvent;
    story.feed(launch(), ...GOOD_START.slice(0, 7), inspected);
    letGo(story);
    expect(story.done).not.toContain('claim');
    expect(story.statuses.at(-1)?.message).toContain('volume elasticsearch1data of driver hostdir (data)');
  });
});

describe('the end', () => {
  const up = () => {
    const story = new Story();
    story.feed(launch(), ...GOOD_START, { kind: 'node-joined' });
    return story;
  };

  it('stops gracefully within the grace, then hard, and says KILLED only when all is let go', () => {
    const story = up();
    const asked = story.feed({ kind: 'kill', taskId: TASK, graceMs: 7_000 });
    expect(asked.slice(1)).toEqual([
      { kind: 'stop-process' },
      { kind: 'start-timer', name: 'grace-over', ms: 7_000 },
    ]);
    expect(story.feed({ kind: 'timer', name: 'grace-over' })).toEqual([{ kind: 'kill-process' }]);
    expect(story.feed({ kind: 'timer', name: 'grace-over' })).toEqual([]);
    story.feed({ kind: 'process-gone', how: 'killed order' }, { kind: 'detached', role: 'data' });
    expect(story.statuses.at(-1)?.state).toBe('TASK_RUNNING');
    story.feed({ kind: 'detached', role: 'config' }, { kind: 'lease-given-back' });
    expect(story.done.slice(-2)).toEqual(['TASK_KILLED', 'finish']);
  });

  it('never says that it ended while a detach is not certain, and tries again with growing pauses', () => {
    const story = up();
    story.feed(kill, { kind: 'process-gone', how: 'exited 143' });
    const pauses = [1, 2, 3, 4, 5, 6, 7].map(() => {
      const effects = story.feed({
        ...{ kind: 'step-failed', step: 'detach', role: 'data', outcome: 'unknown', message: 'no answer' },
      });
      story.feed({ kind: 'timer', name: 'retry' });
      return effects.flatMap((effect) => (effect.kind === 'start-timer' ? [effect.ms] : []))[0];
    });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(story.statuses.at(-1)?.state).toBe('TASK_RUNNING');
    expect(story.done.at(-1)).toBe('detach data');
    letGo(story);
    expect(story.done.slice(-2)).toEqual(['TASK_KILLED', 'finish']);
  });

  it('reports an Elasticsearch that ended by itself as failed, with how it ended', () => {
    const story = up();
    story.feed({ kind: 'process-gone', how: 'exited 1' });
    letGo(story);
    expect(story.statuses.at(-1)).toMatchObject({
      state: 'TASK_FAILED',
      message: 'Elasticsearch ended by itself: exited 1',
    });
  });

  it('lets SHUTDOWN shorten a stop that is under way', () => {
    const story = up();
    story.feed(kill);
    const effects = story.feed({ kind: 'shutdown' });
    expect(effects).toEqual([{ kind: 'start-timer', name: 'grace-over', ms: 20_000 }]);
  });

  it('kills at once when the lease expires during a graceful stop', () => {
    const story = up();
    story.feed(kill);
    expect(story.feed({ kind: 'lease-expired', message: 'x' })).toEqual([{ kind: 'kill-process' }]);
  });

  it('ignores a KILL for another task', () => {
    const story = up();
    expect(story.feed({ kind: 'kill', taskId: 'other', graceMs: 0 })).toEqual([]);
  });
});
