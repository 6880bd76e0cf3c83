/** What the scheduler is started with: parsed, complete, units in the names. The command line maps its flags to this. */
import type {
  LeasePlace,
  RetiredVolumes,
  Runtime,
  SuspectPolicy,
  VolumeMounter,
  VolumePath,
  VolumeSpec,
} from '@mesos-elasticsearch/contract';
import type { LeaseService, LedgerStore, MasterDetector } from '@mesos-elasticsearch/coordination';
import type { Logger } from 'pino';
import type { ProgressEvent } from './progress.ts';
import type { Clock, MesosGatewayFactory, Random } from './ports.ts';

export interface SchedulerOptions {
  readonly mesos: MesosOptions;
  readonly framework: FrameworkOptions;
  readonly cluster: ClusterOptions;
  readonly node: NodeOptions;
  readonly executor: ExecutorOptions;
  readonly suspects: SuspectOptions;
  readonly api: ApiOptions;
  /** How Elasticsearch is asked while volumes are moved. Absent: without credentials, over HTTP. */
  readonly elasticsearch?: ElasticsearchAccess;
  /**
   * What can be seen to be wrong with moving the volumes to this driver, in words: by the same rules as the driver that the
   * cluster was started with. Absent: nothing can.
   */
  readonly driverFaults?: DriverFaults;
  /** Opened by the caller (directory, ZooKeeper); `stop()` closes it. */
  readonly ledger: LedgerStore;
  readonly leases: LeaseService;
  /**
   * Asked before each attempt to subscribe: a scheduler that does not know whether it still leads must not take the
   * framework from the one that may lead by now. Absent: always.
   */
  readonly mayLead?: () => boolean;
  readonly log: Logger;
  /** What humans want to see, as it happens. Must not throw. */
  readonly onProgress?: (event: ProgressEvent) => void;
  /** Replaced in tests. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly connect?: MesosGatewayFactory;
  readonly timing?: Partial<Timing>;
}

export type DriverFaults = (volume: {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}) => readonly string[];

export interface MesosOptions {
  /**
   * Base URLs of the masters, e.g. `http://10.0.0.1:5050`; asked in turn, redirects are followed. Or who tells which
   * master leads; the caller closes it.
   */
  readonly masters: readonly string[] | Pick<MasterDetector, 'current' | 'onChange'>;
  readonly encoding: 'protobuf' | 'json';
  readonly auth?:
    | { readonly kind: 'basic'; readonly principal: string; readonly secret: string }
    | { readonly kind: 'bearer'; readonly token: string };
  readonly tls?: { readonly ca?: string; readonly rejectUnauthorized?: boolean };
}

export interface ElasticsearchAccess {
  /** `user:password` of a user with the cluster privileges to monitor, to change settings, and to flush. Never logged. */
  readonly credentials?: string;
  /** PEM of whoever signs the nodes' certificates. With it they are asked over HTTPS, without it over HTTP. */
  readonly ca?: string;
}

export interface FrameworkOptions {
  /** `FrameworkInfo.name`, prefix of task IDs and of volume names. */
  readonly name: string;
  /** User that the executor runs as on the agents. */
  readonly user: string;
  /** Mesos role; `*` is the default role. Resources reserved for it are used before unreserved ones. */
  readonly role: string;
  readonly principal?: string;
  /** Host name shown by the master. */
  readonly hostname?: string;
  /** Default: the scheduler's own URL. */
  readonly webuiUrl?: string;
  /** Seconds, as Mesos counts them: how long tasks live on after the scheduler has gone. 30 days: 2592000. */
  readonly failoverTimeoutSeconds: number;
}

export interface ClusterOptions {
  /** `cluster.name` of Elasticsearch. */
  readonly name: string;
  /** Wanted number of nodes at the first start; later the ledger's figure (PUT /v1/cluster/elasticsearchNodes) wins. */
  readonly nodes: number;
  /**
   * external: volumes follow the node to any agent; disk is not asked of the offer.
   * normal: data is on the agent's disk; the disk is asked of the offer and a node sticks to its agent.
   */
  readonly strategy: 'external' | 'normal';
  /** Driver and options of every node's `config` and `data` volume; names come from framework name and node ID. */
  readonly volumes: {
    readonly config: Pick<VolumeSpec, 'driver' | 'options'>;
    readonly data: Pick<VolumeSpec, 'driver' | 'options'>;
  };
  /** How the executor reaches the driver. */
  readonly volumePath: VolumePath;
  /** Who mounts a node's volumes. Absent: the executor. */
  readonly volumeMounter?: VolumeMounter;
  /** Text attributes an agent must have, name → value; absent or empty: any agent. */
  readonly agentAttributes?: Readonly<Record<string, string>>;
  /** Take over volumes that hold data but no marker. */
  readonly adoptVolumes: boolean;
}

export interface NodeOptions {
  /** Of the task, for Elasticsearch. */
  readonly cpus: number;
  readonly memMb: number;
  /** Asked of the offer by the normal strategy only. */
  readonly diskMb: number;
  /** Heap of Elasticsearch; must be less than memMb. */
  readonly heapMb: number;
  /** `any`: two ports of the offer are picked. Otherwise both must be in the offer. */
  readonly ports: 'any' | { readonly http: number; readonly transport: number };
  /**
   * docker and jar as in the launch spec. `archive`: Elasticsearch comes through the Mesos fetcher, see
   * {@link ExecutorOptions.archive}, which then must be given.
   */
  readonly runtime: RuntimeOptions;
  /** Address that Elasticsearch binds to on the agent, e.g. `0.0.0.0`. */
  readonly bindHost: string;
  /** What other nodes and clients are told: the agent's host name, or its IP address (of the offer's URL). */
  readonly publish: 'hostname' | 'ip';
  /** The user's elasticsearch.yml as text. */
  readonly settings?: string;
  readonly jvmOptions: readonly string[];
  /** Keystore entries, name → value. Secret: never logged, never shown. */
  readonly keystore: Readonly<Record<string, string>>;
  /** Numeric ids that Elasticsearch runs as where the executor is root. */
  readonly uid: number;
  readonly gid: number;
  /** How long a stop may take before it becomes a kill; less than executor.shutdownGraceMs. */
  readonly stopGraceMs: number;
}

export type RuntimeOptions =
  | Extract<Runtime, { kind: 'docker' }>
  | {
      readonly kind: 'jar';
      readonly distribution:
        { readonly kind: 'installed'; readonly home: string } | { readonly kind: 'archive' };
      readonly javaHome?: string;
    };

export interface ExecutorOptions {
  /** Path of the single-file executor on this host; served to the Mesos fetcher with its checksum. */
  readonly bundleFile: string;
  /** Program on the agents that runs the bundle, e.g. `node` or an absolute path. */
  readonly nodeProgram: string;
  /** Resources of the executor itself, on top of the node's. */
  readonly cpus: number;
  readonly memMb: number;
  /** `ExecutorInfo.shutdown_grace_period`: enough to stop Elasticsearch and unmount. Usual: 120000. */
  readonly shutdownGraceMs: number;
  /** More variables for the executor. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that the agent fills with Mesos secrets, by reference: variable → secret. */
  readonly secrets?: Readonly<Record<string, { readonly name: string; readonly key?: string }>>;
  /** Elasticsearch archive for jar mode: a file of this host that the scheduler serves, or a URL with checksum. */
  readonly archive?:
    | { readonly kind: 'file'; readonly file: string }
    | { readonly kind: 'url'; readonly url: string; readonly sha256: string };
  /** Labels on each task, besides the framework's own. */
  readonly labels: Readonly<Record<string, string>>;
  /** Task name and discovery name. */
  readonly name: string;
}

export interface SuspectOptions {
  /** Counts from a node's next epoch. */
  readonly policy: SuspectPolicy;
  /** Which policies an operator may change to while the scheduler runs. */
  readonly possiblePolicies: readonly SuspectPolicy[];
  /** Length of a lease. */
  readonly leaseMs: number;
  /** The operator's bound on pauses of a whole machine; waited out after a lease has run out. */
  readonly pauseBoundMs: number;
  /** Where the lease service is as the *agents* see it. */
  readonly leasePlaceOnAgents: LeasePlace;
  /** preempt: how long a node is suspect before its storage is taken from the old holder. */
  readonly preemptAfterMs: number;
  /**
   * preempt: the driver takes a volume from its old host by itself when it is attached elsewhere, so that nothing
   * more is needed. Otherwise `fenceCommand` must do it.
   */
  readonly driverRevokes: boolean;
  /** Program called as `PROGRAM DRIVER VOLUME HOST` for each volume; exit 0 means that HOST can no longer write it. */
  readonly fenceCommand?: { readonly program: string; readonly limitMs: number };
  /** What becomes of the volumes of a retired node ID when the cluster grows again. */
  readonly retiredVolumes: RetiredVolumes;
}

export interface ApiOptions {
  /** Address to bind, e.g. `0.0.0.0`. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Host name or address under which the agents reach this process (fetcher) and people the UI. */
  readonly publicHost: string;
}

/** All in milliseconds. The defaults suit a real cluster and the demo alike. */
export interface Timing {
  /** How often leases are read. */
  readonly leasePollMs: number;
  /** refuse_seconds of a decline while a node waits for an offer. */
  readonly refuseShortMs: number;
  /** refuse_seconds of a decline while nothing is wanted. */
  readonly refuseLongMs: number;
  readonly reconcileFirstMs: number;
  readonly reconcileMaxMs: number;
  readonly reconcileEveryMs: number;
  /** Suspects are asked for this often: a master before 1.5 says nothing of a task that came back. */
  readonly reconcileSuspectsEveryMs: number;
  /** Pause after a store or lease service failed. */
  readonly retryMs: number;
  /** First pause before a node that failed by itself is launched again; doubles up to relaunchMaxMs. */
  readonly relaunchFirstMs: number;
  readonly relaunchMaxMs: number;
  /** An assigned node whose lease was never taken for this long is suspect. */
  readonly launchTimeoutMs: number;
  /** Pause between two KILLs of the same unwanted task. */
  readonly killEveryMs: number;
  /** Seed hosts are repeated this often (messages are best effort). */
  readonly seedHostsEveryMs: number;
  /** REVIVE is repeated this often while a node waits. */
  readonly reviveEveryMs: number;
  /** Pause before a fence command that failed is called again. */
  readonly fenceRetryMs: number;
  /** First pause after a task that was to copy a node's volumes has failed; doubles up to relaunchMaxMs. */
  readonly copyRetryMs: number;
  /** How often Elasticsearch is asked for its health while volumes are moved. */
  readonly healthEveryMs: number;
  /** Its health must have been as wanted for this long before a node is stopped for its turn. */
  readonly healthSettleMs: number;
  /** How long an offer is kept at hand for a node that is about to be proven free. */
  readonly holdOffersMs: number;
  /** A node whose lease expired avoids its former agent for this long. */
  readonly avoidAgentMs: number;
}

export const DEFAULT_TIMING: Timing = {
  leasePollMs: 1000,
  refuseShortMs: 2000,
  refuseLongMs: 3_600_000,
  reconcileFirstMs: 1000,
  reconcileMaxMs: 60_000,
  reconcileEveryMs: 900_000,
  reconcileSuspectsEveryMs: 5000,
  retryMs: 2000,
  relaunchFirstMs: 1000,
  relaunchMaxMs: 60_000,
  launchTimeoutMs: 600_000,
  killEveryMs: 10_000,
  seedHostsEveryMs: 10_000,
  reviveEveryMs: 30_000,
  fenceRetryMs: 10_000,
  copyRetryMs: 15_000,
  healthEveryMs: 2000,
  healthSettleMs: 4000,
  holdOffersMs: 120_000,
  avoidAgentMs: 60_000,
};
