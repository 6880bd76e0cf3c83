import { decodeNodeReport, encodeJson, encodeLaunchSpec } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { launchSpec } from '../testing/launch-specs.ts';
import type { Effect } from './effects.ts';
import type { MachineEvent } from './events.ts';
import { initialState, transition } from './machine.ts';
import type { State } from './state.ts';

const TASK = 'elasticsearch-1.1';
const EMPTY = { marker: undefined, entries: [] };
const ID = '00000000-0000-4000-8000-000000000001';
const paths = { config: '/tmp/config', data: '/data' };
const START: readonly MachineEvent[] = [
  {
    ...{ kind: 'launch', taskId: TASK, environmentNodeId: '1' },
    data: encodeLaunchSpec(
      launchSpec({ volumeMounter: { kind: 'dvdi-isolator', paths, dvdcli: '/usr/bin/dvdcli' } }),
    ),
  },
  ...([
    { kind: 'prepared' },
    { kind: 'lease-taken' },
    { kind: 'former-detached' },
    { kind: 'ensured' },
  ] as const),
  ...(['config', 'data'] as const).map((role) => ({ kind: 'attached', role }) as const),
  { kind: 'process-started', tied: true, mountpoints: paths },
  {
    kind: 'volumes-inspected',
    findings: { config: EMPTY, data: EMPTY },
    freshIdentities: { config: ID, data: ID },
  },
  ...([
    { kind: 'claimed' },
    { kind: 'configured', elasticsearchVersion: '8.19.5' },
    { kind: 'gone-ahead' },
  ] as const),
];

function run(...events: readonly MachineEvent[]): { state: State; effects: readonly Effect[] } {
  let state: State = initialState({ shutdownStopMs: 20_000 });
  const effects: Effect[] = [];
  for (const event of events) {
    const next = transition(state, event);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
}
const END: readonly MachineEvent[] = [
  { kind: 'process-gone', how: 'exited' },
  { kind: 'detached', role: 'data' },
  { kind: 'detached', role: 'config' },
];

describe('an executor whose volumes an isolator mounts', () => {
  it('says in its last word that the unmount is not its own, and keeps the lease from being given back', () => {
    const { state, effects } = run(...START, { kind: 'kill', taskId: TASK, graceMs: undefined }, ...END);
    expect(state.phase).toBe('ended');
    expect(effects.map(({ kind }) => kind)).not.toContain('give-back');
    const statuses = effects.flatMap((effect) => (effect.kind === 'send-status' ? [effect.status] : []));
    const last = statuses.at(-1);
    expect(last).toMatchObject({
      state: 'TASK_KILLED',
      message: 'killed on request; unmounting its volumes is left to the dvdi-isolator',
    });
    expect(decodeNodeReport(encodeJson(last!.report!))?.mountedBy).toBe('dvdi-isolator');
  });

  it.each([START.length, START.length - 1])(
    'ends Elasticsearch at once when a mount is not what it was (after %i events)',
    (until) => {
      const message = '/data is not mounted any more';
      const rest = START.slice(until);
      const { effects } = run(...START.slice(0, until), { kind: 'mount-changed', message }, ...rest, ...END);
      expect(effects.some(({ kind }) => kind === 'kill-process')).toBe(true);
      expect(effects).toContainEqual(
        expect.objectContaining({
          kind: 'send-status',
          status: expect.objectContaining({
            state: 'TASK_FAILED',
            message: expect.stringContaining(message),
          }),
        }),
      );
    },
  );
});
