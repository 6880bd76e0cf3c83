import { randomUUID } from 'node:crypto';
import { LAUNCH_SPEC_VERSION, type LaunchSpecInput } from '@mesos-elasticsearch/contract';

type Parts = Partial<Omit<LaunchSpecInput, 'elasticsearch' | 'lease'>> & {
  elasticsearch?: Partial<LaunchSpecInput['elasticsearch']>;
  lease?: Partial<LaunchSpecInput['lease']>;
};

/**
 * Another one in each test process: an executor ends every process of an earlier epoch of its own node on this machine,
 * so two runs of the tests with one identity would end each other's nodes.
 */
export const CLUSTER_IDENTITY = randomUUID();

/** A whole launch spec of node 1, epoch 1, with what the test is about put in. */
export function launchSpec(parts: Parts = {}): LaunchSpecInput {
  const { elasticsearch, lease, ...rest } = parts;
  return {
    version: LAUNCH_SPEC_VERSION,
    purpose: 'run',
    formerConsumers: [],
    wipeVolumes: false,
    clusterIdentity: CLUSTER_IDENTITY,
    frameworkName: 'elasticsearch',
    clusterName: 'mesos-es',
    nodeId: 1,
    nodeName: 'elasticsearch-1',
    epoch: 1,
    taskId: 'elasticsearch-1.1',
    runtime: { kind: 'jar', distribution: { kind: 'installed', home: '/opt/elasticsearch' } },
    volumes: {
      config: { name: 'elasticsearch1config', driver: 'hostdir', options: {} },
      data: { name: 'elasticsearch1data', driver: 'hostdir', options: {} },
    },
    volumePath: { kind: 'plugin-socket' },
    adoptVolumes: false,
    dataOnRecord: false,
    elasticsearch: {
      jvmOptions: [],
      keystore: {},
      heapMb: 512,
      httpPort: 9200,
      transportPort: 9300,
      bindHost: '127.0.0.1',
      publishHost: '127.0.0.1',
      initialMasterNodes: ['elasticsearch-1'],
      seedHosts: [],
      uid: 1000,
      gid: 1000,
      ...elasticsearch,
    },
    lease: {
      place: { kind: 'directory', directory: '/var/lib/leases' },
      policy: 'fence',
      durationMs: 15_000,
      ...lease,
    },
    stopGraceMs: 30_000,
    ...rest,
  };
}

/** From the spec's own volumes to those of the same names at the driver `other`. */
export const MIGRATION: NonNullable<LaunchSpecInput['migration']> = {
  id: '0d9b6c1e-3c55-4d4e-8a52-8b7a54a1f0aa',
  to: {
    config: { name: 'elasticsearch1config', driver: 'other', options: {} },
    data: { name: 'elasticsearch1data', driver: 'other', options: {} },
  },
  overwriteFormer: false,
};

/** A whole launch spec of a task that migrates node 1. */
export function migrationSpec(parts: Parts = {}): LaunchSpecInput {
  return launchSpec({ purpose: 'migrate', dataOnRecord: true, migration: MIGRATION, ...parts });
}
