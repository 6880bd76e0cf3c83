import { nodeId } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import type { LedgerErrorCode, LedgerSnapshot, LedgerStore } from '../ledger-store.ts';
import { FakeFiles, systemError, type FilesOperation, type PowerLoss } from '../testing/fake-files.ts';
import { ledgerErrorCode } from '../testing/ledger-contract.ts';
import { frameworkRecord, nodeRecord } from '../testing/records.ts';
import { openDirectoryLedger } from './ledger.ts';

const ROOT = '/state';
const FILE = '/state/nodes/1.json';
const older = nodeRecord(1);
const newer = nodeRecord(1, { epoch: 2, why: 'assigned again' });

class Crash extends Error {}

function open(files: FakeFiles, isHeld = () => true): Promise<LedgerStore> {
  return openDirectoryLedger(ROOT, {
    files,
    lock: () => Promise.resolve({ isHeld, release: () => undefined }),
  });
}

async function ledgerWithOldRecord(files = new FakeFiles()): Promise<LedgerStore> {
  const ledger = await open(files);
  await ledger.writeFramework(frameworkRecord(), 0);
  await ledger.writeNode(older, 0);
  return ledger;
}

/** Lets `error` take the place of the operation at this number, counted from now. */
function failAt(files: FakeFiles, number: number, error: Error): { operations: FilesOperation[] } {
  const seen: FilesOperation[] = [];
  files.before = (operation) => {
    seen.push(operation);
    return seen.length === number ? Promise.reject(error) : Promise.resolve();
  };
  return { operations: seen };
}

function node1(snapshot: LedgerSnapshot): unknown {
  return snapshot.nodes.get(nodeId(1));
}

/** write, fsync, rename, fsync of the directory */
const STEPS: readonly FilesOperation[] = ['write', 'sync', 'rename', 'sync'];

describe('a write that does not come to its end', () => {
  it('takes the steps that the tables below stop at', async () => {
    const files = new FakeFiles();
    const ledger = await ledgerWithOldRecord(files);
    const { operations } = failAt(files, 0, new Error('never'));
    await ledger.writeNode(newer, 1);
    expect(operations).toEqual(STEPS);
  });

  const losses: PowerLoss[] = ['none', 'keeps-names', 'loses-names'];
  const crashes = STEPS.flatMap((_, step) => losses.map((loss) => ({ step: step + 1, loss })));
  it.each(crashes)('loads as old or new after a crash before step $step, power loss: $loss', async (row) => {
    const files = new FakeFiles();
    const ledger = await ledgerWithOldRecord(files);
    failAt(files, row.step, new Crash());
    await ledger.writeNode(newer, 1).catch(() => undefined);

    const restarted = await open(files.afterCrash(row.loss));
    const found = node1(await restarted.load());
    expect([
      { record: older, version: 1 },
      { record: newer, version: 2 },
    ]).toContainEqual(found);
    if (row.step <= 3) expect(found).toEqual({ record: older, version: 1 });
  });

  it('survives any power loss once it resolved', async () => {
    for (const loss of losses) {
      const files = new FakeFiles();
      const ledger = await ledgerWithOldRecord(files);
      await ledger.writeNode(newer, 1);
      const restarted = await open(files.afterCrash(loss));
      expect(node1(await restarted.load())).toEqual({ record: newer, version: 2 });
    }
  });
});

describe('a write that the file-system refuses', () => {
  const refusals: { code: string; step: number; expected: LedgerErrorCode }[] = [
    ...[1, 2, 3].map((step) => ({ code: 'ENOSPC', step, expected: 'full' as const })),
    ...[1, 2, 3].map((step) => ({ code: 'EDQUOT', step, expected: 'full' as const })),
    ...[1, 3].map((step) => ({ code: 'EROFS', step, expected: 'read-only' as const })),
    { code: 'EACCES', step: 1, expected: 'read-only' },
    ...[1, 2, 3, 4].map((step) => ({ code: 'EIO', step, expected: 'unavailable' as const })),
    { code: 'ENOSPC', step: 4, expected: 'unavailable' },
  ];
  it.each(refusals)('is $expected for $code at step $step', async ({ code, step, expected }) => {
    const files = new FakeFiles();
    const ledger = await ledgerWithOldRecord(files);
    failAt(files, step, systemError(code, FILE));
    expect(await ledgerErrorCode(ledger.writeNode(newer, 1))).toBe(expected);

    // Certainly not done: the next write may follow at once. Unknown: only after a load.
    const next = await ledgerErrorCode(ledger.writeNode(newer, 1));
    expect(next).toBe(expected === 'unavailable' ? 'unavailable' : 'none');
    const known = (await ledger.load()).nodes.get(nodeId(1));
    expect(await ledgerErrorCode(ledger.writeNode(newer, known?.version ?? 0))).toBe('none');
  });

  it('says where and what to do', async () => {
    const files = new FakeFiles();
    const ledger = await ledgerWithOldRecord(files);
    failAt(files, 1, systemError('ENOSPC', FILE));
    await expect(ledger.writeNode(newer, 1)).rejects.toThrow(/no space left.*1\.json.*free some/);
  });

  it('does not report a record whose durability is unknown', async () => {
    const files = new FakeFiles();
    const ledger = await ledgerWithOldRecord(files);
    files.before = (operation) =>
      operation === 'sync' ? Promise.reject(systemError('EIO', FILE)) : Promise.resolve();
    await expect(ledger.writeNode(newer, 1)).rejects.toThrow();
    expect(await ledgerErrorCode(ledger.load())).toBe('unavailable');
  });
});

describe('the writer that lost its lock', () => {
  it('writes nothing more, a write under way included', async () => {
    const files = new FakeFiles();
    let held = true;
    const ledger = await open(files, () => held);
    await ledger.writeFramework(frameworkRecord(), 0);
    files.before = (operation) => {
      if (operation === 'sync') held = false;
      return Promise.resolve();
    };
    await expect(ledger.writeNode(older, 0)).rejects.toThrow("lost the writer's lock");
    await expect(ledger.writeNode(older, 0)).rejects.toThrow("lost the writer's lock");
    await expect(ledger.load()).rejects.toThrow("lost the writer's lock");
    const next = await open(files.afterCrash('none'));
    expect((await next.load()).nodes.size).toBe(0);
  });
});

describe('a state directory that cannot be trusted', () => {
  const whole = JSON.stringify({ format: 1 });
  const damages: { what: string; path: string; text: string; says: RegExp }[] = [
    { what: 'an empty record', path: FILE, text: '', says: /it is empty/ },
    { what: 'half a record', path: FILE, text: '{"format": 1, "ver', says: /it is not JSON/ },
    { what: 'an unknown format', path: FILE, text: '{"format": 2}', says: /format 2 is not known/ },
    { what: 'an incomplete envelope', path: FILE, text: whole, says: /version/ },
    { what: 'a list', path: FILE, text: '[]', says: /format undefined is not known/ },
    { what: 'a damaged framework record', path: '/state/framework.json', text: 'x', says: /framework\.json/ },
    {
      what: 'a record of our suffix that we never write',
      path: '/state/nodes/01.json',
      text: '',
      says: /01/,
    },
  ];
  it.each(damages)('refuses to open over $what', async ({ path, text, says }) => {
    const files = new FakeFiles();
    await ledgerWithOldRecord(files);
    await files.write(path, text);
    expect(await ledgerErrorCode(open(files))).toBe('corrupt');
    await expect(open(files)).rejects.toThrow(says);
    await expect(open(files)).rejects.toThrow(/put back a copy/);
  });

  it('notices a changed byte', async () => {
    const files = new FakeFiles();
    await ledgerWithOldRecord(files);
    await files.write(FILE, (await files.read(FILE)).replace('"host-1"', '"host-2"'));
    await expect(open(files)).rejects.toThrow(/checksum/);
  });

  it('notices a record under the name of another node', async () => {
    const files = new FakeFiles();
    await ledgerWithOldRecord(files);
    await files.rename(FILE, '/state/nodes/2.json');
    await expect(open(files)).rejects.toThrow(/2\.json.*holds node 1/);
  });

  it('notices that the framework record is gone', async () => {
    const files = new FakeFiles();
    await ledgerWithOldRecord(files);
    await files.remove('/state/framework.json');
    await expect(open(files)).rejects.toThrow(/framework\.json.*missing/);
  });

  it.each(['EIO', 'EACCES'])('never reads as empty when reading fails with %s', async (code) => {
    const files = new FakeFiles();
    const ledger = await ledgerWithOldRecord(files);
    files.before = (operation) =>
      operation === 'read' || operation === 'list'
        ? Promise.reject(systemError(code, ROOT))
        : Promise.resolve();
    expect(await ledgerErrorCode(ledger.load())).toBe(code === 'EIO' ? 'unavailable' : 'read-only');
  });

  it('clears what an interrupted write left, and ignores what is not ours', async () => {
    const files = new FakeFiles();
    await ledgerWithOldRecord(files);
    await files.write('/state/nodes/1.json.tmp', 'half');
    await files.write('/state/nodes/1.json~', 'an editor was here');
    const ledger = await open(files);
    expect(node1(await ledger.load())).toEqual({ record: older, version: 1 });
    expect(await files.list('/state/nodes')).toEqual(['1.json', '1.json~']);
  });

  it.each([
    { code: 'ENOSPC', expected: 'full' },
    { code: 'EROFS', expected: 'read-only' },
  ])('finds out at opening that it is $expected', async ({ code, expected }) => {
    const files = new FakeFiles();
    files.before = (operation) =>
      operation === 'write' ? Promise.reject(systemError(code, ROOT)) : Promise.resolve();
    expect(await ledgerErrorCode(open(files))).toBe(expected);
  });
});
