import type { LaunchSpec } from '@mesos-elasticsearch/contract';
import type { LeaseService } from '@mesos-elasticsearch/coordination';
import type { Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import type { StatusToSend } from '../core/effects.ts';
import type { NodeCondition } from '../elasticsearch/probe.ts';
import type { IsolatedVolumes } from '../isolators/isolated-volumes.ts';
import type { CopyTools } from '../migration/copy-tools.ts';
import type { NodeRuntime, UptimeClock } from '../ports.ts';

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Everything that the run loop acts through. */
export interface ExecutorPorts {
  readonly log: Log;
  readonly clock: UptimeClock;
  /** Name of this agent. */
  readonly host: () => string;
  readonly randomUuid: () => string;
  readonly sendStatus: (status: StatusToSend) => void;
  readonly leasesOf: (spec: LaunchSpec) => LeaseService;
  readonly volumesOf: (spec: LaunchSpec) => Volumes;
  /** By the mount ledger: undoes what earlier epochs of this node left mounted on this host, whoever knows of it. */
  readonly recoverMounts: (spec: LaunchSpec) => Promise<MountRecovery>;
  /** Where the spec says that an isolator mounts; absent or undefined: the executor attaches through `volumesOf`. */
  readonly isolatedOf?: (spec: LaunchSpec) => IsolatedVolumes | undefined;
  /** dvdcli, for what an isolator may have left on this agent. */
  readonly formerIsolatedOf?: (spec: LaunchSpec) => Pick<Volumes, 'inspect' | 'detach'> | undefined;
  readonly runtimeOf: (spec: LaunchSpec) => NodeRuntime;
  /** For a task that migrates. */
  readonly copyToolsOf: (spec: LaunchSpec) => CopyTools;
  readonly askNode: (spec: LaunchSpec) => Promise<NodeCondition>;
  readonly timings: Timings;
}

export interface MountRecovery {
  /** `VOLUME of DRIVER for CONSUMER`. */
  readonly letGo: readonly string[];
  /** The same, with what stands against it: it is, or may be, still mounted. */
  readonly left: readonly string[];
  /** What other nodes left mounted on this host: it is undone by who holds their lease. */
  readonly others: readonly string[];
}

/** Milliseconds. */
export interface Timings {
  /** Between two questions to the node. */
  readonly askEveryMs: number;
  /** How long Elasticsearch may take from its start until it answers at all. */
  readonly silenceLimitMs: number;
  /** Between tries to take a lease whose service does not answer. */
  readonly leaseRetryMs: number;
  readonly giveBackLimitMs: number;
  /** Between two words about how far a copy is. */
  readonly progressEveryMs: number;
  /** With a driver that writes back: how long nothing at all may arrive on the storage. */
  readonly arrivalLimitMs: number;
  /** After SIGKILL, until it is said that the process is not gone; and so often again. */
  readonly notGoneMs: number;
  /** Between two looks at the mounts of an isolator. */
  readonly mountWatchMs: number;
}

export const DEFAULT_TIMINGS: Timings = {
  askEveryMs: 500,
  silenceLimitMs: 300_000,
  leaseRetryMs: 1_000,
  giveBackLimitMs: 5_000,
  progressEveryMs: 2_000,
  // One object of many gigabytes arrives as a whole.
  arrivalLimitMs: 1_800_000,
  notGoneMs: 30_000,
  mountWatchMs: 2_000,
};
