/** What the machine asks to be done. Doing is elsewhere (`run/`); each chain effect answers with one event. */
import type {
  LaunchSpec,
  MarkerRecord,
  MigrationReport,
  NodeReport,
  VolumeRole,
} from '@mesos-elasticsearch/contract';
import type { CopyTask } from './migration-decision.ts';
import type { VolumeSlot } from './slots.ts';

export type ReportedState =
  'TASK_STARTING' | 'TASK_RUNNING' | 'TASK_FINISHED' | 'TASK_FAILED' | 'TASK_KILLED' | 'TASK_ERROR';

export interface StatusToSend {
  readonly taskId: string;
  readonly state: ReportedState;
  readonly message?: string;
  readonly healthy?: boolean;
  readonly report?: NodeReport;
  /** Of a task that migrates. */
  readonly migration?: MigrationReport;
}

/** What goes onto one volume before Elasticsearch starts. */
export interface MarkerToWrite {
  readonly marker: MarkerRecord;
  /** The volume was empty and is ours from now on: its root may be handed to Elasticsearch's user. */
  readonly claimed: boolean;
}

/** copy: from the old volumes to the new ones. verify: reads both and compares; it changes nothing that is right. */
export type CopyWork = 'copy' | 'verify';

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
  attach: { role: VolumeSlot };
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
  /** SIGKILL to everything under the guard; the end comes as process-gone. A migration's step stops waiting for the storage. */
  'kill-process': object;
  /** → detached | step-failed. Refused by its doer while a process has a file open on the volume. */
  detach: { role: VolumeSlot };
  /** Both volumes that a migration copies to. → ensured | step-failed */
  'ensure-new': object;
  /** Reads markers and listings of the old volumes and the new ones. → migration-inspected | step-failed */
  'inspect-migration': object;
  /**
   * Claims the old volumes with our epoch, tries the new ones as Elasticsearch's user, and marks them as unfinished
   * copies, down to the storage. → copy-marked | step-failed
   */
  'mark-copy': { task: CopyTask };
  /** Under the guard, and at once. → copy-started | step-failed, then copy-progress, and process-gone at its end */
  'start-copy': { work: CopyWork };
  /** The markers of finished volumes, and away with those of a copy. → copy-finished | step-failed */
  'finish-copy': { task: CopyTask; volumes: MigrationReport['volumes'] };
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
