import { describe, expect, it } from 'vitest';
import { Story } from '../testing/index.ts';

describe('offers', () => {
  it('that were withdrawn in the meantime leave the node never started', async () => {
    const story = new Story({ cluster: { nodes: 1 } });
    const openEpoch = story.leases.openEpoch.bind(story.leases);
    let withdrawn = false;
    story.leases.openEpoch = async (node, epoch) => {
      await openEpoch(node, epoch);
      if (withdrawn) return;
      withdrawn = true;
      // The master forgets the offer, the RESCIND does not arrive in time.
      const agent = story.master.agents.get(story.record(1)!.holder!.agentId)!;
      agent.offered = undefined;
    };
    await story.start();
    await story.untilRunning(1);
    expect(story.record(1)?.epoch).toBe(2);
    expect(story.record(1)?.lastAgent?.left).toBe('never-started');
    expect(story.master.holders.violations).toEqual([]);
    await story.stop();
  });

  it('are suppressed when nothing is wanted and revived when a node begins to wait', async () => {
    const story = new Story();
    await story.start();
    await story.untilRunning(1, 2, 3);
    await story.advance(5000);
    expect(story.master.callsOf('SUPPRESS').length).toBeGreaterThan(0);
    const revived = story.master.callsOf('REVIVE').length;
    await story.advance(60_000);
    expect(story.master.callsOf('REVIVE')).toHaveLength(revived);
    await story.master.taskOf(1).executor.stop('TASK_FAILED');
    await story.until('offers are wanted', () => story.master.callsOf('REVIVE').length > revived, 1000);
    await story.stop();
  });

  it('that a call may have left with the master are declined until it certainly took that', async () => {
    const story = new Story({ cluster: { nodes: 1 }, node: { cpus: 100 } });
    await story.start();
    const declined = () => story.master.callsOf('DECLINE').flatMap(({ decline }) => decline.offerIds ?? []);
    await story.until('offers are declined', () => declined().length > 0);
    const offers = () => [...story.master.agents.values()].flatMap(({ offered }) => offered ?? []);
    story.master.swallowNext('DECLINE');
    await story.until('a decline is lost', () => offers().length > 0);
    await story.advance(1000);
    const held = offers().map(({ id }) => id);
    expect(held.length).toBeGreaterThan(0);
    await story.until(
      'the same are declined again',
      () => held.every((id) => declined().includes(id)),
      10_000,
    );
    await story.stop();
  });

  it('go back with a long filter when nothing is wanted, with a short one while a node waits', async () => {
    const story = new Story({ cluster: { nodes: 3 }, node: { cpus: 100 } });
    await story.start();
    await story.advance(3000);
    const short = story.master.callsOf('DECLINE').map((call) => call.decline.filters?.refuseSeconds);
    expect(new Set(short)).toEqual(new Set([2]));
    expect(JSON.stringify(story.driving!.loop.model().lastOutcomes)).toContain('wanted 100.1, offered 4');
    await story.stop();

    const content = new Story({ cluster: { nodes: 1 } });
    await content.start();
    await content.untilRunning(1);
    await content.advance(1000);
    expect(content.master.callsOf('DECLINE').at(-1)?.decline.filters?.refuseSeconds).toBe(3600);
    await content.stop();
  });

  it('never put two nodes on one agent', async () => {
    const story = new Story({}, ['agent-1', 'agent-2']);
    await story.start();
    await story.untilRunning(1, 2);
    await story.advance(30_000);
    expect(story.phase(3)).toBeUndefined();
    expect(JSON.stringify(story.driving!.loop.model().lastOutcomes)).toContain('one-node-per-agent');
    await story.stop();
  });
});

describe('a node in doubt', () => {
  async function doubted(policy: 'fence' | 'wait'): Promise<{ story: Story; home: string }> {
    const story = new Story({ suspects: { policy } });
    await story.start();
    await story.untilRunning(1, 2, 3);
    const home = story.record(2)!.holder!.host;
    story.master.partition(home);
    story.master.declareUnreachable(home);
    await story.until('node 2 is suspect', () => story.phase(2) === 'suspect');
    await story.advance(3000);
    return { story, home };
  }

  it('has one offer kept at hand, so that it moves in the moment of the proof', async () => {
    const { story, home } = await doubted('fence');
    const kept = [...story.driving!.loop.model().offers.values()];
    expect(kept).toHaveLength(1);
    expect(kept[0]!.hostname).not.toBe(home);
    await story.master.taskOf(2).executor.stop('TASK_FAILED');
    await story.advance(story.desired.timing.leasePollMs);
    expect(story.record(2)).toMatchObject({ epoch: 2, holder: { host: kept[0]!.hostname } });
    await story.stop();
  });

  it('keeps it for a limited time, for others want offers too', async () => {
    const { story } = await doubted('fence');
    await story.advance(story.desired.timing.holdOffersMs);
    expect(story.driving!.loop.model().offers.size).toBe(0);
    await story.stop();
  });

  it('keeps none where only an operator can free the node', async () => {
    const { story } = await doubted('wait');
    expect(story.driving!.loop.model().offers.size).toBe(0);
    await story.stop();
  });
});

describe('the wanted size', () => {
  it('is durable and takes the lowest free numbers', async () => {
    const story = new Story();
    await story.start();
    await story.untilRunning(1, 2, 3);
    story.driving!.loop.dispatch({ kind: 'size-ordered', nodes: 4 });
    await story.untilRunning(4);
    await story.stop();
    expect(story.disk.framework?.record.wantedNodes).toBe(4);
    await story.start();
    await story.advance(10_000);
    expect(story.phase(4)).toBe('running');
    await story.stop();
  });
});
