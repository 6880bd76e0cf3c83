import { randomUUID } from 'node:crypto';
import { epoch, nodeId } from '@mesos-elasticsearch/contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LeaseService } from '../lease-service.ts';
import { leaseRecord } from '../testing/records.ts';
import { TcpProxy } from '../testing/tcp-proxy.ts';
import { Assignments, lead } from '../testing/zookeeper-place.ts';
import { startZookeeper, zookeeperMissing, type ZooKeeperServer } from '../testing/zookeeper-server.ts';
import { connectZookeeper } from './client.ts';
import type { Leadership } from './election.ts';
import { clusterRoot, leaderEpochPath, type ZooKeeperAccess } from './layout.ts';
import { zookeeperLeases, zookeeperLeasesOf } from './leases.ts';
import { ANY_VERSION, type Operation, type ZooKeeper } from './zookeeper.ts';
import { digestIdentity } from './servers.ts';

const missing = zookeeperMissing();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const EXECUTORS = 'executors:two';
const ACCESS: ZooKeeperAccess = { scheduler: 'scheduler:one', executorIdentity: digestIdentity(EXECUTORS) };
const node = nodeId(1);
const first = epoch(1);
const DURATION_MS = 10_000;
const lease = (counter: number) => leaseRecord({ counter, durationMs: DURATION_MS });

describe.skipIf(missing !== undefined)(`leases in a real ZooKeeper${why}`, () => {
  let server: ZooKeeperServer;
  let proxy: TcpProxy;
  let leadership: Leadership;
  let assignments: Assignments;
  let scheduler: LeaseService;
  let closing: (() => Promise<void>)[] = [];
  const connect = (credentials?: string): ZooKeeper => {
    const client = connectZookeeper({
      ...{ servers: [server.address], sessionTimeoutMs: 4_000 },
      ...(credentials !== undefined && { credentials }),
    });
    closing.push(() => client.close());
    return client;
  };
  /** Behind the proxy, and with the limits of a real one. */
  const executor = (servers = [proxy.address]): LeaseService => {
    const leases = zookeeperLeases({
      ...{ servers, path: leadership.root, sessionTimeoutMs: 4_000 },
      ...{ durationMs: DURATION_MS, credentials: EXECUTORS },
    });
    closing.push(() => leases.close());
    return leases;
  };

  beforeAll(async () => {
    server = await startZookeeper();
  });
  afterAll(() => server.destroy());
  beforeEach(async () => {
    proxy = await TcpProxy.open({ host: '127.0.0.1', port: server.port });
    const root = clusterRoot(`/leases/${randomUUID()}`, 'elasticsearch', 'mesos-ha');
    leadership = await lead({ connect: () => connect(ACCESS.scheduler), root, access: ACCESS });
    assignments = await Assignments.of(leadership);
    await assignments.assign(node, first, 'task-1');
    scheduler = zookeeperLeasesOf(leadership);
    await scheduler.openEpoch(node, first);
  });
  afterEach(async () => {
    proxy.heal();
    await Promise.all(closing.map((close) => close()));
    closing = [];
    await proxy.close();
  });

  describe.each([['to-client'], ['to-server']] as const)('a link that swallows what goes %s', (direction) => {
    it('costs a taker, a renewal and a giving back a part of its time, and not its answer', async () => {
      const leases = executor();
      await leases.read(node, first);
      for (const call of [
        async () => expect(await leases.take(lease(0))).toBe('taken'),
        async () => expect(await leases.renew(lease(1))).toBe('renewed'),
        async () => expect(await leases.giveBack(lease(2))).toBe('given-back'),
      ]) {
        const begun = performance.now();
        proxy.swallow([direction], 'open');
        await call();
        expect(performance.now() - begun).toBeLessThan(DURATION_MS / 4);
      }
      expect(await scheduler.read(node, first)).toEqual({ state: 'given-back', lease: lease(2) });
    });
  });

  it('finds a taking, a renewal and a giving back whose answer alone got lost', async () => {
    const leases = executor();
    for (const [call, counter] of [
      ['take', 0],
      ['renew', 1],
      ['giveBack', 2],
    ] as const) {
      const reads = await leases.read(node, first);
      expect(reads.state).toBe('open');
      // The reads of this call pass; after them comes the transaction, and its answer is swallowed.
      void proxy.nextBytes('to-client').then(() => proxy.swallow(['to-client'], 'open'));
      const answers = { take: 'taken', renew: 'renewed', giveBack: 'given-back' };
      expect(await leases[call](lease(counter))).toBe(answers[call]);
    }
  });

  it('is answered for by the second server when the first one is gone', async () => {
    proxy.cut({ refuse: true });
    const leases = executor([proxy.address, server.address]);
    expect(await leases.take(lease(0))).toBe('taken');
  });

  it('goes on over a restart of ZooKeeper within the lease, and so does the scheduler', async () => {
    const leases = executor();
    await leases.take(lease(0));
    await server.kill();
    const lost = leases.renew(lease(1));
    await expect(lost).rejects.toThrow(/nothing certain/);
    const begun = performance.now();
    await server.start();
    await expect
      .poll(() => leases.renew(lease(2)).catch(() => 'no answer'), { timeout: 10_000 })
      .toBe('renewed');
    expect(performance.now() - begun).toBeLessThan(DURATION_MS);
    await expect
      .poll(() => scheduler.read(node, first).catch(() => undefined))
      .toEqual({ state: 'open', lease: lease(2) });
    expect(leadership.isLost).toBe(false);
    await assignments.assign(nodeId(2), first, 'task-2');
  });

  it('is closed for an executor that was cut off when the epoch was closed', async () => {
    const leases = executor();
    await leases.take(lease(0));
    proxy.cut({ refuse: true });
    const lost = leases.renew(lease(1));
    await expect(lost).rejects.toThrow(/nothing certain/);
    await assignments.assign(node, epoch(2), 'task-2');
    expect(await scheduler.closeEpoch(node, first)).toEqual(lease(0));
    proxy.heal();
    await expect
      .poll(() => leases.renew(lease(2)).catch(() => 'no answer'), { timeout: 10_000 })
      .toBe('closed');
  });

  it('is not taken late, after another epoch was recorded', async () => {
    const leases = executor();
    await leases.read(node, first);
    proxy.delay('to-server', 400);
    const late = leases.take(lease(0));
    await proxy.nextBytes('to-server');
    await assignments.assign(node, epoch(2), 'task-2');
    expect(await late).toBe('refused');
    expect(await scheduler.closeEpoch(node, first)).toBeUndefined();
  });

  describe('an executor’s credentials', () => {
    const of = (path: string): readonly [name: string, operation: Operation][] => [
      ['write', { kind: 'set', path, data: 'x', version: ANY_VERSION }],
      ['remove', { kind: 'remove', path, version: ANY_VERSION }],
      [
        'add to',
        {
          kind: 'create',
          path: `${path}/x`,
          data: '',
          acl: [{ scheme: 'world', id: 'anyone', permissions: 31 }],
        },
      ],
    ];
    it('write its lease, and nothing else', async () => {
      await executor().take(lease(0));
      const stranger = connect(EXECUTORS);
      const { root } = leadership;
      const names = await connect(ACCESS.scheduler).children(`${root}/election`);
      const candidate = names.kind === 'done' ? (names.value?.[0] ?? '') : '';
      const paths = [
        '',
        '/framework',
        '/nodes',
        '/nodes/1',
        '/leases',
        '/leases/1',
        '/leases/1/1',
        '/election',
      ];
      for (const path of [...paths, `/election/${candidate}`, '/leader-epoch'].map(
        (each) => `${root}${each}`,
      )) {
        for (const [name, operation] of of(path)) {
          const outcome = await stranger.transact([operation]);
          expect([name, path, outcome]).toEqual([name, path, { kind: 'not-done', code: 'no-auth', at: 0 }]);
        }
      }
      const path = `${root}/leases/1/1/lease`;
      const [write, ...others] = of(path);
      for (const [, operation] of others) {
        expect(await stranger.transact([operation])).toMatchObject({ kind: 'not-done', code: 'no-auth' });
      }
      expect(await stranger.transact([write![1]])).toMatchObject({ kind: 'done' });
    });

    it('read records, epochs and leases, and nothing else', async () => {
      const stranger = connect(EXECUTORS);
      const { root } = leadership;
      for (const path of [`${root}/nodes/1`, `${root}/leases/1/1`, `${root}/leases/1/1/lease`]) {
        expect(await stranger.read(path)).toMatchObject({ kind: 'done', value: {} });
      }
      for (const path of [`${root}/framework`, `${root}/election`, leaderEpochPath(root)]) {
        expect(await stranger.read(path)).toMatchObject({ kind: 'not-done', code: 'no-auth' });
      }
    });

    it('that are missing or wrong are said to be so', async () => {
      const { root } = leadership;
      const nobody = zookeeperLeases({
        ...{ servers: [server.address], path: root, sessionTimeoutMs: 4_000, durationMs: DURATION_MS },
      });
      closing.push(() => nobody.close());
      await expect(nobody.take(lease(0))).rejects.toThrow(/denies access; check the credentials/);
      const wrong = lead({ connect: () => connect('scheduler:wrong'), root });
      await expect(wrong).rejects.toThrow(/cannot campaign at .*denies access/);
    });
  });

  it('is taken and renewed fast on loopback', async () => {
    const leases = executor([server.address]);
    await leases.read(node, first);
    const taken = await timed(() => leases.take(lease(0)));
    const renewals: number[] = [];
    for (let counter = 1; counter <= 200; counter += 1)
      renewals.push(await timed(() => leases.renew(lease(counter))));
    const sorted = renewals.sort((a, b) => a - b);
    expect(taken).toBeLessThan(500);
    expect(sorted[100]).toBeLessThan(100);
  });
});

async function timed(step: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await step();
  return performance.now() - begun;
}
