/** How a node record goes from one phase to the next. Each keeps what the next phase still needs, and says why. */
import { volumeNameOf, type NodeId, type NodeRecord } from '@mesos-elasticsearch/contract';
import type { Holder, NodeReport, VolumeName, VolumeSpec } from '@mesos-elasticsearch/contract';
import { epoch } from '@mesos-elasticsearch/contract';
import type { DesiredCluster } from './model.ts';

/** How a node left its agent; kept in the record's `lastAgent.left`. */
export type Left =
  'released' | 'never-started' | 'never-took-lease' | 'lease-given-back' | 'lease-expired' | 'operator-word';

export type AssignedRecord = NodeRecord & {
  readonly holder: Holder;
  readonly volumes: NonNullable<NodeRecord['volumes']>;
};

export function assigned(
  desired: DesiredCluster,
  before: NodeRecord | undefined,
  now: { readonly nodeId: NodeId; readonly holder: Holder; readonly publishHost: string } & {
    readonly ports: { readonly http: number; readonly transport: number };
    readonly wallMs: number;
  },
): AssignedRecord {
  const { volumes } = desired.cluster;
  const nameOf = (role: 'config' | 'data') => volumeNameOf(desired.framework.name, now.nodeId, role);
  return {
    nodeId: now.nodeId,
    epoch: epoch((before?.epoch ?? 0) + 1),
    phase: 'assigned',
    holder: now.holder,
    addresses: {
      http: `${now.publishHost}:${now.ports.http}`,
      transport: `${now.publishHost}:${now.ports.transport}`,
    },
    // Volumes of a node that has data keep their driver and options, whatever the flags say now.
    volumes: (before?.dataOnRecord === true ? before.volumes : undefined) ?? {
      config: volumeOf(nameOf('config'), volumes.config),
      data: volumeOf(nameOf('data'), volumes.data),
    },
    dataOnRecord: before?.dataOnRecord ?? false,
    suspectPolicy: desired.suspects.policy,
    ...(before?.lastAgent === undefined ? {} : { lastAgent: before.lastAgent }),
    why: before === undefined || before.epoch === 0 ? 'first launch' : `relaunch: ${before.why}`,
    since: now.wallMs,
  };
}

/** `{volume}` in an option stands for the volume's name: drivers such as rclone want a place for each volume. */
function volumeOf(name: VolumeName, { driver, options }: Pick<VolumeSpec, 'driver' | 'options'>): VolumeSpec {
  const own = Object.entries(options).map(([key, value]) => [key, value.replaceAll('{volume}', name)]);
  return { name, driver, options: Object.fromEntries(own) as Record<string, string> };
}

export function running(before: NodeRecord, report: NodeReport | undefined, wallMs: number): NodeRecord {
  const addresses =
    report === undefined ? before.addresses : { http: report.http, transport: report.transport };
  return {
    ...before,
    phase: 'running',
    dataOnRecord: true,
    ...(addresses === undefined ? {} : { addresses }),
    why: 'the executor said RUNNING',
    since: before.phase === 'running' ? before.since : wallMs,
  };
}

/** A suspect whose holder spoke again before it was RUNNING. */
export function launching(before: NodeRecord, wallMs: number): NodeRecord {
  return { ...before, phase: 'assigned', why: 'the executor is back', since: wallMs };
}

export function suspected(before: NodeRecord, why: string, wallMs: number): NodeRecord {
  return { ...before, phase: 'suspect', why, since: wallMs };
}

export function releasing(before: NodeRecord, why: string, wallMs: number): NodeRecord {
  return { ...before, phase: 'releasing', why, since: wallMs };
}

export function vacated(before: NodeRecord, left: Left, why: string, wallMs: number): NodeRecord {
  const { holder } = before;
  const next: NodeRecord = { ...before, phase: 'vacant', why, since: wallMs };
  if (holder !== undefined) next.lastAgent = { agentId: holder.agentId, host: holder.host, left };
  delete next.holder;
  delete next.addresses;
  return next;
}
