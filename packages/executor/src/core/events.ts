/** What happens to an executor, from outside (agent, lease, process) and as answers to effects. */
import type { VolumeRole } from '@mesos-elasticsearch/contract';
import type { VolumeFinding } from './marker.ts';

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
  | 'detach';

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
  attached: { role: VolumeRole };
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
  'step-failed': { step: StepName; role?: VolumeRole; outcome: 'not-done' | 'unknown'; message: string };
  detached: { role: VolumeRole };
  'lease-given-back': object;

  /** HTTP answers; the node has not joined a cluster yet. */
  'node-answers': { waitsFor: string };
  /** It sees an elected master and itself among the nodes. */
  'node-joined': { clusterUuid?: string };
  'health-changed': { healthy: boolean; message: string };
  /** It never answered within the limit. */
  'node-silent': { message: string };
  /** Nothing runs under the guard any more. */
  'process-gone': { how: string };

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
