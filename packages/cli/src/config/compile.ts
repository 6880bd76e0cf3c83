/** Settings → what the scheduler is started with. Pure: files that settings name were read before. */
import type { LeasePlace, VolumePath } from '@mesos-elasticsearch/contract';
import { clusterRoot, type ZooKeeperUrl } from '@mesos-elasticsearch/coordination';
import type {
  MesosOptions,
  NodeOptions,
  RuntimeOptions,
  SchedulerOptions,
} from '@mesos-elasticsearch/scheduler';
import type { Settings } from './fields.ts';
import { isUrl } from './rules.ts';
import { volumeMounterOf } from './rules/mounting.ts';
import { volumeFaults } from './rules/volumes.ts';

/** Filled by a Mesos secret in the executor's environment: `user:password` for ZooKeeper. */
export const EXECUTOR_CREDENTIALS_VARIABLE = 'MESOS_ELASTICSEARCH_ZOOKEEPER_CREDENTIALS';

/** What settings name and others must read. */
export interface NamedFiles {
  readonly secret: string | undefined;
  readonly elasticsearchSettings: string | undefined;
  readonly keystore: Readonly<Record<string, string>>;
  /** The scheduler's own. */
  readonly zookeeperCredentials: string | undefined;
  /** `user:password`; PEM. */
  readonly elasticsearchAccess: { readonly credentials?: string; readonly ca?: string };
}

export interface Surroundings {
  readonly hostName: string;
  /** The executor that came with this command. */
  readonly executorBundle: string;
  /** A list, or who tells which master leads. */
  readonly masters: MesosOptions['masters'];
}

export type CompiledOptions = Omit<SchedulerOptions, 'ledger' | 'leases' | 'log'>;

export function compileOptions(
  settings: Settings,
  files: NamedFiles,
  surroundings: Surroundings,
): CompiledOptions {
  const publicHost = settings.publishHost ?? surroundings.hostName;
  const volume = {
    driver: settings.externalVolumeDriver ?? '',
    options: { ...settings.externalVolumeOptions },
  };
  return {
    mesos: mesosOptions(settings, files, surroundings.masters),
    framework: {
      name: settings.frameworkName,
      user: settings.frameworkUser,
      role: settings.frameworkRole,
      hostname: publicHost,
      failoverTimeoutSeconds: settings.frameworkFailoverTimeout,
      ...(settings.frameworkPrincipal === undefined ? {} : { principal: settings.frameworkPrincipal }),
    },
    cluster: {
      name: settings.elasticsearchClusterName,
      nodes: settings.elasticsearchNodes,
      strategy: 'external',
      volumes: { config: volume, data: volume },
      volumePath: volumePath(settings),
      volumeMounter: volumeMounterOf(settings),
      adoptVolumes: settings.adoptVolumes,
    },
    node: nodeOptions(settings, files),
    elasticsearch: files.elasticsearchAccess,
    driverFaults: ({ driver, options }) =>
      volumeFaults({ ...settings, externalVolumeDriver: driver, externalVolumeOptions: options }).map(
        ({ name, message }) => `${name}: ${message}`,
      ),
    executor: {
      bundleFile: settings.executorBundle ?? surroundings.executorBundle,
      nodeProgram: settings.nodeProgram,
      cpus: settings.executorCpu,
      memMb: settings.executorRam,
      shutdownGraceMs: settings.shutdownGraceSeconds * 1000,
      environment: {},
      ...secretOption(settings),
      labels: settings.executorLabels,
      name: settings.executorName,
      ...archiveOption(settings),
    },
    suspects: {
      policy: settings.suspectPolicy,
      possiblePolicies: ['wait', settings.suspectPolicy],
      leaseMs: settings.leaseMs,
      pauseBoundMs: settings.pauseBoundMs,
      leasePlaceOnAgents: leasePlaceOnAgents(settings),
      preemptAfterMs: settings.preemptAfterMs,
      driverRevokes: settings.driverRevokes,
      ...fenceOption(settings),
      retiredVolumes: settings.retiredVolumes,
    },
    api: { host: settings.bindHost, port: settings.webUiPort, publicHost },
  };
}

/** Where ledger and leases are, as the scheduler sees it. */
export type StatePlace =
  | { readonly kind: 'directory'; readonly state: string; readonly leases: string }
  | {
      readonly kind: 'zookeeper';
      readonly url: ZooKeeperUrl;
      /** Of this cluster, below the path of the URL. */
      readonly root: string;
      readonly sessionTimeoutMs: number;
      readonly credentials: string | undefined;
      /** `user:base64(SHA-1(user:password))` */
      readonly executorDigest: string | undefined;
    };

export function statePlaceOf(settings: Settings, files: NamedFiles): StatePlace {
  const { zookeeperUrl: url, stateDirectory: state = '', leaseDirectory: leases = state } = settings;
  if (url === undefined) return { kind: 'directory', state, leases };
  return {
    kind: 'zookeeper',
    url,
    root: rootOf(settings, url),
    sessionTimeoutMs: settings.zookeeperSessionTimeoutMs,
    credentials: files.zookeeperCredentials,
    executorDigest: settings.zookeeperExecutorDigest,
  };
}

function rootOf(settings: Settings, { path }: ZooKeeperUrl): string {
  return clusterRoot(path, settings.frameworkName, settings.elasticsearchClusterName);
}

function leasePlaceOnAgents(settings: Settings): LeasePlace {
  const { zookeeperUrl, zookeeperUrlOnAgents: url = zookeeperUrl, stateDirectory = '' } = settings;
  if (url === undefined) {
    return { kind: 'directory', directory: settings.leaseDirectory ?? stateDirectory };
  }
  const { zookeeperExecutorCredentialsFile: path, zookeeperExecutorSecret: secret } = settings;
  const file = path === undefined ? {} : { credentials: { kind: 'file' as const, path } };
  return {
    kind: 'zookeeper',
    servers: [...url.servers],
    path: rootOf(settings, url),
    sessionTimeoutMs: settings.zookeeperSessionTimeoutMs,
    ...(secret === undefined
      ? file
      : { credentials: { kind: 'variable' as const, name: EXECUTOR_CREDENTIALS_VARIABLE } }),
  };
}

function secretOption({ zookeeperExecutorSecret: name }: Settings) {
  return name === undefined ? {} : { secrets: { [EXECUTOR_CREDENTIALS_VARIABLE]: { name } } };
}

function fenceOption({ fenceCommand: program, fenceCommandTimeoutMs: limitMs }: Settings) {
  return program === undefined ? {} : { fenceCommand: { program, limitMs } };
}

/** The masters of --master; undefined where ZooKeeper tells who leads. */
export function listedMasters({ master }: Settings): readonly string[] | undefined {
  if (master === undefined) return undefined;
  return /^https?:/.test(master)
    ? [master.replace(/\/+$/, '')]
    : master.split(',').map((at) => `http://${at}`);
}

function mesosOptions(
  { encoding, frameworkPrincipal }: Settings,
  { secret }: NamedFiles,
  masters: MesosOptions['masters'],
): MesosOptions {
  const auth =
    frameworkPrincipal === undefined || secret === undefined
      ? {}
      : { auth: { kind: 'basic' as const, principal: frameworkPrincipal, secret } };
  return { masters, encoding, ...auth };
}

function volumePath({ volumePath: kind, dvdcliProgram }: Settings): VolumePath {
  return kind === 'dvdcli' ? { kind, program: dvdcliProgram } : { kind };
}

function nodeOptions(settings: Settings, files: NamedFiles): NodeOptions {
  const [http, transport] = settings.elasticsearchPorts?.split(',').map(Number) ?? [];
  return {
    cpus: settings.elasticsearchCpu,
    memMb: settings.elasticsearchRam,
    diskMb: settings.elasticsearchDisk,
    heapMb: settings.elasticsearchHeap ?? Math.floor(settings.elasticsearchRam / 2),
    ports: http === undefined || transport === undefined ? 'any' : { http, transport },
    runtime: runtimeOptions(settings),
    bindHost: settings.elasticsearchBindHost,
    publish: settings.useIpAddress ? 'ip' : 'hostname',
    jvmOptions: settings.elasticsearchJvmOptions,
    keystore: files.keystore,
    uid: settings.elasticsearchUid,
    gid: settings.elasticsearchGid,
    stopGraceMs: stopGraceMs(settings.shutdownGraceSeconds),
    ...(files.elasticsearchSettings === undefined ? {} : { settings: files.elasticsearchSettings }),
  };
}

/** Part of the grace is kept for the hard kill and for letting go of the volumes. */
function stopGraceMs(shutdownGraceSeconds: number): number {
  return Math.max(shutdownGraceSeconds / 2, shutdownGraceSeconds - 30) * 1000;
}

function runtimeOptions(settings: Settings): RuntimeOptions {
  if (settings.frameworkUseDocker) {
    return {
      kind: 'docker',
      image: settings.elasticsearchDockerImage ?? `elasticsearch:${settings.elasticsearchVersion}`,
      forcePull: settings.executorForcePullImage,
      socket: settings.dockerSocket,
    };
  }
  return {
    kind: 'jar',
    distribution:
      settings.elasticsearchHome === undefined
        ? { kind: 'archive' }
        : { kind: 'installed', home: settings.elasticsearchHome },
    ...(settings.javaHome === undefined ? {} : { javaHome: settings.javaHome }),
  };
}

function archiveOption({ elasticsearchBinaryUrl: url, elasticsearchBinarySha256: sha256 }: Settings) {
  if (url === undefined) return {};
  if (!isUrl(url)) return { archive: { kind: 'file' as const, file: url } };
  return { archive: { kind: 'url' as const, url, sha256: sha256 ?? '' } };
}
