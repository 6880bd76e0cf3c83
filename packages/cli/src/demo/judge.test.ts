import { describe, expect, it } from 'vitest';
import { misses, reportOf, type Aftermath, type NodeSnapshot, type Snapshot } from './judge.ts';

function node(nodeId: number, agent: string, epoch = 1): NodeSnapshot {
  const volumes = [`demo-x${nodeId}config`, `demo-x${nodeId}data`];
  return {
    nodeId,
    epoch,
    agent,
    name: `demo-x-${nodeId}`,
    volumes,
    identities: Object.fromEntries(volumes.map((name) => [name, `identity of ${name}`])),
  };
}
const before: Snapshot = {
  nodes: [node(1, 'agent1'), node(2, 'agent2')],
  documents: 10,
  shards: [
    { shard: 0, node: 'demo-x-1' },
    { shard: 1, node: 'demo-x-2' },
  ],
};
const good: Aftermath = {
  ...before,
  nodes: [node(1, 'agent1'), node(2, 'agent3', 2)],
  missingDocuments: [],
  recoveries: [
    { shard: 0, type: 'EMPTY_STORE', node: 'demo-x-1' },
    { shard: 1, type: 'EXISTING_STORE', node: 'demo-x-2' },
  ],
  health: { status: 'green', nodes: 2 },
};

describe('the lost node', () => {
  it('came back with its data: nothing is missed', () => {
    expect(misses(before, good, 2)).toEqual([]);
  });

  it.each<[string, Partial<Aftermath>, RegExp]>([
    ['does not run', { nodes: [node(1, 'agent1')] }, /node 2 does not run again/],
    [
      'runs on the dead machine',
      { nodes: [node(1, 'agent1'), node(2, 'agent2', 2)] },
      /on agent2 again, which was killed/,
    ],
    ['keeps its epoch', { nodes: [node(1, 'agent1'), node(2, 'agent3', 1)] }, /epoch of node 2 did not grow/],
    [
      'comes with another',
      { nodes: [...good.nodes, node(3, 'agent4')] },
      /node IDs changed: 1, 2, then 1, 2, 3/,
    ],
    [
      'made another move',
      { nodes: [node(1, 'agent4', 2), node(2, 'agent3', 2)] },
      /node 1 moved although its machine lives/,
    ],
    ['leaves the cluster yellow', { health: { status: 'yellow', nodes: 2 } }, /cluster is yellow/],
    ['has not joined', { health: { status: 'green', nodes: 1 } }, /cluster has 1 nodes, not 2/],
    ['lost a document', { documents: 9 }, /were 10 documents, now there are 9/],
    ['lost one and has another', { missingDocuments: ['7'] }, /1 documents are lost: 7/],
    [
      'has other volumes',
      { nodes: [node(1, 'agent1'), { ...node(2, 'agent3', 2), volumes: ['demo-x3config'] }] },
      /node 2 has other volumes/,
    ],
    [
      'has new volumes under the old names',
      { nodes: [node(1, 'agent1'), { ...node(2, 'agent3', 2), identities: { 'demo-x2config': 'new' } }] },
      /marker on demo-x2config is not the old one.*then new/,
    ],
    [
      'was filled by a peer',
      { recoveries: [{ shard: 1, type: 'PEER', node: 'demo-x-2' }] },
      /shard 1 came from PEER, not from EXISTING_STORE/,
    ],
    [
      'lost its shard to another',
      { recoveries: [{ shard: 1, type: 'EXISTING_STORE', node: 'demo-x-1' }] },
      /shard 1 came back on demo-x-1/,
    ],
  ])('%s: that is said', (_what, change, said) => {
    expect(misses(before, { ...good, ...change }, 2).join('\n')).toMatch(said);
  });

  it('that held no shard shows nothing', () => {
    const { shards } = before;
    expect(misses({ ...before, shards: shards.slice(0, 1) }, good, 2)).toEqual([
      'node 2 held no shard, so nothing was shown',
    ]);
  });

  it('is reported with all that a reader of the JSON looks for', () => {
    const circumstances = {
      lostNodeId: 2,
      seconds: { toRunning: 20, toGreen: 25 },
      driver: 'hostdir',
      runtime: 'jar',
      elasticsearch: '8.19.5',
    };
    expect(reportOf(before, good, circumstances)).toEqual({
      nodeIds: { before: [1, 2], after: [1, 2] },
      volumes: ['demo-x1config', 'demo-x1data', 'demo-x2config', 'demo-x2data'],
      documents: { before: 10, after: 10 },
      recoveredFrom: 'EXISTING_STORE',
      epochs: { before: { '1': 1, '2': 1 }, after: { '1': 1, '2': 2 } },
      lostAgent: 'agent2',
      ...circumstances,
    });
  });
});
