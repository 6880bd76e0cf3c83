import {
  epoch,
  nodeId,
  nodeRecordSchema,
  type ClusterIdentity,
  type FrameworkRecord,
  type LeaseRecord,
  type MarkerRecord,
  type NodeRecord,
} from '@mesos-elasticsearch/contract';
import { frameworkRecord, leaseRecord, nodeRecord } from '@mesos-elasticsearch/coordination/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence, ExportedState, LeaseEvidence, TaskEvidence } from './evidence.ts';
import { rebuildLedger } from './rebuild.ts';

const identity = frameworkRecord().clusterIdentity;
const other = '00000000-0000-4000-8000-000000000001' as ClusterIdentity;
const NOW = 2_000_000_000_000;

const nothing: Evidence = {
  frameworkName: 'elasticsearch',
  clusterName: 'mesos-ha',
  exports: [],
  tasks: [],
  agents: [],
  markers: [],
  leases: [],
};
function task(id: number, at: number, changes: Partial<TaskEvidence> = {}): TaskEvidence {
  const taskId = `elasticsearch-${id}-${at}-abc`;
  return {
    source: 'the master',
    frameworkName: 'elasticsearch',
    clusterIdentity: identity,
    nodeId: nodeId(id),
    epoch: epoch(at),
    taskId,
    executorId: taskId,
    agentId: 'S1',
    host: 'agent1',
    frameworkId: 'F1',
    state: 'TASK_RUNNING',
    isRegistered: true,
    ...changes,
  };
}
function marker(id: number, at: number, changes: Partial<MarkerRecord> = {}) {
  const found: MarkerRecord = {
    format: 1,
    clusterIdentity: identity,
    frameworkName: 'elasticsearch',
    clusterName: 'mesos-ha',
    nodeId: nodeId(id),
    role: 'data',
    epoch: epoch(at),
    volumeIdentity: other,
    ...changes,
  };
  return { source: `marker of ${id}`, marker: found };
}
function lease(id: number, at: number, changes: Partial<LeaseRecord> = {}): LeaseEvidence {
  const record = leaseRecord({ nodeId: nodeId(id), epoch: epoch(at), ...changes });
  return { source: 'leases', nodeId: nodeId(id), epoch: epoch(at), state: 'open', lease: record };
}
function exported(
  nodes: NodeRecord[],
  changes: Partial<ExportedState> = {},
  framework: Partial<FrameworkRecord> = {},
) {
  return {
    source: 'backup.json',
    exportedAtMs: 1,
    framework: frameworkRecord({ frameworkId: 'F1', bootstrapped: true, clusterUuid: 'uuid', ...framework }),
    nodes,
    leases: [],
    ...changes,
  };
}
function rebuilt(changes: Partial<Evidence>) {
  const result = rebuildLedger({ ...nothing, ...changes }, NOW);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result;
}
function problems(changes: Partial<Evidence>) {
  const result = rebuildLedger({ ...nothing, ...changes }, NOW);
  return result.ok ? [] : result.problems;
}
const only = (nodes: readonly NodeRecord[], id: number) => nodes.find((each) => each.nodeId === id);

describe('rebuilding a ledger', () => {
  it('takes identity, framework ID, UUID and settings from what is left, and the volumes from an export', () => {
    const volumes = nodeRecordSchema.shape.volumes.parse({
      config: { name: 'elasticsearch1config', driver: 'rexray', options: { size: '5' } },
      data: { name: 'elasticsearch1data', driver: 'rexray', options: { size: '5' } },
    });
    const before = nodeRecord(1, { epoch: 3, phase: 'running', dataOnRecord: true, volumes });
    const { framework, nodes } = rebuilt({
      exports: [exported([before], {}, { settings: { suspectPolicy: 'fence' } })],
    });
    expect(framework).toEqual({
      clusterIdentity: identity,
      frameworkName: 'elasticsearch',
      clusterName: 'mesos-ha',
      frameworkId: 'F1',
      bootstrapped: true,
      wantedNodes: 1,
      clusterUuid: 'uuid',
      settings: { suspectPolicy: 'fence' },
    });
    expect(nodes).toEqual([
      {
        nodeId: 1,
        epoch: 3,
        phase: 'suspect',
        holder: before.holder,
        volumes,
        dataOnRecord: true,
        suspectPolicy: 'wait',
        why: expect.stringMatching(/^rebuilt: epoch 3 is the highest/),
        since: NOW,
      },
    ]);
  });

  it('believes the highest epoch, whoever names it, and the holder of that epoch', () => {
    const { nodes } = rebuilt({
      exports: [exported([nodeRecord(1, { epoch: 2 }), nodeRecord(2, { epoch: 9 })])],
      tasks: [task(1, 5), task(3, 1)],
      markers: [marker(1, 4), marker(3, 6)],
      leases: [lease(2, 4), lease(4, 2, { host: 'agent1', taskId: 'elasticsearch-4-2-x' })],
      agents: [{ agentId: 'S1', host: 'agent1' }],
    });
    expect(nodes.map((node) => [node.nodeId, node.epoch, node.holder?.taskId])).toEqual([
      [1, 5, 'elasticsearch-1-5-abc'],
      [2, 9, 'task-2'],
      [3, 6, 'unknown-3-6'],
      [4, 2, 'elasticsearch-4-2-x'],
    ]);
    expect(only(nodes, 4)?.holder).toMatchObject({ agentId: 'S1', host: 'agent1', frameworkId: 'F1' });
    // The task of an epoch that is past may still have the volumes mounted.
    expect(only(nodes, 3)?.leftBehind).toEqual([{ agentId: 'S1', taskId: 'elasticsearch-3-1-abc' }]);
    expect(only(nodes, 1)?.leftBehind).toEqual([{ agentId: 'agent-1', taskId: 'task-1' }]);
  });

  it('knows data where a marker, a running task or an export does', () => {
    const { nodes } = rebuilt({
      tasks: [task(1, 1), task(2, 1, { state: 'TASK_STAGING' })],
      markers: [marker(3, 1, { role: 'config' })],
      leases: [lease(4, 1)],
    });
    expect(nodes.map(({ dataOnRecord }) => dataOnRecord)).toEqual([true, false, true, false]);
  });

  it('takes a node ID below the highest one for handed out, though nothing was found of it', () => {
    const { framework, nodes, warnings } = rebuilt({ tasks: [task(3, 2)] });
    expect(nodes.map((node) => [node.nodeId, node.phase, node.epoch, node.dataOnRecord])).toEqual([
      [1, 'suspect', 1, true],
      [2, 'suspect', 1, true],
      [3, 'suspect', 2, true],
    ]);
    expect(framework.wantedNodes).toBe(3);
    expect(warnings.join('\n')).toMatch(
      /node 1: nothing was found.*\n.*node 2: nothing.*\n.*above 3: .*handed out anew/s,
    );
  });

  it('never forms a cluster again that may have formed', () => {
    const fresh = exported([nodeRecord(1)], {}, { bootstrapped: false });
    expect(rebuilt({ exports: [fresh] }).framework.bootstrapped).toBe(false);
    expect(rebuilt({ exports: [fresh], leases: [lease(1, 1)] }).framework.bootstrapped).toBe(true);
    expect(rebuilt({ exports: [fresh], markers: [marker(1, 1)] }).framework.bootstrapped).toBe(true);
    expect(rebuilt({ tasks: [task(1, 1)] }).framework.bootstrapped).toBe(true);
  });

  it('does not empty volumes a second time', () => {
    const retired = nodeRecord(1, { phase: 'retired', wipe: true });
    const { nodes, warnings } = rebuilt({ exports: [exported([retired])] });
    expect(nodes[0]).toMatchObject({ phase: 'suspect' });
    expect(nodes[0]).not.toHaveProperty('wipe');
    expect(warnings.join('\n')).toMatch(/was retired.*\n.*to be emptied/);
  });

  it('refuses to mix two clusters, and lists who says what', () => {
    const mixed = { tasks: [task(1, 1)], markers: [marker(2, 1, { clusterIdentity: other })] };
    expect(problems(mixed)).toEqual([
      `the cluster identity is not the same everywhere; leave out what belongs to another cluster:\n    the master: ${identity}\n    marker of 2: ${other}`,
    ]);
    expect(problems({ markers: [marker(1, 1, { frameworkName: 'logs' })] })[0]).toMatch(
      /framework name .*\n.*--frameworkName: elasticsearch\n.*marker of 1: logs/s,
    );
    expect(problems({ tasks: [task(1, 1), task(2, 1, { frameworkId: 'F2' })] })[0]).toMatch(/framework ID/);
    const removed = task(2, 1, { frameworkId: 'F0', isRegistered: false });
    expect(rebuilt({ tasks: [removed, task(1, 1)] }).framework.frameworkId).toBe('F1');
    expect(problems({ exports: [exported([])], markers: [marker(1, 1, { clusterName: 'x' })] })[0]).toMatch(
      /cluster name/,
    );
    const twice = [exported([]), exported([], {}, { clusterUuid: 'another' })];
    expect(problems({ exports: twice })[0]).toMatch(/UUID/);
  });

  it('refuses to make a cluster out of nothing', () => {
    expect(problems({})[0]).toMatch(/no evidence names the cluster identity/);
    expect(problems({ leases: [lease(1, 1)] })[0]).toMatch(/cluster identity/);
    expect(problems({ markers: [marker(1_000_000_000, 1)] })[0]).toMatch(/999999999/);
  });
});

describe('whatever is found', () => {
  const ids = fc.integer({ min: 1, max: 6 });
  const epochs = fc.integer({ min: 1, max: 9 });
  const record = fc
    .record({
      id: ids,
      at: epochs,
      phase: fc.constantFrom('vacant', 'assigned', 'running', 'suspect', 'releasing', 'retired'),
    })
    .map(({ id, at, phase }) => {
      const made = nodeRecord(id, { epoch: at, phase });
      if (phase === 'vacant' || phase === 'retired') delete made.holder;
      return made;
    });
  const oneEach = fc.uniqueArray(record, { selector: ({ nodeId: id }) => id });
  const states = fc.constantFrom('TASK_STAGING', 'TASK_RUNNING', 'TASK_LOST', 'TASK_FINISHED');
  const pair = fc.tuple(ids, epochs);
  const evidence: fc.Arbitrary<Evidence> = fc.record({
    frameworkName: fc.constant('elasticsearch'),
    clusterName: fc.constant('mesos-ha'),
    agents: fc.constant([{ agentId: 'S1', host: 'host-1' }]),
    exports: fc.array(
      fc.tuple(oneEach, fc.nat(9)).map(([nodes, exportedAtMs]) => exported(nodes, { exportedAtMs })),
      { maxLength: 2 },
    ),
    tasks: fc.array(fc.tuple(ids, epochs, states).map(([id, at, state]) => task(id, at, { state }))),
    markers: fc.array(
      pair.map(([id, at]) => marker(id, at)),
      { minLength: 1 },
    ),
    leases: fc.array(pair.map(([id, at]) => lease(id, at))),
  });

  it('no epoch is lower than any evidence, no holder is forgotten, and nothing is free to be launched', () => {
    fc.assert(
      fc.property(evidence, (found) => {
        const { nodes, framework } = rebuilt(found);
        const records = found.exports.flatMap((each) => each.nodes);
        const said = [
          ...records,
          ...found.tasks,
          ...found.markers.map((each) => each.marker),
          ...found.leases,
        ];
        for (const each of said) expect(only(nodes, each.nodeId)?.epoch).toBeGreaterThanOrEqual(each.epoch);
        for (const node of nodes) {
          expect(node.phase).toBe('suspect');
          const held = [
            ...records.filter((each) => each.holder !== undefined),
            ...found.tasks,
            ...found.leases,
          ].some((each) => each.nodeId === node.nodeId && each.epoch === node.epoch);
          expect(node.holder!.taskId.startsWith('unknown')).toBe(!held);
        }
        // As many are wanted as there are: no node ID is handed out anew.
        expect(framework.wantedNodes).toBe(nodes.length);
        expect(nodes.map((node) => node.nodeId)).toEqual(nodes.map((_, at) => at + 1));
      }),
      { numRuns: 300 },
    );
  });
});
