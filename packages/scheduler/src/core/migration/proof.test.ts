import { describe, expect, it } from 'vitest';
import { encodeJson, epoch, nodeId, type NodeReport } from '@mesos-elasticsearch/contract';
import { nodeRecord } from '@mesos-elasticsearch/coordination/testing';
import { isUnstarted } from './proof.ts';

const record = nodeRecord(1, { epoch: epoch(4) });
const report: NodeReport = {
  version: 1,
  nodeId: nodeId(1),
  epoch: epoch(4),
  http: 'agent1:9200',
  transport: 'agent1:9300',
  volumes: [],
  tied: true,
};
const unstarted: NodeReport = { ...report, neverStarted: true };

describe('that Elasticsearch was never let start', () => {
  const end = { state: 'TASK_FAILED', source: 'SOURCE_EXECUTOR', data: encodeJson(unstarted) } as const;

  it('is the word of the executor of that epoch, at its end', () => {
    for (const state of ['TASK_FAILED', 'TASK_KILLED', 'TASK_FINISHED'] as const)
      expect(isUnstarted(record, { ...end, state })).toBe(true);
  });
  it.each([
    ['an end without that word', { ...end, data: encodeJson(report) }],
    ['an end without a report', { state: end.state, source: end.source }],
    ['an end of an earlier epoch', { ...end, data: encodeJson({ ...unstarted, epoch: epoch(3) }) }],
    ['an end of another node', { ...end, data: encodeJson({ ...unstarted, nodeId: nodeId(2) }) }],
    ['what the agent says in its place', { ...end, source: 'SOURCE_AGENT' as const }],
    ['a task that is lost', { ...end, state: 'TASK_LOST' as const }],
    ['a task that goes on', { ...end, state: 'TASK_STARTING' as const }],
  ])('is not %s', (_what, status) => {
    expect(isUnstarted(record, status)).toBe(false);
  });
});
