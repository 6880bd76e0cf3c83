/** Settings → what the scheduler is started with. Pure: files that settings name were read before. */
import type { VolumePath } from '@mesos-elasticsearch/contract';
import type { NodeOptions, RuntimeOptions, SchedulerOptions } from '@mesos-elasticsearch/scheduler';
import type { Settings } from './fields.ts';
import { isUrl } from './rules.ts';

/** What settings name and others must read. */
export interface NamedFiles {
  readonly secret: string | undefined;
  readonly elasticsearchSettings: string | undefined;
  readonly keystore: Readonly<Record<string, string>>;
}

export interface Host {
  readonly name: string;
  /** The executor that came with this command. */
  readonly executorBundle: string;
}

export type CompiledOptions = Omit<SchedulerOptions, 'ledger' | 'leases' | 'log'>;

export function compileOptions(settings: Settings, files: NamedFiles, host: Host): CompiledOptions {
  const publicHost = settings.publishHost ?? host.name;
  const volume = {
    driver: settings.externalVolumeDriver ?? '',
    options: { ...settings.externalVolumeOptions },
  };
  return {
    mesos: mesosOptions(settings, files),
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
      adoptVolumes: settings.adoptVolumes,
    },
    node: nodeOptions(settings, files),
    executor: {
      bundleFile: settings.executorBundle ?? host.executorBundle,
      nodeProgram: settings.nodeProgram,
      cpus: settings.executorCpu,
      memMb: settings.executorRam,
      shutdownGraceMs: settings.shutdownGraceSeconds * 1000,
      environment: {},
      labels: settings.executorLabels,
      name: settings.executorName,
      ...archiveOption(settings),
    },
    suspects: {
      policy: settings.suspectPolicy,
      possiblePolicies: ['wait', settings.suspectPolicy],
      leaseMs: settings.leaseMs,
      pauseBoundMs: settings.pauseBoundMs,
      leasePlaceOnAgents: { kind: 'directory', directory: leaseDirectoryOf(settings) },
      preemptAfterMs: 60_000,
      driverRevokes: false,
      retiredVolumes: 'refuse',
    },
    api: { host: settings.bindHost, port: settings.webUiPort, publicHost },
  };
}

/** Settings have a state directory by now, or they would have been refused. */
export function stateDirectoryOf({ stateDirectory = '' }: Settings): string {
  return stateDirectory;
}

export function leaseDirectoryOf(settings: Settings): string {
  return settings.leaseDirectory ?? stateDirectoryOf(settings);
}

function mesosOptions({ master = '', encoding, frameworkPrincipal }: Settings, { secret }: NamedFiles) {
  const masters = /^https?:/.test(master)
    ? [master.replace(/\/+$/, '')]
    : master.split(',').map((at) => `http://${at}`);
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
