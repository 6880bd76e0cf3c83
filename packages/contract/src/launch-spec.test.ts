import { describe, expect, it } from 'vitest';
import {
  LAUNCH_SPEC_VERSION,
  LaunchSpecError,
  decodeLaunchSpec,
  encodeLaunchSpec,
  type LaunchSpecInput,
} from './launch-spec.ts';

const spec: LaunchSpecInput = {
  version: LAUNCH_SPEC_VERSION,
  clusterIdentity: '3f0e3a3e-6b0f-4d0a-9f57-1d9f3c1b2a10',
  frameworkName: 'elasticsearch',
  clusterName: 'mesos-ha',
  nodeId: 3,
  nodeName: 'elasticsearch-3',
  epoch: 2,
  taskId: 'elasticsearch-3-2',
  purpose: 'run',
  formerConsumers: [],
  wipeVolumes: false,
  runtime: { kind: 'jar', distribution: { kind: 'installed', home: '/opt/elasticsearch' } },
  volumes: {
    config: { name: 'elasticsearch3config', driver: 'hostdir', options: {} },
    data: { name: 'elasticsearch3data', driver: 'hostdir', options: { size: '5' } },
  },
  volumePath: { kind: 'plugin-socket' },
  volumeMounter: { kind: 'executor' },
  adoptVolumes: false,
  dataOnRecord: true,
  elasticsearch: {
    settings: 'indices.query.bool.max_clause_count: 2048',
    jvmOptions: ['-XX:+UseG1GC'],
    keystore: { 's3.client.default.access_key': 'ключ' },
    heapMb: 512,
    httpPort: 9200,
    transportPort: 9300,
    bindHost: '0.0.0.0',
    publishHost: 'agent-1',
    initialMasterNodes: [],
    seedHosts: ['agent-2:9300'],
    uid: 1000,
    gid: 1000,
  },
  lease: { place: { kind: 'directory', directory: '/mnt/leases' }, policy: 'fence', durationMs: 10_000 },
  stopGraceMs: 60_000,
};

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe('a launch spec', () => {
  it('arrives as it was sent', () => {
    expect(decodeLaunchSpec(encodeLaunchSpec(spec))).toEqual(spec);
  });

  it('lets the executor mount where nobody else is named, and says where an isolator does', () => {
    const { volumeMounter: mounter, ...unnamed } = spec;
    expect(decodeLaunchSpec(encodeLaunchSpec(unnamed)).volumeMounter).toEqual(mounter);
    const paths = { config: '/tmp/config', data: '/data' };
    const isolated = { kind: 'dvdi-isolator', paths, dvdcli: '/usr/bin/dvdcli' } as const;
    const sent = { ...spec, volumeMounter: isolated };
    expect(decodeLaunchSpec(encodeLaunchSpec(sent)).volumeMounter).toEqual(isolated);
  });

  it.each<LaunchSpecInput['runtime']>([
    { kind: 'docker', image: 'elasticsearch:8', forcePull: false, socket: '/var/run/docker.sock' },
    {
      kind: 'jar',
      distribution: { kind: 'archive', file: 'es.zip', sha256: 'a'.repeat(64) },
      javaHome: '/j',
    },
  ])('arrives with runtime %j', (runtime) => {
    expect(decodeLaunchSpec(encodeLaunchSpec({ ...spec, runtime })).runtime).toEqual(runtime);
  });

  it.each([undefined, 0, 2, 4, '3'])('of version %j is refused by name of the version', (version) => {
    const bytes = encoded({ ...spec, version });
    expect(() => decodeLaunchSpec(bytes)).toThrow(LaunchSpecError);
    expect(() => decodeLaunchSpec(bytes)).toThrow(/version .* is not known here/);
  });

  it('that is wrong is refused with every wrong field', () => {
    const wrong = {
      ...spec,
      nodeId: 0,
      elasticsearch: { ...spec.elasticsearch, httpPort: 70_000 },
      extra: 1,
    };
    expect(() => decodeLaunchSpec(encoded(wrong))).toThrow(/nodeId[\s\S]*httpPort/);
    expect(() => decodeLaunchSpec(encoded(wrong))).toThrow(/extra/);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['half of it', encodeLaunchSpec(spec).slice(0, 40)],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe)],
    ['null', encoded(null)],
    ['a number', encoded(7)],
  ])('is not read from %s', (_, bytes) => {
    expect(() => decodeLaunchSpec(bytes)).toThrow(LaunchSpecError);
  });

  it('that is wrong is not sent', () => {
    expect(() => encodeLaunchSpec({ ...spec, epoch: 0 })).toThrow(/epoch/);
  });
});
