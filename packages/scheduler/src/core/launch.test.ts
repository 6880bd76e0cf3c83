import { describe, expect, it } from 'vitest';
import {
  decodeLaunchSpec,
  nodeId,
  type ClusterIdentity,
  type FrameworkRecord,
} from '@mesos-elasticsearch/contract';
import { desiredCluster, offerOf, type DesiredChanges } from '../testing/index.ts';
import { buildTask, claimLaunch, EXECUTOR_SCRIPT } from './launch.ts';
import { parseTaskId } from './task-id.ts';
import { nodeVolumesOf } from './migration/volumes.ts';
import { assigned } from './transitions.ts';

const framework: FrameworkRecord = {
  clusterIdentity: '3f0e3a3e-6b0f-4d0a-9f57-1d9f3c1b2a10' as ClusterIdentity,
  frameworkName: 'elasticsearch',
  clusterName: 'mesos-ha',
  bootstrapped: false,
  initialMasterNodes: ['elasticsearch-1', 'elasticsearch-2', 'elasticsearch-3'],
};

function launch(changes: DesiredChanges = {}, facts: Partial<FrameworkRecord> = {}) {
  const desired = desiredCluster(changes);
  const offer = offerOf('offer-1', 'agent-1');
  const claim = claimLaunch(desired, offer)!;
  const taskId = 'elasticsearch-1-1-abc';
  const holder = { taskId, executorId: taskId, agentId: 'agent-1', host: 'agent-1', frameworkId: 'f' };
  const record = assigned(undefined, {
    nodeId: nodeId(1),
    holder,
    purpose: 'run',
    policy: 'fence',
    addresses: { http: 'agent-1:31000', transport: 'agent-1:31001' },
    leftBehind: [],
    newVolumes: nodeVolumesOf('elasticsearch', nodeId(1), desired.cluster.volumes),
    isolated: false,
    wallMs: 1,
  });
  const task = buildTask(desired, {
    record,
    offer,
    claim,
    framework: { ...framework, ...facts },
    seedHosts: ['b:9300'],
  });
  return { task, spec: decodeLaunchSpec(task.data!) };
}

describe('a launch', () => {
  it('tells the executor who it is, which volumes are its own, and where the others are', () => {
    const { task, spec } = launch();
    expect(spec).toMatchObject({
      nodeId: 1,
      epoch: 1,
      nodeName: 'elasticsearch-1',
      volumes: { config: { name: 'elasticsearch1config' }, data: { name: 'elasticsearch1data' } },
      elasticsearch: { httpPort: 31_000, transportPort: 31_001, seedHosts: ['b:9300'] },
      lease: { policy: 'fence', durationMs: 10_000, place: { kind: 'directory', directory: '/leases' } },
    });
    const variables = task.executor?.command?.environment?.variables;
    expect(variables).toContainEqual({ name: 'ELASTICSEARCH_NODE_ID', value: '1' });
    expect(task.executor?.shutdownGracePeriod?.nanoseconds).toBe(120_000_000_000n);
  });

  it('names secrets, and never holds one', () => {
    const secrets = { ZOOKEEPER: { name: 'es/zookeeper' } };
    const variables = launch({ executor: { secrets } }).task.executor?.command?.environment?.variables;
    expect(variables).toContainEqual({
      name: 'ZOOKEEPER',
      type: 'SECRET',
      secret: { type: 'REFERENCE', reference: { name: 'es/zookeeper' } },
    });
  });

  it('passes the first masters only while the cluster has never formed', () => {
    expect(launch().spec.elasticsearch.initialMasterNodes).toHaveLength(3);
    expect(launch({}, { bootstrapped: true }).spec.elasticsearch.initialMasterNodes).toEqual([]);
  });

  it("never puts a user's text into the script", () => {
    const hostile = '"; rm -rf / #';
    const { task } = launch({ executor: { nodeProgram: hostile } });
    const command = task.executor?.command;
    expect(command?.shell).toBe(false);
    expect(command?.value).toBe('/bin/sh');
    expect(command?.arguments).toEqual([
      'sh',
      '-c',
      EXECUTOR_SCRIPT,
      'sh',
      '0'.repeat(64),
      'executor.mjs',
      hostile,
    ]);
  });

  it('has Elasticsearch fetched and cached where it comes as an archive', () => {
    const archive = { url: 'http://scheduler/es.zip', file: 'es.zip', sha256: 'a'.repeat(64) };
    const { task, spec } = launch({
      node: { runtime: { kind: 'jar', distribution: { kind: 'archive' } } },
      artifacts: { archive },
    });
    expect(task.executor?.command?.uris).toContainEqual({
      value: archive.url,
      extract: false,
      cache: true,
      outputFile: 'es.zip',
    });
    expect(spec.runtime).toMatchObject({
      distribution: { kind: 'archive', file: 'es.zip', sha256: archive.sha256 },
    });
  });

  it('refuses an archive that nobody serves', () => {
    expect(() => launch({ node: { runtime: { kind: 'jar', distribution: { kind: 'archive' } } } })).toThrow(
      /archive/,
    );
  });
});

describe('task IDs', () => {
  it.each<[string, { nodeId: number; epoch: number } | undefined]>([
    ['elasticsearch-1-2-abc', { nodeId: 1, epoch: 2 }],
    ['elasticsearch-17-300-0f', { nodeId: 17, epoch: 300 }],
    ['elasticsearch-0-1-abc', undefined],
    ['elasticsearch-1-1', undefined],
    ['other-1-1-abc', undefined],
    ['elasticsearch-1-1-abc/..', undefined],
  ])('%s', (text, expected) => {
    expect(parseTaskId('elasticsearch', text)).toEqual(expected);
  });
});
