import { LAUNCH_SPEC_VERSION, type LaunchSpecInput } from '@mesos-elasticsearch/contract';

type Parts = Partial<Omit<LaunchSpecInput, 'elasticsearch' | 'lease'>> & {
  elasticsearch?: Partial<LaunchSpecInput['elasticsearch']>;
  lease?: Partial<LaunchSpecInput['lease']>;
};

/** A whole launch spec of node 1, epoch 1, with what the test is about put in. */
export function launchSpec(parts: Parts = {}): LaunchSpecInput {
  const { elasticsearch, lease, ...rest } = parts;
  return {
    version: LAUNCH_SPEC_VERSION,
    purpose: 'run',
    formerConsumers: [],
    wipeVolumes: false,
    clusterIdentity: '6f0a4b1c-6a5c-4a52-9d7e-3f0d8f6a1b2c',
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
