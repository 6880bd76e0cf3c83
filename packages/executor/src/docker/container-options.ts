/** The container of one node, as the Engine is asked to make it. Pure. */
import type Docker from 'dockerode';
import { TASK_LABEL, VOLUME_ROLES, type LaunchSpec, type VolumeRole } from '@mesos-elasticsearch/contract';
import type { Attachment } from '@mesos-elasticsearch/dvdcli-bridge';
import { SetupError } from '../ports.ts';

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

/** Of `docker inspect`. */
export interface MountSeen {
  readonly Type?: string | undefined;
  readonly Name?: string | undefined;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string | undefined;
  readonly RW: boolean;
}

/**
 * What Docker really mounted, compared with what was asked. A driver that gives an empty mountpoint makes the
 * Engine mount a folder of its own instead, and says nothing. What the image's VOLUME lines ask for lies on the
 * machine itself, never at a driver: nobody would know of such a volume, nor remove it.
 * @throws SetupError naming volume, driver and what is there
 */
export function checkMounts(
  spec: LaunchSpec,
  attachments: Readonly<Record<VolumeRole, Attachment>>,
  mounts: readonly MountSeen[],
): void {
  for (const role of VOLUME_ROLES) {
    const { name, driver } = spec.volumes[role];
    const attachment = attachments[role];
    const mount = mounts.find(({ Destination }) => Destination === INSIDE.volumes[role]);
    const asked =
      attachment.kind === 'host-path'
        ? mount?.Type === 'bind' && mount.Source === attachment.hostPath
        : mount?.Type === 'volume' && mount.Name === attachment.source && mount.Driver === attachment.driver;
    if (!mount || !asked || !mount.RW || !mount.Source.startsWith('/')) {
      throw new SetupError(
        `volume ${name} of driver ${driver} (${role}) is not what Docker mounted at ${INSIDE.volumes[role]}: ${JSON.stringify(mount ?? null)}`,
      );
    }
  }
  const asked: ReadonlySet<string> = new Set(Object.values(INSIDE.volumes));
  const stray = mounts.find(
    ({ Type, Driver, Destination }) => Type === 'volume' && Driver !== 'local' && !asked.has(Destination),
  );
  if (stray === undefined) return;
  throw new SetupError(
    `the image has a volume of its own at ${stray.Destination}, and Docker made it at driver ${stray.Driver ?? '(none)'} ` +
      `(${stray.Name ?? 'without a name'}): remove that VOLUME from the image, or the default volume driver from Docker`,
  );
}
