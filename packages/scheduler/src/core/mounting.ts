/** What a launch says about who mounts the volumes: to the executor, and to an isolator of Mesos. */
import {
  DVDI_DEFAULT_PROGRAM,
  dvdiVariablesOf,
  EXECUTOR_MOUNTS,
  isolatorObstacle,
  type IsolatorMounter,
  type LaunchSpecInput,
  type NodeVolumes,
  type Purpose,
  type VolumeMounter,
  type VolumeRole,
} from '@mesos-elasticsearch/contract';
import type { ContainerInfo, Volume } from '@mesos-elasticsearch/mesos-v1';
import type { SchedulerOptions } from '../options.ts';
import type { DesiredCluster } from './model.ts';
import type { AssignedRecord } from './transitions.ts';

/** A task that lets go, or copies, must not have the volumes mounted for it by somebody else. */
export function mounterFor({ cluster }: DesiredCluster, purpose: Purpose | undefined): VolumeMounter {
  return (purpose ?? 'run') === 'run' ? (cluster.volumeMounter ?? EXECUTOR_MOUNTS) : EXECUTOR_MOUNTS;
}

export function isIsolated(desired: DesiredCluster, purpose: Purpose | undefined): boolean {
  return mounterFor(desired, purpose).kind !== 'executor';
}

/** Why the isolator cannot mount these volumes; undefined: it can, or none is asked to. */
export function mountingObstacle(
  desired: DesiredCluster,
  purpose: Purpose | undefined,
  volumes: NodeVolumes,
): string | undefined {
  const mounter = mounterFor(desired, purpose);
  return mounter.kind === 'executor' ? undefined : isolatorObstacle(mounter, volumes)?.message;
}

export interface IsolatorParameters {
  /** For the executor's command: the module looks nowhere else. Empty unless it is the one to mount. */
  readonly variables: Readonly<Record<string, string>>;
  readonly container: ContainerInfo | undefined;
}

export function isolatorParameters(mounter: VolumeMounter, volumes: NodeVolumes): IsolatorParameters {
  switch (mounter.kind) {
    case 'executor':
      return { variables: {}, container: undefined };
    case 'dvdi-isolator':
      return { variables: dvdiVariablesOf(mounter, volumes), container: undefined };
    case 'docker-volume-isolator':
      return { variables: {}, container: containerOf(mounter, volumes) };
  }
}

function containerOf({ paths }: IsolatorMounter, volumes: NodeVolumes): ContainerInfo {
  const volume = (role: VolumeRole): Volume => {
    const { driver, name, options } = volumes[role];
    const parameter = Object.entries(options).map(([key, value]) => ({ key, value }));
    const driverOptions = parameter.length === 0 ? {} : { driverOptions: { parameter } };
    return {
      mode: 'RW',
      containerPath: paths[role],
      source: { type: 'DOCKER_VOLUME', dockerVolume: { driver, name, ...driverOptions } },
    };
  };
  return { type: 'MESOS', mesos: {}, volumes: [volume('config'), volume('data')] };
}

/** The part of the launch spec that says who mounts, and who had mounted before on this agent. */
export function mountingOf(
  desired: DesiredCluster,
  { purpose, leftBehind = [] }: AssignedRecord,
  agentId: string,
): Pick<LaunchSpecInput, 'volumeMounter' | 'formerIsolator' | 'formerConsumers'> {
  const here = leftBehind.filter((each) => each.agentId === agentId);
  const isolated = here.some((each) => each.isolated === true);
  return {
    volumeMounter: mounterFor(desired, purpose),
    // An isolator counts by itself who is left; only who mounts without one must undo what it may have left.
    ...(isolated && !isIsolated(desired, purpose) ? { formerIsolator: { dvdcli: dvdcliOf(desired) } } : {}),
    formerConsumers: here.filter((each) => each.isolated !== true).map(({ taskId }) => taskId),
  };
}

function dvdcliOf({ cluster }: DesiredCluster): string {
  const { volumeMounter, volumePath } = cluster;
  if (volumeMounter !== undefined && volumeMounter.kind !== 'executor') return volumeMounter.dvdcli;
  return volumePath.kind === 'dvdcli' ? volumePath.program : DVDI_DEFAULT_PROGRAM;
}

/** What no launch could make right, for the scheduler to refuse at its start. */
export function mountingFault(
  options: Pick<SchedulerOptions, 'cluster' | 'node' | 'executor'>,
): string | undefined {
  const { kind } = options.cluster.volumeMounter ?? EXECUTOR_MOUNTS;
  const named = Object.keys(options.executor.environment).find((name) => name.startsWith('DVDI_'));
  if (named !== undefined) {
    return `the executor's environment has ${named}: an agent with mesos-module-dvdi would mount by it; leave it to volumeMounter`;
  }
  return kind !== 'executor' && options.node.runtime.kind === 'docker'
    ? `volumeMounter ${kind} mounts for the Mesos containerizer only, not into Docker containers: wanted the jar runtime`
    : undefined;
}
