import { epoch, nodeId } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { LedgerError } from '../ledger-store.ts';
import { LeaseUnavailableError } from '../lease-service.ts';
import { ledgerErrorCode } from './ledger-contract.ts';
import { MemoryLeases } from './memory-leases.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { leaseRecord, nodeRecord } from './records.ts';

describe('faults of the fakes', () => {
  it('fail: nothing was done, and the error may be chosen', async () => {
    const ledger = new MemoryLedger();
    ledger.faults.next('writeNode', { kind: 'fail', error: new LedgerError('full', 'no space') });
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1), 0))).toBe('full');
    expect((await ledger.load()).nodes.size).toBe(0);
    expect(await ledger.writeNode(nodeRecord(1), 0)).toBe(1);
  });

  it('no answer: it was done, and the ledger must be loaded before the next write', async () => {
    const ledger = new MemoryLedger();
    ledger.faults.next('writeNode', { kind: 'no-answer' });
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1), 0))).toBe('unavailable');
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1), 1))).toBe('unavailable');
    expect((await ledger.load()).nodes.get(nodeId(1))?.version).toBe(1);
    expect(await ledger.writeNode(nodeRecord(1), 1)).toBe(2);
  });

  it('delay: it is done later, and other operations go on meanwhile', async () => {
    const leases = new MemoryLeases();
    await leases.openEpoch(nodeId(1), epoch(1));
    await leases.take(leaseRecord());
    let release = (): void => undefined;
    leases.faults.next('renew', { kind: 'delay', until: new Promise<void>((done) => (release = done)) });
    const renewal = leases.renew(leaseRecord({ counter: 1 }));
    expect(await leases.closeEpoch(nodeId(1), epoch(1))).toEqual(leaseRecord());
    release();
    expect(await renewal).toBe('closed');
  });

  it('are used once, for the operation they are meant for', async () => {
    const leases = new MemoryLeases();
    leases.faults.next('read', { kind: 'fail' });
    await leases.openEpoch(nodeId(1), epoch(1));
    await expect(leases.read(nodeId(1), epoch(1))).rejects.toThrow(LeaseUnavailableError);
    expect(await leases.read(nodeId(1), epoch(1))).toEqual({ state: 'open', lease: undefined });
  });
});
