/** Stories of the executor's machine: events in, what it asks for out. */
import { encodeLaunchSpec, type LaunchSpecInput } from '@mesos-elasticsearch/contract';
import type { Effect, StatusToSend } from '../core/effects.ts';
import type { MachineEvent } from '../core/events.ts';
import { initialState, transition } from '../core/machine.ts';
import type { State } from '../core/state.ts';
import { launchSpec } from './launch-specs.ts';

export const TASK = 'elasticsearch-1.1';
export const EMPTY = { marker: undefined, entries: ['lost+found'] };
export const launch = (
  spec: LaunchSpecInput = launchSpec(),
  environmentNodeId: string | undefined = '1',
): MachineEvent => ({
  kind: 'launch',
  taskId: TASK,
  data: encodeLaunchSpec(spec),
  environmentNodeId,
});
export const kill: MachineEvent = { kind: 'kill', taskId: TASK, graceMs: undefined };

/** The answers of a start in which all goes well, in order. */
export const GOOD_START: readonly MachineEvent[] = [
  { kind: 'prepared' },
  { kind: 'lease-taken' },
  { kind: 'former-detached' },
  { kind: 'ensured' },
  { kind: 'attached', role: 'config' },
  { kind: 'attached', role: 'data' },
  { kind: 'process-started', tied: true, mountpoints: { config: '/c', data: '/d' } },
  {
    kind: 'volumes-inspected',
    findings: { config: EMPTY, data: EMPTY },
    freshIdentities: {
      config: '00000000-0000-4000-8000-000000000001',
      data: '00000000-0000-4000-8000-000000000002',
    },
  },
  { kind: 'claimed' },
  { kind: 'configured', elasticsearchVersion: '8.19.5' },
  { kind: 'gone-ahead' },
];

/** Feeds events and keeps what came of them. */
export class Story {
  state: State = initialState({ shutdownStopMs: 20_000 });
  readonly effects: Effect[] = [];

  feed(...events: readonly MachineEvent[]): readonly Effect[] {
    const before = this.effects.length;
    for (const event of events) {
      const next = transition(this.state, event);
      this.state = next.state;
      this.effects.push(...next.effects);
    }
    return this.effects.slice(before);
  }
  get done(): readonly string[] {
    return this.effects
      .filter(({ kind }) => kind !== 'log')
      .map((effect) => {
        if ('role' in effect) return `${effect.kind} ${effect.role}`;
        return effect.kind === 'send-status' ? effect.status.state : effect.kind;
      });
  }
  get statuses(): readonly StatusToSend[] {
    return this.effects.flatMap((effect) => (effect.kind === 'send-status' ? [effect.status] : []));
  }
}

/** Plays the world in which every stop succeeds, until the machine has ended. */
export function letGo(story: Story): void {
  for (let round = 0; round < 20 && story.state.phase !== 'ended'; round += 1) {
    const last = story.effects.filter(({ kind }) => kind !== 'log' && kind !== 'start-timer').at(-1);
    if (last?.kind === 'stop-process' || last?.kind === 'kill-process')
      story.feed({ kind: 'process-gone', how: 'exited' });
    else if (last?.kind === 'detach-former') story.feed({ kind: 'former-detached' });
    else if (last?.kind === 'detach') story.feed({ kind: 'detached', role: last.role });
    else if (last?.kind === 'give-back') story.feed({ kind: 'lease-given-back' });
    else break;
  }
}
