/** The container of one node, as the Engine is asked to make it. Pure. */
import type Docker from 'dockerode';
import { TASK_LABEL, VOLUME_ROLES, type LaunchSpec, type VolumeRole } from '@mesos-elasticsearch/contract';
import type { Attachment } from '@mesos-elasticsearch/dvdcli-bridge';

/** Where Elasticsearch finds things inside the container. */
export const INSIDE = {
  home: '/usr/share/elasticsearch',
  volumes: { config: '/tmp/config', data: '/data' },
  guard: '/mesos-elasticsearch/guard.sh',
  control: '/mesos-elasticsearch/control',
  logs: '/mesos-elasticsearch/logs',
} as const;

export interface ContainerParts {
  readonly spec: LaunchSpec;
  readonly image: string;
  readonly attachments: Readonly<Record<VolumeRole, Attachment>>;
  /** Paths on the host. */
  readonly guard: string;
  readonly control: string;
  readonly logs: string;
  /** A cgroup that dies with the executor. */
  readonly cgroupParent: string | undefined;
}

export function containerOptions(parts: ContainerParts): Docker.ContainerCreateOptions {
  const { spec, cgroupParent } = parts;
  const { uid, gid } = spec.elasticsearch;
  const bind = (Source: string, Target: string, ReadOnly: boolean): Docker.MountSettings => ({
    ...{ Type: 'bind', Source, Target, ReadOnly },
  });
  return {
    name: containerName(spec),
    Image: parts.image,
    Entrypoint: ['/bin/sh', INSIDE.guard],
    Cmd: [`${INSIDE.home}/bin/elasticsearch`],
    User: `${String(uid)}:${String(gid)}`,
    Env: [`ES_PATH_CONF=${INSIDE.volumes.config}`, `CONTROL=${INSIDE.control}`],
    Labels: labelsOf(spec),
    HostConfig: {
      NetworkMode: 'host',
      RestartPolicy: { Name: 'no' },
      // An image's own VOLUME lines make nameless volumes wherever no mount of ours lies: at Docker's own driver, never
      // at the one of the node's volumes.
      VolumeDriver: 'local',
      Mounts: [
        ...VOLUME_ROLES.map((role) => volumeMount(spec, role, parts.attachments[role])),
        bind(parts.guard, INSIDE.guard, true),
        bind(parts.control, INSIDE.control, false),
        bind(parts.logs, INSIDE.logs, false),
      ],
      ...(cgroupParent === undefined ? {} : { CgroupParent: cgroupParent }),
    },
  };
}

/** NoCopy: otherwise the Engine mounts the volume once more at creation, to copy the image's files into it. */
function volumeMount(spec: LaunchSpec, role: VolumeRole, attachment: Attachment): Docker.MountSettings {
  const Target = INSIDE.volumes[role];
  switch (attachment.kind) {
    case 'host-path':
      return { Type: 'bind', Source: attachment.hostPath, Target, ReadOnly: false };
    case 'container-mount':
      return {
        Type: 'volume',
        Source: attachment.source,
        Target,
        ReadOnly: false,
        VolumeOptions: {
          NoCopy: true,
          Labels: {},
          DriverConfig: { Name: attachment.driver, Options: spec.volumes[role].options },
        },
      };
  }
}

function labelsOf(spec: LaunchSpec): Record<string, string> {
  return {
    [TASK_LABEL.frameworkName]: spec.frameworkName,
    [TASK_LABEL.clusterIdentity]: spec.clusterIdentity,
    [TASK_LABEL.nodeId]: String(spec.nodeId),
    [TASK_LABEL.epoch]: String(spec.epoch),
    [TASK_LABEL.taskId]: spec.taskId,
  };
}

/** Of the characters that the Engine allows; unique by its epoch. */
function containerName(spec: LaunchSpec): string {
  const name = spec.frameworkName.replaceAll(/[^A-Za-z0-9_.-]/g, '_');
  const cluster = spec.clusterIdentity.slice(0, 8);
  return `mesos-elasticsearch.${name}.${cluster}.${String(spec.nodeId)}.${String(spec.epoch)}`;
}

/** Which labels a container of this node has, of any epoch. */
export function nodeFilter(spec: LaunchSpec): readonly string[] {
  return [
    `${TASK_LABEL.clusterIdentity}=${spec.clusterIdentity}`,
    `${TASK_LABEL.nodeId}=${String(spec.nodeId)}`,
  ];
}
