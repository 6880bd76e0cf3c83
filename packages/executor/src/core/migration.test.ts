import {
  COPY_MARKER_FILE,
  encodeLaunchSpec,
  MARKER_FILE,
  type LaunchSpecInput,
} from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { CLUSTER_IDENTITY, MIGRATION, migrationSpec } from '../testing/launch-specs.ts';
import { kill, letGo, Story, TASK } from '../testing/machine-story.ts';
import type { StatusToSend } from './effects.ts';
import type { MachineEvent } from './events.ts';

const ID = (digit: string) => `00000000-0000-4000-8000-00000000000${digit}`;
const launch = (parts: Partial<LaunchSpecInput> = {}): MachineEvent => ({
  kind: 'launch',
  taskId: TASK,
  data: encodeLaunchSpec(migrationSpec({ epoch: 4, taskId: TASK, ...parts })),
  environmentNodeId: '1',
});

const marker = (role: 'config' | 'data') => ({
  marker: JSON.stringify({
    ...{ format: 1, clusterIdentity: CLUSTER_IDENTITY, frameworkName: 'elasticsearch' },
    ...{ clusterName: 'mesos-es', nodeId: 1, role, epoch: 3, volumeIdentity: ID('1') },
  }),
  entries: [MARKER_FILE],
});
const EMPTY = { marker: undefined, entries: [] };
const VOLUMES = (['config', 'data'] as const).map((role) => ({
  ...{ role, bytesTotal: 10, bytesCopied: 10, bytesVerified: 0, files: 1, notKept: [] },
}));
const inspected = (fileSystem?: string): MachineEvent => ({
  kind: 'migration-inspected',
  findings: { config: marker('config'), data: marker('data'), 'new-config': EMPTY, 'new-data': EMPTY },
  fileSystems: { config: fileSystem, data: fileSystem },
  freshIdentities: { config: ID('a'), data: ID('b') },
});
const attached = (role: Extract<MachineEvent, { kind: 'attached' }>['role']): MachineEvent => ({
  kind: 'attached',
  role,
});
const detached = (role: Extract<MachineEvent, { kind: 'detached' }>['role']): MachineEvent => ({
  kind: 'detached',
  role,
});
const copyEnds: MachineEvent = {
  kind: 'process-gone',
  how: 'exited 0',
  copy: { kind: 'done', volumes: VOLUMES },
};

/** The answers of a migration in which all goes well, in order, up to the last of its own steps. */
const GOOD: readonly MachineEvent[] = [
  { kind: 'prepared' },
  { kind: 'lease-taken' },
  { kind: 'former-detached' },
  { kind: 'ensured' },
  attached('config'),
  attached('data'),
  { kind: 'ensured' },
  attached('new-config'),
  attached('new-data'),
  inspected(),
  { kind: 'copy-marked' },
  { kind: 'copy-started' },
  copyEnds,
  detached('new-data'),
  detached('new-config'),
  attached('new-config'),
  attached('new-data'),
  { kind: 'copy-started' },
  copyEnds,
  { kind: 'copy-finished' },
];

class MigrationStory extends Story {
  override get done(): readonly string[] {
    return this.effects.flatMap((effect) => {
      if (effect.kind === 'log' || effect.kind === 'start-timer') return [];
      if ('role' in effect) return [`${effect.kind} ${effect.role}`];
      if (effect.kind === 'start-copy') return [`start-${effect.work}`];
      if (effect.kind !== 'send-status') return [effect.kind];
      return [effect.status.migration?.stage ?? effect.status.state];
    });
  }
  get last(): StatusToSend | undefined {
    return this.effects.flatMap((effect) => (effect.kind === 'send-status' ? [effect.status] : [])).at(-1);
  }
  letGo(): this {
    letGo(this);
    return this;
  }
}

/** Slots that were attached, or may be, and not detached after that. */
function left(story: MigrationStory): readonly string[] {
  const held = new Set<string>();
  for (const text of story.done) {
    const [what, slot = ''] = text.split(' ');
    if (what === 'attach') held.add(slot);
    if (what === 'detach') held.delete(slot);
  }
  return [...held];
}

describe('a migration in which all goes well', () => {
  it('copies, mounts anew, verifies, lets go of everything, and only then says that it has finished', () => {
    const story = new MigrationStory();
    story.feed(launch(), ...GOOD);
    expect(story.letGo().done).toEqual([
      ...[
        'TASK_STARTING',
        'prepare',
        'take-lease',
        'detach-former',
        'attaching',
        'ensure',
        'attach config',
        'attach data',
      ],
      ...['ensure-new', 'attach new-config', 'attach new-data', 'inspect-migration', 'mark-copy'],
      ...['copying', 'start-copy', 'flushing', 'detach new-data', 'detach new-config'],
      ...['attach new-config', 'attach new-data', 'verifying', 'start-verify', 'finish-copy'],
      ...[
        'detach new-data',
        'detach new-config',
        'detach data',
        'detach config',
        'give-back',
        'verified',
        'finish',
      ],
    ]);
    expect(story.last).toMatchObject({
      state: 'TASK_FINISHED',
      migration: { kind: 'migration', nodeId: 1, epoch: 4, stage: 'verified', volumes: VOLUMES },
    });
  });

  it('undoes what earlier holders left attached before anything of its own', () => {
    const story = new MigrationStory();
    story.feed(
      launch({ formerConsumers: ['elasticsearch-1.0'] }),
      { kind: 'prepared' },
      { kind: 'lease-taken' },
    );
    expect(story.done.at(-1)).toBe('detach-former');
    story.feed({ kind: 'former-detached' });
    expect(story.done.at(-1)).toBe('ensure');
  });

  it('tells how far it is', () => {
    const story = new MigrationStory();
    story.feed(launch(), ...GOOD.slice(0, 12));
    story.feed({ kind: 'copy-progress', volumes: [{ ...VOLUMES[0]!, bytesCopied: 5 }] });
    expect(story.last).toMatchObject({
      state: 'TASK_RUNNING',
      migration: { stage: 'copying', volumes: [{ bytesCopied: 5 }] },
    });
  });

  it('opens a view of a volume that writes back before it writes, and closes it at the end', () => {
    const story = new MigrationStory();
    story.feed(launch(), ...GOOD.slice(0, 9), inspected('fuse.rclone'));
    expect(story.done.at(-1)).toBe('attach view-config');
    story.feed(attached('view-config'), attached('view-data'), ...GOOD.slice(10));
    expect(story.letGo().done).toContain('detach view-data');
    expect(story.last?.state).toBe('TASK_FINISHED');
    expect(left(story)).toEqual([]);
  });
});

describe('disturbances at every point of a migration', () => {
  const disturbances: readonly [string, MachineEvent, string][] = [
    ['KILL', kill, 'TASK_KILLED'],
    ['SHUTDOWN', { kind: 'shutdown' }, 'TASK_KILLED'],
    ['a lease that was closed', { kind: 'lease-closed' }, 'TASK_FAILED'],
    ['a lease that expired', { kind: 'lease-expired', message: 'no answer' }, 'TASK_FAILED'],
    ['an agent that is gone', { kind: 'agent-gone' }, 'TASK_FAILED'],
  ];
  const points = GOOD.map((_, index) => index);

  it.each(disturbances.flatMap(([name, event, ending]) => points.map((at) => ({ name, event, ending, at }))))(
    '$name before answer $at: all is undone in order, nothing new is begun, and the lease goes last',
    ({ event, ending, at }) => {
      const story = new MigrationStory();
      story.feed(launch(), ...GOOD.slice(0, at));
      const before = story.done.length;
      story.feed(event);
      const answer = GOOD[at]!;
      // A copier is killed at once; every other step is awaited.
      if (answer.kind !== 'process-gone') story.feed(answer);
      story.letGo();
      expect(story.state.phase).toBe('ended');
      const finished = answer.kind === 'copy-finished';
      expect(story.last?.state).toBe(finished ? 'TASK_FINISHED' : ending);
      expect(left(story)).toEqual([]);
      const after = story.done.slice(before);
      expect(after.filter((text) => /^(attach|start-|mark|finish-|ensure|inspect)/.test(text))).toEqual([]);
      if (at > 0) expect(after).toContain('give-back');
    },
  );

  it('kills the copier without waiting, and detaches only when it is gone', () => {
    const story = new MigrationStory();
    story.feed(launch(), ...GOOD.slice(0, 12));
    const effects = story.feed(kill);
    expect(effects.filter(({ kind }) => kind !== 'log')).toEqual([{ kind: 'kill-process' }]);
    story.feed({ kind: 'process-gone', how: 'killed order' });
    expect(story.done.at(-1)).toBe('detach new-data');
    expect(story.letGo().last).toMatchObject({
      state: 'TASK_KILLED',
      message: 'killed on request; the copy goes on where it was',
    });
  });

  it.each([10, 19])('ends a step that waits for the storage (answer %i)', (at) => {
    const story = new MigrationStory();
    story.feed(launch(), ...GOOD.slice(0, at));
    expect(story.feed(kill)).toEqual([{ kind: 'kill-process' }]);
    expect(story.state.phase).toBe('migrating');
  });

  it('goes on under the policy that waits when the lease cannot be renewed', () => {
    const story = new MigrationStory();
    const { lease } = migrationSpec();
    story.feed(launch({ lease: { ...lease, policy: 'wait' } }), ...GOOD.slice(0, 12));
    expect(story.feed({ kind: 'lease-expired', message: 'x' })).toEqual([]);
  });

  it('ignores a KILL for another task', () => {
    const story = new MigrationStory();
    story.feed(launch(), ...GOOD.slice(0, 12));
    expect(story.feed({ kind: 'kill', taskId: 'other', graceMs: 0 })).toEqual([]);
  });
});

describe('steps that fail', () => {
  type Failed = Extract<MachineEvent, { kind: 'step-failed' }>;
  const failed = (parts: Omit<Failed, 'kind' | 'message'>): MachineEvent => ({
    kind: 'step-failed',
    message: 'it says no',
    ...parts,
  });
  const steps: readonly [number, Failed['step'], Failed['role']][] = [
    [3, 'ensure', 'config'],
    [4, 'attach', 'config'],
    [5, 'attach', 'data'],
    [6, 'ensure-new', 'new-config'],
    [7, 'attach', 'new-config'],
    [8, 'attach', 'new-data'],
    [9, 'inspect-migration', undefined],
    [10, 'mark-copy', undefined],
    [11, 'start-copy', undefined],
    [15, 'attach', 'new-config'],
    [16, 'attach', 'new-data'],
    [17, 'start-copy', undefined],
    [19, 'finish-copy', undefined],
  ];

  it.each(steps)(
    'answer %i, %s %s, certainly not done: all is undone, and the reason said',
    (at, step, role) => {
      const story = new MigrationStory();
      story.feed(
        launch(),
        ...GOOD.slice(0, at),
        failed({ step, outcome: 'not-done', ...(role && { role }) }),
      );
      expect(story.letGo().last).toMatchObject({ state: 'TASK_FAILED', message: 'it says no' });
      expect(left(story).filter((slot) => slot !== role)).toEqual([]);
    },
  );

  it.each(steps.filter(([, step]) => step === 'attach'))(
    'answer %i, %s %s, unknown: tried again, and then detached as well',
    (at, step, role) => {
      const story = new MigrationStory();
      const unknown = failed({ step, outcome: 'unknown', ...(role && { role }) });
      const retry = { kind: 'timer', name: 'retry' } as const;
      story.feed(launch(), ...GOOD.slice(0, at), unknown, retry, unknown, retry, unknown);
      expect(story.letGo().last?.state).toBe('TASK_FAILED');
      expect(left(story)).toEqual([]);
      const tries = story.done
        .slice(story.done.indexOf('take-lease'))
        .filter((text) => text === `attach ${String(role)}`);
      expect(tries.length).toBe(at >= 14 ? 4 : 3);
    },
  );

  it('does not mount anew what is not known to be unmounted, however long that takes', () => {
    const story = new MigrationStory();
    story.feed(launch(), ...GOOD.slice(0, 13));
    for (let round = 0; round < 12; round += 1) {
      story.feed(failed({ step: 'detach', outcome: 'unknown', role: 'new-data' }), {
        kind: 'timer',
        name: 'retry',
      });
    }
    expect(story.done.filter((text) => text === 'detach new-data')).toHaveLength(13);
    expect(story.done.filter((text) => text === 'attach new-data')).toHaveLength(1);
    story.feed(...GOOD.slice(13));
    expect(story.letGo().last?.state).toBe('TASK_FINISHED');
  });

  it.each([
    ['a copy that fails', 12, { kind: 'failed', why: 'volume new is full' } as const, 'volume new is full'],
    [
      'a verification that refuses',
      18,
      { kind: 'failed', why: 'differs at byte 5' } as const,
      'differs at byte 5',
    ],
    ['a copier that the guard has ended', 12, undefined, 'the copy was ended: killed deadline'],
    ['a verifier that the guard has ended', 18, undefined, 'the verification was ended: killed deadline'],
  ])('%s: nothing is marked as whole', (_, at, copy, message) => {
    const story = new MigrationStory();
    const ended: MachineEvent = { kind: 'process-gone', how: 'killed deadline', ...(copy && { copy }) };
    story.feed(launch(), ...GOOD.slice(0, at), ended);
    expect(story.letGo().done).not.toContain('finish-copy');
    expect(story.last).toMatchObject({ state: 'TASK_FAILED', message });
    expect(left(story)).toEqual([]);
  });

  it('writes to none of the four when one is refused', () => {
    const story = new MigrationStory();
    const refused = { marker: undefined, copyMarker: '{}', entries: [COPY_MARKER_FILE] };
    const event = inspected() as Extract<MachineEvent, { kind: 'migration-inspected' }>;
    story.feed(launch(), ...GOOD.slice(0, 9), {
      ...event,
      findings: { ...event.findings, 'new-data': refused },
    });
    expect(story.letGo().done).not.toContain('mark-copy');
    expect(story.last?.message).toContain('volume elasticsearch1data of driver other (new-data)');
    expect(left(story)).toEqual([]);
  });

  it.each([
    ['no target', { purpose: 'migrate', migration: undefined }, 'does not say where to'],
    ['the Engine', { volumePath: { kind: 'engine' } }, '--volumePath plugin-socket'],
    ['the same volumes', { migration: { ...MIGRATION, to: migrationSpec().volumes } }, 'to itself'],
  ] as const)('is not begun with %s', (_, parts, text) => {
    const { migration, ...spec } = { ...migrationSpec({ taskId: TASK }), ...parts } as LaunchSpecInput;
    const data = encodeLaunchSpec({ ...spec, ...(migration && { migration }) });
    const story = new MigrationStory();
    story.feed({ kind: 'launch', taskId: TASK, data, environmentNodeId: '1' });
    expect(story.done).toEqual(['TASK_FAILED', 'finish']);
    expect(story.last?.message).toContain(text);
  });
});
