import type { DesiredCluster } from '../core/model.ts';
import { SAFETY_RULES } from '../core/safety.ts';
import { DEFAULT_TIMING } from '../options.ts';

export type DesiredChanges = { readonly [K in keyof DesiredCluster]?: Partial<DesiredCluster[K]> };

/** Three nodes in jar mode with external volumes, leases of 10 s, policy fence. */
export function desiredCluster(changes: DesiredChanges = {}): DesiredCluster {
  return {
    framework: {
      name: 'elasticsearch',
      user: 'nobody',
      role: '*',
      failoverTimeoutSeconds: 2_592_000,
      ...changes.framework,
    },
    cluster: {
      name: 'mesos-ha',
      nodes: 3,
      strategy: 'external',
      volumes: { config: { driver: 'hostdir', options: {} }, data: { driver: 'hostdir', options: {} } },
      volumePath: { kind: 'plugin-socket' },
      adoptVolumes: false,
      ...changes.cluster,
    },
    node: {
      cpus: 1,
      memMb: 1024,
      diskMb: 2048,
      heapMb: 512,
      ports: 'any',
      runtime: { kind: 'jar', distribution: { kind: 'installed', home: '/opt/elasticsearch' } },
      bindHost: '0.0.0.0',
      publish: 'hostname',
      jvmOptions: [],
      keystore: {},
      uid: 1000,
      gid: 1000,
      stopGraceMs: 60_000,
      ...changes.node,
    },
    executor: {
      bundleFile: '/none',
      nodeProgram: 'node',
      cpus: 0.1,
      memMb: 64,
      shutdownGraceMs: 120_000,
      environment: {},
      labels: {},
      name: 'elasticsearch-executor',
      ...changes.executor,
    },
    suspects: {
      policy: 'fence',
      possiblePolicies: ['wait', 'fence', 'preempt'],
      leaseMs: 10_000,
      pauseBoundMs: 5000,
      leasePlaceOnAgents: { kind: 'directory', directory: '/leases' },
      preemptAfterMs: 60_000,
      driverRevokes: false,
      retiredVolumes: 'refuse',
      ...changes.suspects,
    },
    timing: { ...DEFAULT_TIMING, ...changes.timing },
    safety: { ...SAFETY_RULES, ...changes.safety },
    artifacts: {
      executor: { url: 'http://scheduler/executor.mjs', file: 'executor.mjs', sha256: '0'.repeat(64) },
      ...changes.artifacts,
    },
  };
}
