/** What the machine asks to be done. Doing is elsewhere (`run/`); each chain effect answers with one event. */
import type { LaunchSpec, MarkerRecord, NodeReport, VolumeRole } from '@mesos-elasticsearch/contract';

export type ReportedState =
  'TASK_STARTING' | 'TASK_RUNNING' | 'TASK_FINISHED' | 'TASK_FAILED' | 'TASK_KILLED' | 'TASK_ERROR';

export interface StatusToSend {
  readonly taskId: string;
  readonly state: ReportedState;
  readonly message?: string;
  readonly healthy?: boolean;
  readonly report?: NodeReport;
}

/** What goes onto one volume before Elasticsearch starts. */
export interface MarkerToWrite {
  readonly marker: MarkerRecord;
  /** The volume was empty and is ours from now on: its root may be handed to Elasticsearch's user. */
  readonly claimed: boolean;
}

export type TimerName = 'grace-over' | 'retry';

interface EffectPayloads {
  /** Ends what an earlier epoch left running here; to run: all that needs no volume, distribution, Java, image, bootstrap checks. → prepared | step-failed */
  prepare: { spec: LaunchSpec };
  /** → lease-taken | lease-refused | step-failed; renewals start with it. */
  'take-lease': { spec: LaunchSpec };
  /** Undoes the attachments that earlier holders left on this agent. → former-detached | step-failed */
  'detach-former': object;
  /** Both volumes, before either is attached. → ensured | step-failed */
  ensure: { spec: LaunchSpec };
  /** → attached | step-failed */
  attach: { role: VolumeRole };
  /** The guard, holding Elasticsearch back. → process-started | step-failed */
  'start-process': object;
  /** Reads markers and listings through the real mounts. → volumes-inspected | step-failed */
  inspect: object;
  /** Write probe as Elasticsearch's user, then the markers, then the wipe of a retired node's data. → claimed | step-failed */
  claim: { markers: Readonly<Record<VolumeRole, MarkerToWrite>> };
  /** Renders the configuration into the config volume. → configured | step-failed */
  configure: object;
  /** Lets Elasticsearch start, and watches it. → gone-ahead | step-failed, then node-… events */
  go: object;
  /** SIGTERM to Elasticsearch; the end comes as process-gone. */
  'stop-process': object;
  /** SIGKILL to everything under the guard; the end comes as process-gone. */
  'kill-process': object;
  /** → detached | step-failed. Refused by its doer while a process has a file open on the volume. */
  detach: { role: VolumeRole };
  /** → lease-given-back, whatever came of it. */
  'give-back': object;
  'send-status': { status: StatusToSend };
  'start-timer': { name: TimerName; ms: number };
  'write-seed-hosts': { hosts: readonly string[] };
  log: {
    level: 'info' | 'warn' | 'error';
    message: string;
    fields: Readonly<Record<string, string | number | boolean>>;
  };
  /** Everything is said: hand over the last updates and exit. */
  finish: { exitCode: number };
}

export type EffectKind = keyof EffectPayloads;
export type Effect = { [K in EffectKind]: { readonly kind: K } & Readonly<EffectPayloads[K]> }[EffectKind];
