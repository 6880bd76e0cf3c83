import { describe, expect, it } from 'vitest';
import { epoch, nodeId, type ClusterIdentity } from './node-id.ts';
import { isOrphanMark, nodeMark } from './node-mark.ts';

const IDENTITY = '6f9b2a52-6f2f-4f6f-9a35-0d3f0f2b6c01' as ClusterIdentity;
const node = { clusterIdentity: IDENTITY, nodeId: nodeId(2), epoch: epoch(5) };

describe('what an earlier executor left behind', () => {
  it('is known by the same node and a lower epoch', () => {
    expect(isOrphanMark(nodeMark({ ...node, epoch: epoch(4) }), node)).toBe(true);
    expect(isOrphanMark(nodeMark({ ...node, epoch: epoch(1) }), node)).toBe(true);
  });
  it.each([
    ['our own epoch', nodeMark(node)],
    ['a newer epoch', nodeMark({ ...node, epoch: epoch(6) })],
    ['another node', nodeMark({ ...node, nodeId: nodeId(1), epoch: epoch(1) })],
    ['another cluster', `00000000-0000-4000-8000-000000000000/2/1`],
    ['a damaged mark', `${IDENTITY}/2`],
    ['an epoch that is no number', `${IDENTITY}/2/x`],
    ['too many parts', `${IDENTITY}/2/1/1`],
  ])('is never %s', (_what, mark) => {
    expect(isOrphanMark(mark, node)).toBe(false);
  });
});
