import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeId } from '@mesos-elasticsearch/contract';
import { free, lowestFree, NO_NODE_IDS, nodeIdsInUse, takeLowest, type NodeIds } from './node-ids.ts';

/** The obvious way: try 1, 2, 3… */
function naiveLowest(taken: ReadonlySet<number>): number {
  let id = 1;
  while (taken.has(id)) id += 1;
  return id;
}

describe('node IDs', () => {
  it('start at 1 and grow while none is freed', () => {
    expect(lowestFree(NO_NODE_IDS, 4)).toEqual([1, 2, 3, 4]);
  });

  it('take a freed one before a new one, the lowest first', () => {
    let ids = nodeIdsInUse([1, 2, 3, 4, 5].map(nodeId));
    ids = free(free(ids, nodeId(4)), nodeId(2));
    expect(lowestFree(ids, 4)).toEqual([2, 4, 6, 7]);
  });

  it('find the gaps of a ledger, however wide', () => {
    expect(lowestFree(nodeIdsInUse([2, 1_000_000_000].map(nodeId)), 3)).toEqual([1, 3, 4]);
  });

  it('refuse to free what was never taken', () => {
    expect(() => free(NO_NODE_IDS, nodeId(1))).toThrow(RangeError);
  });

  it('do what the obvious way does, in any order of taking and freeing', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 })), fc.array(fc.nat()), (start, moves) => {
        const taken = new Set(start);
        let ids = nodeIdsInUse(start.map(nodeId));
        for (const move of moves) {
          const victim = [...taken][move % (taken.size + 1)];
          if (victim === undefined || move % 3 === 0) {
            const next = takeLowest(ids);
            expect(next.id).toBe(naiveLowest(taken));
            taken.add(next.id);
            ids = next.ids;
          } else {
            taken.delete(victim);
            ids = free(ids, nodeId(victim));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('cost a logarithm each, over a hundred thousand operations', () => {
    const operations = 100_000;
    let most = 0;
    let comparisons = 0;
    const counted = <T>(work: (count: () => void) => T): T => {
      comparisons = 0;
      const result = work(() => (comparisons += 1));
      most = Math.max(most, comparisons);
      return result;
    };
    let ids: NodeIds = nodeIdsInUse(Array.from({ length: operations }, (_, i) => nodeId(i + 1)));
    for (let i = 0; i < operations / 2; i += 1) {
      const id = nodeId(((i * 7919) % (operations / 2)) * 2 + 1);
      ids = counted((count) => free(ids, id, count));
    }
    for (let i = 0; i < operations / 2; i += 1) ids = counted((count) => takeLowest(ids, count)).ids;
    expect(ids.gaps).toBeUndefined();
    expect(most).toBeLessThanOrEqual(4 * Math.ceil(Math.log2(operations)));
  });
});
