import { epoch, nodeId } from '@mesos-elasticsearch/contract';
import { frameworkRecord, leaseRecord, nodeRecord } from '@mesos-elasticsearch/coordination/testing';
import { describe, expect, it } from 'vitest';
import { decodeStateDocument, encodeStateDocument, exportedStateOf, type StateDocument } from './document.ts';

const state: StateDocument = {
  place: '/var/lib/es',
  exportedAt: '2030-01-02T03:04:05.000Z',
  framework: { version: 4, record: frameworkRecord() },
  nodes: [{ version: 7, record: nodeRecord(1) }],
  leases: [
    { nodeId: nodeId(1), epoch: epoch(1), state: 'open', lease: leaseRecord() },
    { nodeId: nodeId(2), epoch: epoch(1), state: 'unreadable' },
  ],
};

describe('an exported state', () => {
  it('reads as it was written', () => {
    expect(decodeStateDocument(encodeStateDocument(state))).toEqual(state);
  });

  it('is evidence of what it says, and of no lease that could not be read', () => {
    const { leases, exportedAtMs } = exportedStateOf('backup.json', state);
    expect(leases).toMatchObject([{ nodeId: 1, source: 'backup.json', state: 'open' }]);
    expect(exportedAtMs).toBe(Date.UTC(2030, 0, 2, 3, 4, 5));
  });

  it('is refused when it was cut, changed, or is something else', () => {
    const text = encodeStateDocument(state);
    expect(() => decodeStateDocument(text.slice(0, -20))).toThrow(/not JSON/);
    expect(() => decodeStateDocument('')).toThrow(/empty/);
    expect(() => decodeStateDocument(text.replace('"epoch": 1', '"epoch": 2'))).toThrow(/checksum/);
    expect(() => decodeStateDocument(text.replace('"format": 1', '"format": 2'))).toThrow(/format/);
    expect(() => decodeStateDocument('{}')).toThrow(/no export/);
  });
});
