import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openDirectoryLedger } from '../directory/ledger.ts';
import { directoryLeases } from '../directory/leases.ts';
import { nodeFiles } from '../directory/files.ts';
import { takeWriterLock } from '../directory/writer-lock.ts';
import { leaseServiceContract } from './lease-contract.ts';
import { ledgerStoreContract } from './ledger-contract.ts';
import { MemoryLedgerDisk } from './memory-ledger.ts';
import { MemoryLeases } from './memory-leases.ts';

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

leaseServiceContract('the fake', async () => new MemoryLeases());
leaseServiceContract('a directory', async () => directoryLeases(await scratchDirectory()));
