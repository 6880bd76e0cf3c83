/** What happens to an executor, from outside (agent, lease, process) and as answers to effects. */
import type { MigrationReport, VolumeRole } from '@mesos-elasticsearch/contract';
import type { VolumeFinding } from './marker.ts';
import type { CopySlot, VolumeSlot } from './slots.ts';

/** Steps of the start, and the detach of the stop: what a `step-failed` is about. */
export type StepName =
  | 'prepare'
  | 'take-lease'
  | 'detach-former'
  | 'ensure'
  | 'attach'
  | 'start-process'
  | 'inspect'
  | 'claim'
  | 'configure'
  | 'go'
  | 'ensure-new'
  | 'inspect-migration'
  | 'mark-copy'
  | 'start-copy'
  | 'finish-copy'
  | 'detach';

/** How a process that copied or verified has ended by itself. */
export type CopyEnd =
  | { readonly kind: 'done'; readonly volumes: MigrationReport['volumes'] }
  | { readonly kind: 'failed'; readonly why: string };

interface EventPayloads {
  launch: {
    taskId: string;
    data: Uint8Array | undefined;
    /** `ELASTICSEARCH_NODE_ID` as the executor's own environment has it. */
    environmentNodeId: string | undefined;
  };
  kill: { taskId: string; graceMs: number | undefined };
  shutdown: object;
  /** The agent went away and did not come back within the recovery timeout. */
  'agent-gone': object;
  message: { data: Uint8Array };

  prepared: object;
  'lease-taken': object;
  'lease-refused': { why: string };
  'former-detached': object;
  ensured: object;
  attached: { role: VolumeSlot };
  'process-started': { tied: boolean; mountpoints: Readonly<Record<VolumeRole, string>> };
  'volumes-inspected': {
    findings: Readonly<Record<VolumeRole, VolumeFinding>>;
    /** Random identities, used for volumes that are claimed now. */
    freshIdentities: Readonly<Record<VolumeRole, string>>;
  };
  claimed: object;
  configured: { elasticsearchVersion: string };
  'gone-ahead': object;
  /** `unknown`: it may have happened; it is retried or undone, never taken as not done. */
  'step-failed': { step: StepName; role?: VolumeSlot; outcome: 'not-done' | 'unknown'; message: string };
  detached: { role: VolumeSlot };
  'lease-given-back': object;

  'migration-inspected': {
    findings: Readonly<Record<CopySlot, VolumeFinding>>;
    /** Types of what is mounted at the new volumes, as /proc/self/mountinfo names them. */
    fileSystems: Readonly<Record<VolumeRole, string | undefined>>;
    /** Random identities for the new volumes. */
    freshIdentities: Readonly<Record<VolumeRole, string>>;
  };
  'copy-marked': object;
  'copy-started': object;
  'copy-progress': { volumes: MigrationReport['volumes'] };
  'copy-finished': object;

  /** HTTP answers; the node has not joined a cluster yet. */
  'node-answers': { waitsFor: string };
  /** It sees an elected master and itself among the nodes. */
  'node-joined': { clusterUuid?: string };
  'health-changed': { healthy: boolean; message: string };
  /** A volume that an isolator has mounted is not where it was any more. */
  'mount-changed': { message: string };
  /** It never answered within the limit. */
  'node-silent': { message: string };
  /** Nothing runs under the guard any more. `copy`: it copied or verified, and said how that went. */
  'process-gone': { how: string; copy?: CopyEnd };

  /** The epoch was closed by the scheduler: someone else may hold the volumes next. */
  'lease-closed': object;
  /** No renewal was answered in time. */
  'lease-expired': { message: string };
  timer: { name: 'grace-over' | 'retry' };
}

export type ExecutorEventKind = keyof EventPayloads;
export type MachineEvent = {
  [K in ExecutorEventKind]: { readonly kind: K } & Readonly<EventPayloads[K]>;
}[ExecutorEventKind];
