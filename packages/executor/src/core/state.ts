/** Where an executor stands with its one task. */
import type { LaunchSpec, MigrationReport, NodeReport, VolumeRole } from '@mesos-elasticsearch/contract';
import type { CopyWork, Effect } from './effects.ts';
import type { StepName } from './events.ts';
import type { CopyTask } from './migration-decision.ts';
import type { ExecutorSafety } from './safety.ts';
import type { VolumeSlot } from './slots.ts';

/** What must be let go before a terminal status may be sent. */
export interface Held {
  readonly lease: boolean;
  /** What earlier holders left attached on this agent may still be so; ours to undo from when the lease was taken. */
  readonly former: boolean;
  /** Attached, or perhaps attached (an attach whose outcome is unknown). In the order of attaching. */
  readonly volumes: readonly VolumeSlot[];
  readonly process: boolean;
}

/** The terminal status that the stop leads to. */
export interface Ending {
  readonly state: 'TASK_FAILED' | 'TASK_KILLED' | 'TASK_FINISHED';
  readonly message: string;
  /** Of a migration that is done. */
  readonly migration?: MigrationReport;
}

/** `graceMs` 0: no SIGTERM first. */
export interface StopOrder {
  readonly ending: Ending;
  readonly graceMs: number;
}

interface Common {
  readonly spec: LaunchSpec;
  readonly held: Held;
  readonly limits: Limits;
  readonly safety: ExecutorSafety;
}

/** From the executor's environment; milliseconds. */
export interface Limits {
  /** Upper bound for a stop ordered by SHUTDOWN: the agent's grace period less what the unmount needs. */
  readonly shutdownStopMs: number;
  /** How often one detach is tried before the executor ends with it undone; {@link DETACH_TRIES} unless told. */
  readonly detachTries?: number;
}

/** 1, 2, 4… up to 30 seconds apart: six minutes and what the driver takes each time. */
export const DETACH_TRIES = 16;
/** Ended without a terminal status: nothing of the task runs, and volumes may be mounted. */
export const EXIT_STILL_MOUNTED = 75;

export interface Idle {
  readonly phase: 'idle';
  readonly limits: Limits;
  readonly safety: ExecutorSafety;
}
/** One start step is under way; an order to stop waits for its answer. */
export interface Starting extends Common {
  readonly phase: 'starting';
  readonly step: Exclude<StepName, 'detach'>;
  /** Which volume an `attach` is about, and which try it is. */
  readonly role: VolumeRole;
  readonly attempt: number;
  readonly report: NodeReport;
  readonly stop: StopOrder | undefined;
  /** Newer than the launch spec's; written as soon as there is a configuration. */
  readonly seedHosts: readonly string[] | undefined;
}
/** Elasticsearch may run. Joined: RUNNING was sent. */
export interface Up extends Common {
  readonly phase: 'up';
  readonly joined: boolean;
  readonly report: NodeReport;
}
/** What a migration does, one after the other; all but `start-copy` are answered when they are done. */
export type MigrationStep = Extract<
  Effect,
  {
    kind:
      | 'ensure'
      | 'attach'
      | 'ensure-new'
      | 'inspect-migration'
      | 'mark-copy'
      | 'start-copy'
      | 'detach'
      | 'finish-copy';
  }
>;
/** The volumes are moved: no Elasticsearch runs here. */
export interface Migrating extends Common {
  readonly phase: 'migrating';
  readonly doing: MigrationStep;
  readonly todo: readonly MigrationStep[];
  /** What runs under the guard; an order to stop ends it at once, and waits for the answer of any other step. */
  readonly running: CopyWork | undefined;
  readonly attempt: number;
  /** Present once it is decided. */
  readonly task: CopyTask | undefined;
  readonly report: MigrationReport;
  readonly stop: StopOrder | undefined;
}
/** The process is being stopped, or volumes detached, or the lease given back: see `held` for what is left. */
export interface Stopping extends Common {
  readonly phase: 'stopping';
  readonly ending: Ending;
  /** Absent after a migration, for which no isolator ever mounts. */
  readonly report: NodeReport | undefined;
  /** Elasticsearch was told to start, or perhaps so. */
  readonly wentAhead: boolean;
  /** Which try of the detach under way; 0 while the process is not gone. */
  readonly attempt: number;
  readonly killed: boolean;
}
export interface Ended {
  readonly phase: 'ended';
  readonly limits: Limits;
  readonly safety: ExecutorSafety;
}
export type State = Idle | Starting | Migrating | Up | Stopping | Ended;

export interface Transition {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export const NOTHING_HELD: Held = { lease: false, former: false, volumes: [], process: false };
