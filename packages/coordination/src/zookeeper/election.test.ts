import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeZooKeeper, type FakeClient } from '../testing/fake-zookeeper.ts';
import { campaign, CampaignError, type Leadership } from './election.ts';
import { leaderEpochPath } from './layout.ts';

const ROOT = '/mesos-elasticsearch/elasticsearch/mesos-ha';

function candidate(
  server: FakeZooKeeper,
  signal?: AbortSignal,
): { client: FakeClient; reign: Promise<Leadership> } {
  const client = server.client();
  return { client, reign: campaign({ zookeeper: client, root: ROOT, ...(signal && { signal }) }) };
}

/** Whether `promise` has settled, after everything that can happen without a timer has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => (settled = true);
  void promise.then(settle, settle);
  await new Promise((resolve) => setTimeout(resolve, 30));
  return settled;
}

describe('an election', () => {
  it('lets one lead, and the next one when it resigns, with a higher number', async () => {
    const server = new FakeZooKeeper();
    const first = await candidate(server).reign;
    const standby = candidate(server).reign;
    expect(await isSettled(standby)).toBe(false);
    expect(first.isLost).toBe(false);
    await first.resign();
    expect(await first.lost).toBe('resigned');
    const second = await standby;
    expect([first.number, second.number]).toEqual([1, 2]);
  });

  it('wakes only the next one in the row', async () => {
    const server = new FakeZooKeeper();
    const first = await candidate(server).reign;
    const second = candidate(server);
    await isSettled(second.reign);
    const third = candidate(server);
    await isSettled(third.reign);
    const asked: string[] = [];
    server.before = async (operation, path) => void asked.push(`${operation} ${path}`);
    await first.resign();
    await second.reign;
    expect(await isSettled(third.reign)).toBe(false);
    expect(asked.filter((each) => each.startsWith('children'))).toHaveLength(1);
  });

  it('skips a standby that is gone', async () => {
    const server = new FakeZooKeeper();
    const first = await candidate(server).reign;
    const abortion = new AbortController();
    const second = candidate(server, abortion.signal).reign;
    await isSettled(second);
    const third = candidate(server).reign;
    await isSettled(third);
    abortion.abort();
    await expect(second).rejects.toThrow(CampaignError);
    expect(await isSettled(third)).toBe(false);
    await first.resign();
    expect((await third).number).toBe(2);
  });

  it('is lost with the session, and the old leader finds that out by itself', async () => {
    const server = new FakeZooKeeper();
    const old = candidate(server);
    const first = await old.reign;
    const standby = candidate(server).reign;
    await isSettled(standby);
    old.client.expire();
    expect(await first.lost).toMatch(/session with ZooKeeper is over/);
    expect((await standby).number).toBe(2);
    expect(await first.zookeeper.transact(first.guard)).toMatchObject({ kind: 'unknown' });
  });

  it('is lost when somebody else raised the number', async () => {
    const server = new FakeZooKeeper();
    const first = await candidate(server).reign;
    await server.client().transact([{ kind: 'set', path: leaderEpochPath(ROOT), data: '', version: 1 }]);
    expect(await first.lost).toMatch(/another scheduler leads/);
    const refused = await server.client().transact(first.guard);
    expect(refused).toEqual({ kind: 'not-done', code: 'bad-version', at: 0 });
  });

  it('is not confirmed any more when ZooKeeper has said nothing for the length of a session, and is again when it does', async () => {
    const server = new FakeZooKeeper();
    const { client, reign } = candidate(server);
    client.sessionTimeoutMs = 120;
    const first = await reign;
    expect(first.isConfirmed).toBe(true);
    let answer: () => void = () => undefined;
    const silence = new Promise<void>((resolve) => (answer = resolve));
    server.before = () => silence;
    const until = async (confirmed: boolean) => {
      while (first.isConfirmed !== confirmed) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await until(false);
    expect(first.isLost).toBe(false);
    server.before = () => Promise.resolve();
    answer();
    await until(true);
    await first.resign();
    expect(first.isConfirmed).toBe(false);
  });

  it('is lost where the store was put back, although the numbers begin again', async () => {
    const server = new FakeZooKeeper();
    const first = await candidate(server).reign;
    server.wipe();
    const second = await candidate(server).reign;
    expect(second.number).toBe(first.number);
    expect(await server.client().transact(first.guard)).toMatchObject({
      kind: 'not-done',
      code: 'no-node',
      at: 1,
    });
  });
});

describe('a candidate whose answers get lost', () => {
  it.each(['no-answer', 'fail'] as const)('leads all the same, once (%s)', async (kind) => {
    const campaignThatLoses = async (lost: number) => {
      const server = new FakeZooKeeper();
      let operations = 0;
      server.before = async (operation) => {
        if ((operations += 1) === lost) server.faults.next(operation, { kind });
      };
      const reign = await candidate(server).reign;
      expect(reign.number).toBe(1);
      await reign.resign();
      expect(server.childrenOf(`${ROOT}/election`)).toEqual([]);
    };
    await Promise.all(Array.from({ length: 16 }, (_, index) => campaignThatLoses(index + 1)));
  });
});

describe('candidates that campaign at once, with requests in any order', () => {
  it('lead one after another, each with a higher number, and no transaction of a former one is done', () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), async (order) => {
        const server = new FakeZooKeeper();
        server.before = (operation) => order.schedule(Promise.resolve(), operation);
        const reigns: Leadership[] = [];
        const lives = [0, 1, 2].map(async () => {
          const { client, reign } = candidate(server);
          const leadership = await reign;
          const former = reigns.at(-1);
          if (former !== undefined) {
            expect(leadership.number).toBeGreaterThan(former.number);
            expect(server.apply(former.guard, client)).toMatchObject({ kind: 'not-done' });
          }
          expect(server.apply(leadership.guard, client)).toMatchObject({ kind: 'done' });
          reigns.push(leadership);
          client.expire();
        });
        await order.waitFor(Promise.all(lives));
        expect(reigns).toHaveLength(3);
      }),
      { numRuns: 100 },
    ));
});
