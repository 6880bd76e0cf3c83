import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { leaseServiceContract } from '../testing/lease-contract.ts';
import { ledgerStoreContract } from '../testing/ledger-contract.ts';
import { zookeeperContract } from '../testing/zookeeper-contract.ts';
import { Assignments, lead, zookeeperLedgerPlace } from '../testing/zookeeper-place.ts';
import { startZookeeper, zookeeperMissing, type ZooKeeperServer } from '../testing/zookeeper-server.ts';
import { connectZookeeper } from './client.ts';
import { clusterRoot, type ZooKeeperAccess } from './layout.ts';
import { leasesIn, zookeeperLeasesOf } from './leases.ts';
import { digestIdentity } from './servers.ts';
import type { ZooKeeper } from './zookeeper.ts';

const missing = zookeeperMissing();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const EXECUTORS = 'executors:two';
const ACCESS: ZooKeeperAccess = {
  scheduler: 'scheduler:one:with:colons',
  executorIdentity: digestIdentity(EXECUTORS),
};

describe.skipIf(missing !== undefined)(`a real ZooKeeper${why}`, () => {
  let server: ZooKeeperServer;
  let run = 0;
  const clients: ZooKeeper[] = [];
  const connect = (credentials?: string): ZooKeeper => {
    const client = connectZookeeper({
      ...{ servers: [server.address], sessionTimeoutMs: 4_000 },
      ...(credentials !== undefined && { credentials }),
    });
    clients.push(client);
    return client;
  };
  const newRoot = () => clusterRoot(`/contracts/${randomUUID()}/${(run += 1)}`, 'elasticsearch', 'mesos-ha');

  beforeAll(async () => {
    server = await startZookeeper();
  });
  beforeEach(() => async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  afterAll(() => server.destroy());

  zookeeperContract('the client', () => connect());

  describe.each([
    { name: 'open to everyone', access: undefined },
    { name: 'with credentials', access: ACCESS },
  ])('$name', ({ access }) => {
    const place = () => ({
      ...{ connect: () => connect(access?.scheduler), root: newRoot() },
      ...(access && { access }),
    });
    ledgerStoreContract('ZooKeeper', async () => zookeeperLedgerPlace(place()));

    leaseServiceContract('ZooKeeper', async () => {
      const leadership = await lead(place());
      const assignments = await Assignments.of(leadership);
      const schedulers = zookeeperLeasesOf(leadership);
      const holders = leasesIn({ zookeeper: connect(access && EXECUTORS), root: leadership.root });
      return {
        leases: {
          openEpoch: (nodeId, epoch) => schedulers.openEpoch(nodeId, epoch),
          closeEpoch: (nodeId, epoch) => schedulers.closeEpoch(nodeId, epoch),
          read: (nodeId, epoch) => schedulers.read(nodeId, epoch),
          take: (lease) => holders.take(lease),
          renew: (lease) => holders.renew(lease),
          giveBack: (lease) => holders.giveBack(lease),
        },
        assign: (nodeId, epoch, taskId) => assignments.assign(nodeId, epoch, taskId),
      };
    });
  });
});
