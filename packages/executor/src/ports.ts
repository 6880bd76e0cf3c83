/** What the executor needs of the world; adapters are in jar/, docker/, elasticsearch/ and run/. */
import type { LaunchSpec, VolumeRole } from '@mesos-elasticsearch/contract';
import type { Attachment } from '@mesos-elasticsearch/dvdcli-bridge';
import type { GuardDeadline } from './guard/control-directory.ts';

/** Milliseconds of the kernel's uptime: monotonic, and the same clock that the guard reads. */
export interface UptimeClock {
  nowMs(): number;
}

/** `node`: Elasticsearch's user. `administrator`: the executor's own, or root in the container. */
export type RunAs = 'administrator' | 'node';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs one program where Elasticsearch runs (on this machine, or in its container) and waits for it: argv
 * only, no shell. Everything on a volume is touched through this, so that a file system that hangs does not
 * hang the executor. Rejects with {@link CommandTimeLimitError} after its time limit.
 */
export interface CommandRunner {
  run(
    argv: readonly string[],
    options: {
      as: RunAs;
      input?: Uint8Array | string;
      environment?: Readonly<Record<string, string>>;
      limitMs?: number;
    },
  ): Promise<CommandResult>;
}

export class CommandTimeLimitError extends Error {
  override readonly name = 'CommandTimeLimitError';
}

/** Wrong or missing parts of the machine, image or distribution; the message says what to do about it. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** One way to run Elasticsearch: as a process (jar) or as a container (docker). */
export interface NodeRuntime {
  /**
   * Ends every process and container of an earlier epoch of this node on this machine, earlier executors included:
   * whatever is left of them must not touch a volume again.
   * @throws SetupError when one does not end, or is of a later epoch than ours
   */
  endOrphans(spec: LaunchSpec): Promise<void>;
  /** All that needs no volume. @throws SetupError */
  prepare(spec: LaunchSpec): Promise<void>;
  /**
   * Starts the guard, which holds Elasticsearch back. When it rejects, nothing runs: it has undone what it did.
   * @throws SetupError
   */
  start(
    spec: LaunchSpec,
    attachments: Readonly<Record<VolumeRole, Attachment>>,
    deadline: GuardDeadline,
  ): Promise<NodeProcess>;
}

/** Elasticsearch under its guard. */
export interface NodeProcess {
  /** Everything here dies with the executor's container (cgroup), so that an agent's word about it is enough. */
  readonly tied: boolean;
  /** Where Elasticsearch sees its volumes. */
  readonly mountpoints: Readonly<Record<VolumeRole, string>>;
  readonly home: string;
  readonly logDirectory: string;
  /** Elasticsearch's user where it differs from the executor's own. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly commands: CommandRunner;
  extend(deadline: GuardDeadline): Promise<void>;
  go(): Promise<void>;
  /** SIGTERM, once. */
  stop(): Promise<void>;
  /** SIGKILL to all of it; repeated by itself until it is gone. */
  kill(): Promise<void>;
  /** Resolves when not one process of it is left, with how it ended in words. Never rejects. */
  readonly gone: Promise<string>;
  /** Who still has a file open on the volume, in words; empty when nobody has. */
  stillHolding(role: VolumeRole): Promise<readonly string[]>;
}
