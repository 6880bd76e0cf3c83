import { describe, expect, it } from 'vitest';
import type { ProgressLine } from '@mesos-elasticsearch/cli';
import { lineOf, markdownOf } from './report.ts';
import type { RowResult } from './result.ts';
import { goneAheadAt, splitOf } from './timeline.ts';

const told = (kind: string, atMs: number, nodeId = 1) =>
  ({ kind, nodeId, epoch: 2, atMs }) as unknown as ProgressLine;

describe('the split of a recovery', () => {
  it('says where the time went, by the first release and the last launch', () => {
    const lines = [
      told('released', 0, 2),
      told('suspect', 4000),
      told('released', 9000),
      told('launched', 9500),
      told('released', 11_000),
      told('launched', 12_000),
      told('running', 20_000),
    ];
    expect(splitOf({ nodeId: 1, harmedAtMs: 1000, lines, goneAheadAtMs: 14_000 })).toEqual({
      detection: 3,
      proof: 5,
      decision: 3,
      mount: 2,
      start: 6,
    });
  });

  it('leaves out what nobody said', () => {
    const split = splitOf({ nodeId: 1, harmedAtMs: 0, lines: [], goneAheadAtMs: undefined });
    expect(Object.values(split).filter((part) => part !== undefined)).toEqual([]);
  });

  it('finds the moment of the start in the log of an executor', () => {
    const log = 'npm says hello\n{"time":7,"because":"launch"}\n{"time":9,"because":"gone-ahead"}\n';
    expect(goneAheadAt(log)).toBe(9);
    expect(goneAheadAt('')).toBeUndefined();
  });
});

describe('the report of a row', () => {
  const result: RowResult = {
    row: {
      ...{ name: 'x-killed', class: 'kill', victim: 'x', fault: 'kill -9', holds: 'all is well' },
      ...{ outcome: 'returns', boundMs: 1000 },
    },
    misses: [],
    recoverySeconds: 12.34,
    split: { detection: 1, proof: undefined, decision: 0.02, mount: 2, start: 3 },
    hosts: ['agent1', 'agent2'],
    documents: { acknowledged: 10, found: 10 },
    overlaps: 0,
    longestGapMs: 61,
  };
  const from = { commit: 'abc', date: '2026-01-01', command: 'npm run faults', machine: '2 cores' };

  it('says what held, how long it took and what was counted', () => {
    expect(lineOf(result)).toMatch(/^held +x-killed .*12\.3 s.*proof –.*10\/10 documents, 0 overlaps$/);
    expect(markdownOf([result], from)).toContain('higher epoch; all is well');
    expect(markdownOf([result], from)).toContain('commit abc');
    expect(markdownOf([result], from)).toContain('two looks was 61 ms');
  });

  it('names everything that did not hold', () => {
    const broken = { ...result, misses: ['a document is lost', 'two holders'] };
    expect(lineOf(broken)).toMatch(/^BROKEN .*\n +a document is lost\n +two holders$/);
    expect(markdownOf([broken], from)).toContain('**broken**: a document is lost; two holders');
  });
});
