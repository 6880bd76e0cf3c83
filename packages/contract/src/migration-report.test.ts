import { describe, expect, it } from 'vitest';
import { epoch, nodeId } from './node-id.ts';
import {
  decodeMigrationReport,
  decodeNodeReport,
  decodeSeedHosts,
  encodeJson,
  type MigrationReport,
} from './node-report.ts';

const report: MigrationReport = {
  version: 1,
  kind: 'migration',
  nodeId: nodeId(2),
  epoch: epoch(4),
  stage: 'copying',
  volumes: [
    { role: 'data', bytesTotal: 10, bytesCopied: 4, bytesVerified: 0, files: 1, notKept: ['ownership'] },
  ],
};

describe('the report of a task that migrates', () => {
  it('arrives as it was sent, and is taken for nothing else', () => {
    const bytes = encodeJson(report);
    expect(decodeMigrationReport(bytes)).toEqual(report);
    expect(decodeNodeReport(bytes)).toBeUndefined();
    expect(decodeSeedHosts(bytes)).toBeUndefined();
  });

  it.each([
    '',
    '{}',
    JSON.stringify({ ...report, stage: 'done' }),
    JSON.stringify({ ...report, version: 2 }),
  ])('is not found in %j', (text) =>
    expect(decodeMigrationReport(new TextEncoder().encode(text))).toBeUndefined(),
  );
});
