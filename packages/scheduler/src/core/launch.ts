/** Builds the TaskInfo of one node on one offer. */
import {
  encodeLaunchSpec,
  epoch,
  LAUNCH_SPEC_VERSION,
  NODE_ID_VARIABLE,
  NODE_MARK_VARIABLE,
  nodeMark,
  TASK_LABEL,
} from '@mesos-elasticsearch/contract';
import type { FrameworkRecord, LaunchSpecInput, Purpose } from '@mesos-elasticsearch/contract';
import type { CommandInfo, ExecutorInfo, Offer, Resource, TaskInfo } from '@mesos-elasticsearch/mesos-v1';
import { take, taskId } from '@mesos-elasticsearch/mesos-v1';
import type { Artifact, DesiredCluster } from './model.ts';
import { nodeNameOf } from './model.ts';
import { isolatorParameters, mounterFor, mountingOf } from './mounting.ts';
import { MIGRATE_TASK, portsWanted, rolesOf } from './offers/rules.ts';
import { executorIdOf } from './task-id.ts';
import type { AssignedRecord } from './transitions.ts';

export interface LaunchClaim {
  readonly task: readonly Resource[];
  readonly executor: readonly Resource[];
  readonly ports: { readonly http: number; readonly transport: number };
}

/** What the node and its executor take out of the offer; undefined when the offer does not hold it. */
export function claimLaunch(desired: DesiredCluster, offer: Offer): LaunchClaim | undefined {
  const { node, executor, cluster } = desired;
  const roles = rolesOf(desired);
  const disk = cluster.strategy === 'normal' ? { disk: node.diskMb } : {};
  const scalars = { cpus: node.cpus, mem: node.memMb, ...disk };
  const task = take(offer.resources ?? [], { scalars, ports: portsWanted(desired), roles });
  if (task.kind === 'missing') return undefined;
  const own = take(task.remaining, { scalars: { cpus: executor.cpus, mem: executor.memMb }, roles });
  const [http, transport] = task.ports;
  if (own.kind === 'missing' || http === undefined || transport === undefined) return undefined;
  return { task: task.taken, executor: own.taken, ports: { http, transport } };
}

/** Mesos refuses a task without resources; all that a release does is done by the executor. */
const RELEASE_TASK = { cpus: 0.01, mem: 32 };

/** What a task needs that only lets go: its executor, and next to nothing for itself. No ports are used. */
export function claimRelease(
  desired: DesiredCluster,
  offer: Offer,
  scalars: typeof RELEASE_TASK = RELEASE_TASK,
): LaunchClaim | undefined {
  const roles = rolesOf(desired);
  const { cpus, memMb } = desired.executor;
  const task = take(offer.resources ?? [], { scalars, roles });
  if (task.kind === 'missing') return undefined;
  const own = take(task.remaining, { scalars: { cpus, mem: memMb }, roles });
  if (own.kind === 'missing') return undefined;
  return { task: task.taken, executor: own.taken, ports: NO_PORTS };
}
const NO_PORTS = { http: 1, transport: 2 } as const;

export function claimFor(purpose: Purpose, desired: DesiredCluster, offer: Offer): LaunchClaim | undefined {
  switch (purpose) {
    case 'run':
      return claimLaunch(desired, offer);
    case 'release':
      return claimRelease(desired, offer);
    case 'migrate':
      return claimRelease(desired, offer, MIGRATE_TASK);
  }
}

/** Where others reach a node on this agent. */
export function publishHostOf(desired: DesiredCluster, offer: Offer): string {
  return desired.node.publish === 'ip' ? (offer.url?.address.ip ?? offer.hostname) : offer.hostname;
}

export interface LaunchFacts {
  readonly record: AssignedRecord;
  readonly offer: Offer;
  readonly claim: LaunchClaim;
  readonly framework: FrameworkRecord;
  /** Transport addresses of the other nodes. */
  readonly seedHosts: readonly string[];
}

export function buildTask(desired: DesiredCluster, facts: LaunchFacts): TaskInfo {
  const { record, offer, claim } = facts;
  const spec = launchSpec(desired, facts);
  const labels = {
    ...desired.executor.labels,
    [TASK_LABEL.frameworkName]: desired.framework.name,
    [TASK_LABEL.clusterIdentity]: facts.framework.clusterIdentity,
    [TASK_LABEL.nodeId]: String(record.nodeId),
    [TASK_LABEL.epoch]: String(record.epoch),
    [TASK_LABEL.agentId]: offer.agentId,
    [TASK_LABEL.taskId]: record.holder.taskId,
    [TASK_LABEL.purpose]: record.purpose ?? 'run',
  };
  return {
    name: desired.executor.name,
    taskId: taskId(record.holder.taskId),
    agentId: offer.agentId,
    resources: [...claim.task],
    executor: executorInfo(desired, facts),
    data: encodeLaunchSpec(spec),
    labels: { labels: Object.entries(labels).map(([key, value]) => ({ key, value })) },
    ...(isToRun(record) ? { discovery: discoveryOf(desired, claim) } : {}),
  };
}

function isToRun({ purpose = 'run' }: AssignedRecord): boolean {
  return purpose === 'run';
}

function discoveryOf(desired: DesiredCluster, { ports }: LaunchClaim): NonNullable<TaskInfo['discovery']> {
  return {
    visibility: 'CLUSTER',
    name: desired.executor.name,
    ports: {
      ports: [
        { number: ports.http, name: 'http', protocol: 'tcp' },
        { number: ports.transport, name: 'transport', protocol: 'tcp' },
      ],
    },
  };
}

function executorInfo(desired: DesiredCluster, { record, claim, framework }: LaunchFacts): ExecutorInfo {
  const { variables, container } = isolatorParameters(mounterFor(desired, record.purpose), record.volumes);
  return {
    executorId: executorIdOf(record.holder.taskId),
    type: 'CUSTOM',
    name: desired.executor.name,
    source: desired.framework.name,
    resources: [...claim.executor],
    command: executorCommand(desired, isToRun(record) ? desired.artifacts.archive : undefined, {
      [NODE_ID_VARIABLE]: String(record.nodeId),
      [NODE_MARK_VARIABLE]: nodeMark({
        clusterIdentity: framework.clusterIdentity,
        nodeId: record.nodeId,
        epoch: epoch(record.epoch),
      }),
      ...variables,
    }),
    ...(container === undefined ? {} : { container }),
    shutdownGracePeriod: { nanoseconds: BigInt(desired.executor.shutdownGraceMs) * 1_000_000n },
  };
}

/** Constant: nothing of a user ever becomes part of it. $1 checksum, $2 file, $3 program. */
export const EXECUTOR_SCRIPT = [
  'if ! printf "%s  %s\\n" "$1" "$2" | sha256sum -c - >/dev/null',
  'then echo "the executor $2 does not have the checksum $1: it was changed on the way" >&2; exit 1',
  'fi',
  'exec "$3" "$2"',
].join('\n');

function executorCommand(
  desired: DesiredCluster,
  archive: Artifact | undefined,
  own: Readonly<Record<string, string>>,
): CommandInfo {
  const { executor } = desired.artifacts;
  const variables = { ...desired.executor.environment, ...own };
  const plain = Object.entries(variables).map(([name, value]) => ({ name, value }));
  const secrets = Object.entries(desired.executor.secrets ?? {}).map(([name, reference]) => ({
    name,
    type: 'SECRET' as const,
    secret: { type: 'REFERENCE' as const, reference },
  }));
  return {
    shell: false,
    value: '/bin/sh',
    arguments: [
      'sh',
      '-c',
      EXECUTOR_SCRIPT,
      'sh',
      executor.sha256,
      executor.file,
      desired.executor.nodeProgram,
    ],
    user: desired.framework.user,
    environment: { variables: [...plain, ...secrets] },
    uris: [
      { value: executor.url, extract: false, executable: true, cache: false, outputFile: executor.file },
      ...(archive === undefined
        ? []
        : [{ value: archive.url, extract: false, cache: true, outputFile: archive.file }]),
    ],
  };
}

function launchSpec(desired: DesiredCluster, facts: LaunchFacts): LaunchSpecInput {
  const { record, offer, claim, framework } = facts;
  const { node, cluster, suspects } = desired;
  const nodeName = nodeNameOf(desired.framework.name, record.nodeId);
  const mayBootstrap = !framework.bootstrapped && !record.dataOnRecord;
  const initial = framework.initialMasterNodes ?? [];
  return {
    version: LAUNCH_SPEC_VERSION,
    clusterIdentity: framework.clusterIdentity,
    frameworkName: desired.framework.name,
    clusterName: cluster.name,
    nodeId: record.nodeId,
    nodeName,
    epoch: record.epoch,
    taskId: record.holder.taskId,
    purpose: record.purpose ?? 'run',
    ...mountingOf(desired, record, offer.agentId),
    wipeVolumes: record.wipe === true,
    runtime: runtimeOf(desired),
    volumes: record.volumes,
    ...migrationOf(record, framework),
    ...(record.takenBack === undefined ? {} : { takenBack: record.takenBack }),
    volumePath: cluster.volumePath,
    adoptVolumes: cluster.adoptVolumes,
    dataOnRecord: record.dataOnRecord,
    elasticsearch: {
      ...(node.settings === undefined ? {} : { settings: node.settings }),
      jvmOptions: [...node.jvmOptions],
      keystore: { ...node.keystore },
      heapMb: node.heapMb,
      httpPort: claim.ports.http,
      transportPort: claim.ports.transport,
      bindHost: node.bindHost,
      publishHost: publishHostOf(desired, offer),
      initialMasterNodes: mayBootstrap && initial.includes(nodeName) ? [...initial] : [],
      seedHosts: [...facts.seedHosts],
      uid: node.uid,
      gid: node.gid,
    },
    lease: {
      place: suspects.leasePlaceOnAgents,
      policy: record.suspectPolicy,
      durationMs: suspects.leaseMs,
    },
    stopGraceMs: node.stopGraceMs,
  };
}

/**
 * Leave to write over what the node had there before comes from the order of this very migration, and from nothing else: that
 * former volumes are on record is no such word. A copy that was taken back says itself whose it is.
 */
function migrationOf(
  record: AssignedRecord,
  { migration: ordered }: FrameworkRecord,
): Pick<LaunchSpecInput, 'migration'> {
  const { migration } = record;
  if (isToRun(record) || migration === undefined || migration.stage === 'copied') return {};
  const { id, to, sinceEpoch } = migration;
  const overwriteFormer = ordered?.id === id && ordered.overwriteFormer;
  return { migration: { id, to, sinceEpoch, overwriteFormer } };
}

/** @throws Error when the archive that the options promise is not among the artifacts. */
function runtimeOf(desired: DesiredCluster): LaunchSpecInput['runtime'] {
  const { runtime } = desired.node;
  if (runtime.kind === 'docker') return runtime;
  const java = runtime.javaHome === undefined ? {} : { javaHome: runtime.javaHome };
  if (runtime.distribution.kind === 'installed') {
    return { kind: 'jar', ...java, distribution: runtime.distribution };
  }
  const { archive } = desired.artifacts;
  if (archive === undefined) {
    throw new Error(
      'jar mode with an archive needs executor.archive: a file to serve or a URL with its checksum',
    );
  }
  return {
    kind: 'jar',
    ...java,
    distribution: { kind: 'archive', file: archive.file, sha256: archive.sha256 },
  };
}
