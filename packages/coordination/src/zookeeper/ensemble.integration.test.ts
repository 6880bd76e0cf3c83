import { randomUUID } from 'node:crypto';
import { epoch, nodeId } from '@mesos-elasticsearch/contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LeaseService } from '../lease-service.ts';
import { ledgerErrorCode } from '../testing/ledger-contract.ts';
import { frameworkRecord, leaseRecord, nodeRecord } from '../testing/records.ts';
import { lead } from '../testing/zookeeper-place.ts';
import { startEnsemble, zookeeperMissing, type ZooKeeperServer } from '../testing/zookeeper-server.ts';
import { connectZookeeper } from './client.ts';
import type { Leadership } from './election.ts';
import { clusterRoot } from './layout.ts';
import { openZookeeperLedger } from './ledger.ts';
import { zookeeperLeases, zookeeperLeasesOf } from './leases.ts';

const missing = zookeeperMissing();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const DURATION_MS = 20_000;
const SESSION_MS = 4_000;
const node = nodeId(1);
const first = epoch(1);
const lease = (counter: number) => leaseRecord({ counter, durationMs: DURATION_MS });

describe.skipIf(missing !== undefined)(`three servers that make up one ZooKeeper${why}`, () => {
  let servers: readonly ZooKeeperServer[];
  let leadership: Leadership;
  let holder: LeaseService & { close(): Promise<void> };
  const addresses = () => servers.map(({ address }) => address);

  beforeAll(async () => {
    servers = await startEnsemble();
  });
  afterAll(() => Promise.all(servers.map((server) => server.destroy())));
  beforeEach(async () => {
    const root = clusterRoot(`/ensemble/${randomUUID()}`, 'elasticsearch', 'mesos-ha');
    const connect = () => connectZookeeper({ servers: addresses(), sessionTimeoutMs: SESSION_MS });
    leadership = await lead({ connect, root });
    const place = { servers: addresses(), path: root, sessionTimeoutMs: SESSION_MS };
    holder = zookeeperLeases({ ...place, durationMs: DURATION_MS });
  });
  afterEach(async () => {
    await Promise.all([leadership.resign(), holder.close()]);
  });

  it.each(['leader', 'follower'] as const)(
    'lose their %s, and within the lease everything goes on',
    async (mode) => {
      const ledger = await openZookeeperLedger(leadership);
      await ledger.writeFramework(frameworkRecord(), 0);
      await ledger.writeNode(nodeRecord(1), 0);
      const scheduler = zookeeperLeasesOf(leadership);
      await scheduler.openEpoch(node, first);
      expect(await holder.take(lease(0))).toBe('taken');

      const modes = await Promise.all(servers.map((server) => server.mode()));
      const victim = servers[modes.indexOf(mode)]!;
      await victim.kill();
      const begun = performance.now();
      let counter = 0;
      const renew = () => holder.renew(lease((counter += 1))).catch(() => 'no answer');
      await expect.poll(renew, { timeout: DURATION_MS }).toBe('renewed');
      expect(performance.now() - begun).toBeLessThan(DURATION_MS);
      await expect.poll(() => ledgerErrorCode(ledger.load()), { timeout: DURATION_MS }).toBe('none');
      expect(await ledger.writeNode(nodeRecord(1, { phase: 'running' }), 1)).toBe(2);
      expect(leadership.isLost).toBe(false);
      expect(await scheduler.closeEpoch(node, first)).toEqual(lease(counter));
      expect(await holder.renew(lease(counter + 1))).toBe('closed');
      await victim.start();
    },
  );

  it('answer a holder by one server what the scheduler did through another', async () => {
    const ledger = await openZookeeperLedger(leadership);
    await ledger.writeFramework(frameworkRecord(), 0);
    const scheduler = zookeeperLeasesOf(leadership);
    for (const [index, address] of addresses().entries()) {
      const id = nodeId(index + 1);
      await ledger.writeNode(nodeRecord(id, { holder: { ...nodeRecord(1).holder!, taskId: 'task-1' } }), 0);
      await scheduler.openEpoch(id, first);
      const place = { servers: [address], path: leadership.root, sessionTimeoutMs: SESSION_MS };
      const leases = zookeeperLeases({ ...place, durationMs: DURATION_MS });
      expect(await leases.take({ ...lease(0), nodeId: id })).toBe('taken');
      expect(await leases.renew({ ...lease(1), nodeId: id })).toBe('renewed');
      expect(await scheduler.closeEpoch(id, first)).toEqual({ ...lease(1), nodeId: id });
      expect(await leases.renew({ ...lease(2), nodeId: id })).toBe('closed');
      await leases.close();
    }
  });
});
