import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openDirectoryLedger } from '../directory/ledger.ts';
import { directoryLeases } from '../directory/leases.ts';
import { nodeFiles } from '../directory/files.ts';
import { takeWriterLock } from '../directory/writer-lock.ts';
import { zookeeperLeasesOf } from '../zookeeper/leases.ts';
import { FakeZooKeeper } from './fake-zookeeper.ts';
import { leaseServiceContract } from './lease-contract.ts';
import { ledgerStoreContract } from './ledger-contract.ts';
import { MemoryLedgerDisk } from './memory-ledger.ts';
import { MemoryLeases } from './memory-leases.ts';
import { zookeeperContract } from './zookeeper-contract.ts';
import { Assignments, lead, zookeeperLedgerPlace } from './zookeeper-place.ts';

const ROOT = '/mesos-elasticsearch/elasticsearch/mesos-ha';

const scratch: string[] = [];
async function scratchDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'coordination-'));
  scratch.push(directory);
  return directory;
}
afterAll(() => Promise.all(scratch.map((directory) => rm(directory, { recursive: true }))));

ledgerStoreContract('the fake', async () => {
  const disk = new MemoryLedgerDisk();
  return { open: async () => disk.open() };
});
ledgerStoreContract('a directory', async () => {
  const root = join(await scratchDirectory(), 'state');
  const lock = (path: string) => takeWriterLock(path, 100);
  return { open: () => openDirectoryLedger(root, { files: nodeFiles, lock }) };
});

ledgerStoreContract('ZooKeeper (a fake)', async () => {
  const server = new FakeZooKeeper();
  return zookeeperLedgerPlace({ connect: () => server.client(), root: ROOT, patienceMs: 20 });
});

leaseServiceContract('the fake', async () => ({ leases: new MemoryLeases() }));
leaseServiceContract('a directory', async () => ({ leases: directoryLeases(await scratchDirectory()) }));
leaseServiceContract('ZooKeeper (a fake)', async () => {
  const server = new FakeZooKeeper();
  const leadership = await lead({ connect: () => server.client(), root: ROOT });
  const assignments = await Assignments.of(leadership);
  return {
    leases: zookeeperLeasesOf(leadership),
    assign: (nodeId, epoch, taskId) => assignments.assign(nodeId, epoch, taskId),
  };
});

const server = new FakeZooKeeper();
zookeeperContract('the fake', () => server.client());
