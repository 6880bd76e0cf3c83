/** Rule 1 under everything that can go wrong, in any order. A failure prints its seed; SEED=n replays it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTerminal } from '@mesos-elasticsearch/mesos-v1';
import { Story } from '../testing/index.ts';

type Harm =
  | { readonly kind: 'kill-machine' | 'partition' | 'declare-unreachable' | 'heal'; readonly agent: number }
  | {
      readonly kind: 'kill-executor' | 'end-executor' | 'freeze-executor' | 'say-lost';
      readonly node: number;
    }
  | { readonly kind: 'say-again'; readonly node: number }
  | { readonly kind: 'store-fault' | 'lease-fault'; readonly heard: boolean }
  | { readonly kind: 'withdraw-offers' | 'disconnect' | 'restart' }
  | { readonly kind: 'crash'; readonly after: number };

const agent = fc.integer({ min: 1, max: 5 });
const node = fc.integer({ min: 1, max: 3 });
const harm: fc.Arbitrary<Harm> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      'kill-machine' as const,
      'partition' as const,
      'declare-unreachable' as const,
      'heal' as const,
    ),
    agent,
  }),
  fc.record({
    kind: fc.constantFrom(
      'kill-executor' as const,
      'end-executor' as const,
      'freeze-executor' as const,
      'say-lost' as const,
    ),
    node,
  }),
  fc.record({ kind: fc.constant('say-again' as const), node }),
  fc.record({ kind: fc.constantFrom('store-fault' as const, 'lease-fault' as const), heard: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('withdraw-offers' as const, 'disconnect' as const, 'restart' as const) }),
  fc.record({ kind: fc.constant('crash' as const), after: fc.integer({ min: 1, max: 30 }) }),
);
const moments = fc.array(fc.tuple(harm, fc.integer({ min: 0, max: 25_000 })), {
  minLength: 1,
  maxLength: 14,
});

async function doHarm(story: Story, harm: Harm): Promise<void> {
  const { master } = story;
  switch (harm.kind) {
    case 'kill-machine': {
      master.killMachine(`agent-${harm.agent}`);
      return;
    }
    case 'partition': {
      master.partition(`agent-${harm.agent}`);
      return;
    }
    case 'declare-unreachable': {
      const silent = master.agents.get(`agent-${harm.agent}`)?.reachable === false;
      if (silent) master.declareUnreachable(`agent-${harm.agent}`);
      return;
    }
    case 'heal': {
      master.heal(`agent-${harm.agent}`, { saysSo: harm.agent % 2 === 0 });
      return;
    }
    case 'withdraw-offers': {
      master.withdrawOffers();
      return;
    }
    case 'disconnect':
      master.disconnect();
      {
        master.reconnect(story.disk.framework?.record.frameworkId ?? 'framework-1');
        return;
      }
    case 'store-fault':
      return story.ledger?.faults.next('writeNode', { kind: harm.heard ? 'fail' : 'no-answer' });
    case 'lease-fault': {
      story.leases.faults.next('closeEpoch', { kind: harm.heard ? 'fail' : 'no-answer' });
      return;
    }
    case 'restart':
      await story.stop();
      return story.start();
    case 'crash':
      story.crash();
      await story.start(harm.after);
      await story.advance(3000);
      story.crash();
      return story.start();
    default:
      return harmNode(story, harm);
  }
}

async function harmNode(story: Story, harm: Extract<Harm, { node: number }>): Promise<void> {
  const { master } = story;
  const entry = master.tasksOf(harm.node).at(-1);
  if (entry === undefined) return;
  switch (harm.kind) {
    case 'kill-executor': {
      if (!isTerminal(entry.state)) master.killExecutor(entry);
      return;
    }
    case 'end-executor':
      return entry.executor.stop('TASK_FAILED');
    case 'freeze-executor': {
      entry.executor.freeze();
      return;
    }
    case 'say-lost': {
      master.sendAsMaster(entry.task.taskId, 'TASK_LOST', 'REASON_AGENT_REMOVED');
      return;
    }
    case 'say-again': {
      master.resend(entry);
      return;
    }
  }
}

const fixedSeed = process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) };

describe('one holder', () => {
  it.each(['fence', 'wait'] as const)(
    'at any moment, under the policy "%s"',
    { timeout: 120_000 },
    async (policy) => {
      await fc.assert(
        fc.asyncProperty(moments, async (history) => {
          const names = [1, 2, 3, 4, 5].map((each) => `agent-${each}`);
          const story = new Story({ suspects: { policy } }, names);
          await story.start();
          await story.advance(4000);
          for (const [what, pauseMs] of history) {
            await doHarm(story, what);
            await story.advance(pauseMs);
            expect(story.faults).toEqual([]);
            expect(story.master.holders.violations).toEqual([]);
            expect([...story.disk.nodes.keys()].every((id) => id <= 3)).toBe(true);
            expect(story.driving?.loop.model().nodes.size ?? 0).toBeLessThanOrEqual(3);
          }
          await story.stop();
        }),
        { numRuns: 30, ...fixedSeed },
      );
    },
  );
});
