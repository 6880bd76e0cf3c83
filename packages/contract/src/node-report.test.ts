import { describe, expect, it } from 'vitest';
import { nodeId, epoch } from './node-id.ts';
import {
  decodeNodeReport,
  decodeSeedHosts,
  encodeJson,
  type NodeReport,
  type SeedHostsMessage,
} from './node-report.ts';

const report: NodeReport = {
  version: 1,
  nodeId: nodeId(1),
  epoch: epoch(2),
  http: 'agent-1:9200',
  transport: 'agent-1:9300',
  volumes: [],
  tied: true,
};

describe('a node report', () => {
  it('arrives as it was sent, and tolerates fields of a later version', () => {
    expect(decodeNodeReport(encodeJson(report))).toEqual(report);
    const later = new TextEncoder().encode(JSON.stringify({ ...report, news: true }));
    expect(decodeNodeReport(later)).toEqual(report);
  });

  it.each(['', '{}', 'null', '{"version":2}', 'not json'])('is not found in %j', (text) => {
    const bytes = new TextEncoder().encode(text);
    expect(decodeNodeReport(bytes)).toBeUndefined();
    expect(decodeSeedHosts(bytes)).toBeUndefined();
  });

  it('is not taken for a message with seed hosts', () => {
    const message: SeedHostsMessage = { version: 1, kind: 'seed-hosts', hosts: ['agent-2:9300'] };
    expect(decodeSeedHosts(encodeJson(message))).toEqual(message);
    expect(decodeSeedHosts(encodeJson(report))).toBeUndefined();
    expect(decodeNodeReport(encodeJson(message))).toBeUndefined();
  });
});
