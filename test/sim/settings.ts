/** What is drawn once per seed: the cluster, its options, its times. */
import type { RetiredVolumes, SuspectPolicy } from '@mesos-elasticsearch/contract';
import {
  DEFAULT_TIMING,
  SAFETY_RULES,
  type DesiredCluster,
  type SafetyRules,
} from '@mesos-elasticsearch/scheduler/core';
import { Random } from './random.ts';

export interface Settings {
  readonly nodes: number;
  readonly agents: number;
  readonly schedulers: number;
  readonly service: 'directory' | 'zookeeper';
  readonly policy: SuspectPolicy;
  readonly runtime: 'jar' | 'docker';
  /** docker: containers die with their executor. */
  readonly tied: boolean;
  /** How an agent destroys a container: all of it, or only the processes of the executor's session. */
  readonly launcher: 'cgroups' | 'posix';
  readonly leaseMs: number;
  readonly pauseBoundMs: number;
  /** Clocks run this much too fast or too slow at most. */
  readonly drift: number;
  /** A volume is attached to one machine at a time. */
  readonly exclusive: boolean;
  /** preempt: who takes a volume from its old machine, the driver when another attaches it, or the fence command. */
  readonly revokes: 'driver' | 'command';
  readonly retiredVolumes: RetiredVolumes;
  /** Since 1.5 a master says that the tasks of an agent that came back are there. */
  readonly masterTellsReturns: boolean;
  readonly pingMs: number;
  /** Short ones race with launches that are merely slow. */
  readonly launchTimeoutMs: number;
  readonly executorRecoveryMs: number;
}

/** Half a percent each way: more than any quartz, and one percent between two of them. */
const DRIFT = 0.005;

export function drawSettings(seed: number): Settings {
  const random = new Random(seed, 1);
  const nodes = random.pick([1, 2, 2, 3, 3, 3, 3, 4, 5]);
  const service = random.pick(['directory', 'zookeeper', 'zookeeper'] as const);
  return {
    nodes,
    agents: Math.min(7, nodes + 1 + random.below(3)),
    schedulers: service === 'zookeeper' ? random.pick([1, 2, 2]) : 1,
    service,
    policy: random.pick(['fence', 'fence', 'fence', 'wait', 'preempt'] as const),
    runtime: random.pick(['jar', 'docker'] as const),
    tied: random.chance(0.5),
    launcher: random.pick(['cgroups', 'posix'] as const),
    leaseMs: random.pick([6_000, 10_000, 20_000]),
    pauseBoundMs: random.pick([0, 1_000, 4_000, 10_000]),
    drift: DRIFT,
    exclusive: random.chance(0.15),
    revokes: random.pick(['driver', 'command'] as const),
    retiredVolumes: random.pick(['keep', 'refuse', 'wipe'] as const),
    masterTellsReturns: random.chance(0.5),
    pingMs: random.pick([3_000, 8_000]),
    launchTimeoutMs: random.pick([4_000, 20_000, 60_000]),
    executorRecoveryMs: random.pick([20_000, 120_000]),
  };
}

/** Two drivers of equal manners: what is on one is not on the other. */
export const DRIVERS = ['simulated', 'other'] as const;

export const FRAMEWORK_NAME = 'elasticsearch';
export const CLUSTER_NAME = 'simulated';

export function desiredCluster(settings: Settings, safety: SafetyRules = SAFETY_RULES): DesiredCluster {
  const { nodes, policy, leaseMs, pauseBoundMs, runtime, revokes, retiredVolumes } = settings;
  const volume = { driver: DRIVERS[0], options: {} };
  return {
    framework: { name: FRAMEWORK_NAME, user: 'root', role: '*', failoverTimeoutSeconds: 3_600 },
    cluster: {
      name: CLUSTER_NAME,
      nodes,
      strategy: 'external',
      volumes: { config: volume, data: volume },
      volumePath: { kind: 'plugin-socket' },
      adoptVolumes: false,
    },
    node: {
      cpus: 1,
      memMb: 1024,
      diskMb: 0,
      heapMb: 512,
      ports: 'any',
      runtime:
        runtime === 'jar'
          ? { kind: 'jar', distribution: { kind: 'installed', home: '/elasticsearch' } }
          : { kind: 'docker', image: 'elasticsearch', forcePull: false, socket: '/docker.sock' },
      bindHost: '0.0.0.0',
      publish: 'hostname',
      jvmOptions: [],
      keystore: {},
      uid: 1000,
      gid: 1000,
      stopGraceMs: 20_000,
    },
    executor: {
      bundleFile: '/executor',
      nodeProgram: 'node',
      cpus: 0.1,
      memMb: 64,
      shutdownGraceMs: 30_000,
      environment: {},
      labels: {},
      name: 'elasticsearch-executor',
    },
    suspects: {
      policy,
      leaseMs,
      pauseBoundMs,
      leasePlaceOnAgents: { kind: 'directory', directory: '/leases' },
      preemptAfterMs: 15_000,
      driverRevokes: revokes === 'driver',
      ...(revokes === 'command' ? { fenceCommand: { program: '/fence', limitMs: 30_000 } } : {}),
      retiredVolumes,
      possiblePolicies: [policy],
    },
    timing: {
      ...DEFAULT_TIMING,
      launchTimeoutMs: settings.launchTimeoutMs,
      relaunchMaxMs: 20_000,
      reconcileEveryMs: 120_000,
    },
    safety,
    artifacts: { executor: { url: 'http://scheduler/executor', file: 'executor', sha256: '0'.repeat(64) } },
  };
}
