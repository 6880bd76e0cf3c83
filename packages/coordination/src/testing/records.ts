import {
  frameworkRecordSchema,
  leaseRecordSchema,
  nodeRecordSchema,
  type FrameworkRecord,
  type LeaseRecord,
  type NodeRecord,
} from '@mesos-elasticsearch/contract';

/** A valid framework record; `changes` replace its fields. */
export function frameworkRecord(changes: Partial<FrameworkRecord> = {}): FrameworkRecord {
  return frameworkRecordSchema.parse({
    clusterIdentity: '3f0e3a3e-6b0f-4d0a-9f57-1d9f3c1b2a10',
    frameworkName: 'elasticsearch',
    clusterName: 'mesos-ha',
    bootstrapped: false,
    ...changes,
  });
}

/** A valid record of a node that was assigned once; `changes` replace its fields. */
export function nodeRecord(id: number, changes: Partial<NodeRecord> = {}): NodeRecord {
  return nodeRecordSchema.parse({
    nodeId: id,
    epoch: 1,
    phase: 'assigned',
    holder: {
      taskId: `task-${id}`,
      executorId: `executor-${id}`,
      agentId: 'agent-1',
      host: 'host-1',
      frameworkId: 'framework-1',
    },
    dataOnRecord: false,
    suspectPolicy: 'fence',
    why: 'assigned to an offer',
    since: 1_700_000_000_000,
    ...changes,
  });
}

/** A valid lease of node 1 in epoch 1, as its holder takes it; `changes` replace its fields. */
export function leaseRecord(changes: Partial<LeaseRecord> = {}): LeaseRecord {
  return leaseRecordSchema.parse({
    nodeId: 1,
    epoch: 1,
    taskId: 'task-1',
    holder: '6a7f1a52-54a5-4cf2-8a8a-0a8f7a1f0001',
    host: 'host-1',
    durationMs: 10_000,
    selfFencing: true,
    guarded: true,
    counter: 0,
    ...changes,
  });
}
