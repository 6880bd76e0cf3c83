import { nodeId } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { LedgerError, type LedgerErrorCode, type LedgerStore } from '../ledger-store.ts';
import { frameworkRecord, nodeRecord } from './records.ts';

/** One place where a ledger lies; `open` may be called again after `close`, as after a restart. */
export interface LedgerPlace {
  open(): Promise<LedgerStore>;
}

/** What every form of {@link LedgerStore} does. `make` gives a place where nothing was written yet. */
export function ledgerStoreContract(name: string, make: () => Promise<LedgerPlace>): void {
  describe(`${name} keeps the contract of the ledger`, () => {
    recordsLast(make);
    writesAreCompareAndSet(make);
    thereIsOneWriter(make);
  });
}

/** Resolves to the code of the LedgerError that the promise rejects with. */
export async function ledgerErrorCode(promise: Promise<unknown>): Promise<LedgerErrorCode | 'none'> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (error instanceof LedgerError) return error.code;
    throw error;
  }
}

function recordsLast(make: () => Promise<LedgerPlace>): void {
  it('starts empty', async () => {
    const ledger = await (await make()).open();
    expect(await ledger.load()).toEqual({ framework: undefined, nodes: new Map() });
    await ledger.close();
  });

  it('finds after a restart all that was written before', async () => {
    const place = await make();
    const before = await place.open();
    await before.writeFramework(frameworkRecord(), 0);
    await before.writeFramework(frameworkRecord({ frameworkId: 'framework-1' }), 1);
    for (const id of [1, 2, 10]) await before.writeNode(nodeRecord(id), 0);
    await before.writeNode(nodeRecord(2, { phase: 'running', dataOnRecord: true }), 1);
    await before.close();

    const after = await place.open();
    const snapshot = await after.load();
    expect(snapshot.framework).toEqual({
      record: frameworkRecord({ frameworkId: 'framework-1' }),
      version: 2,
    });
    expect(snapshot.nodes.size).toBe(3);
    expect(snapshot.nodes.get(nodeId(10))).toEqual({ record: nodeRecord(10), version: 1 });
    expect(snapshot.nodes.get(nodeId(2))).toEqual({
      record: nodeRecord(2, { phase: 'running', dataOnRecord: true }),
      version: 2,
    });
    await after.close();
  });

  it('refuses a record it could not read back, and keeps the old one', async () => {
    const ledger = await (await make()).open();
    await ledger.writeFramework(frameworkRecord(), 0);
    const wrong = { ...frameworkRecord(), frameworkName: '' };
    await expect(ledger.writeFramework(wrong, 1)).rejects.toThrow('frameworkName');
    expect((await ledger.load()).framework).toEqual({ record: frameworkRecord(), version: 1 });
    await ledger.close();
  });
}

function writesAreCompareAndSet(make: () => Promise<LedgerPlace>): void {
  it('changes nothing when the version is not the expected one', async () => {
    const ledger = await (await make()).open();
    await ledger.writeFramework(frameworkRecord(), 0);
    await ledger.writeNode(nodeRecord(1), 0);
    const changed = nodeRecord(1, { phase: 'suspect' });
    expect(await ledgerErrorCode(ledger.writeNode(changed, 0))).toBe('conflict');
    expect(await ledgerErrorCode(ledger.writeNode(changed, 2))).toBe('conflict');
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(2), 1))).toBe('conflict');
    expect((await ledger.load()).nodes).toEqual(
      new Map([[nodeId(1), { record: nodeRecord(1), version: 1 }]]),
    );
    expect(await ledger.writeNode(changed, 1)).toBe(2);
    await ledger.close();
  });

  it('lets one of two writes of the same version through', async () => {
    const ledger = await (await make()).open();
    await ledger.writeFramework(frameworkRecord(), 0);
    const codes = await Promise.all(
      ['a', 'b'].map((why) => ledgerErrorCode(ledger.writeNode(nodeRecord(1, { why }), 0))),
    );
    expect(codes.sort()).toEqual(['conflict', 'none']);
    await ledger.close();
  });
}

function thereIsOneWriter(make: () => Promise<LedgerPlace>): void {
  it('opens for one writer at a time', async () => {
    const place = await make();
    const writer = await place.open();
    expect(await ledgerErrorCode(place.open())).toBe('in-use');
    await writer.close();
    const next = await place.open();
    await next.close();
  });

  it('does nothing once it is closed', async () => {
    const ledger = await (await make()).open();
    await ledger.close();
    expect(await ledgerErrorCode(ledger.load())).toBe('unavailable');
    expect(await ledgerErrorCode(ledger.writeFramework(frameworkRecord(), 0))).toBe('unavailable');
    await ledger.close();
  });
}
