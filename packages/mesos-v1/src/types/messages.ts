/**
 * The v1 messages in our own words: camelCase, ids unwrapped and branded, enums as strings, bytes as
 * Uint8Array, 64-bit nanoseconds as bigint. Only what the project uses; the codec keeps unknown fields out.
 * Absent stays absent (no proto2 defaults are filled in).
 */
import type {
  AgentId,
  ContainerIdValue,
  ExecutorId,
  FrameworkId,
  OfferId,
  StatusUuid,
  TaskId,
} from './ids.ts';
import type { FrameworkCapability, Open, StatusReason, StatusSource, TaskState } from './enums.ts';

export interface Scalar {
  value: number;
}
/** Both ends inclusive. */
export interface Range {
  begin: number;
  end: number;
}
export interface Ranges {
  range?: Range[];
}
export interface ValueSet {
  item?: string[];
}
export interface Label {
  key: string;
  value?: string;
}
export interface Labels {
  labels?: Label[];
}
export interface Attribute {
  name: string;
  type: Open<'SCALAR' | 'RANGES' | 'SET' | 'TEXT'>;
  scalar?: Scalar;
  ranges?: Ranges;
  set?: ValueSet;
  text?: { value: string };
}

export interface ReservationInfo {
  type?: Open<'UNKNOWN' | 'STATIC' | 'DYNAMIC'>;
  role?: string;
  principal?: string;
  labels?: Labels;
}
export interface DiskInfo {
  persistence?: { id: string; principal?: string };
  volume?: Volume;
  source?: {
    type: Open<'PATH' | 'MOUNT' | 'BLOCK' | 'RAW'>;
    path?: { root?: string };
    mount?: { root?: string };
    id?: string;
    profile?: string;
    vendor?: string;
  };
}
/** Handed back exactly as offered: identity is by all of its metadata. */
export interface Resource {
  name: string;
  type: Open<'SCALAR' | 'RANGES' | 'SET' | 'TEXT'>;
  scalar?: Scalar;
  ranges?: Ranges;
  set?: ValueSet;
  role?: string;
  disk?: DiskInfo;
  reservation?: ReservationInfo;
  reservations?: ReservationInfo[];
  allocationInfo?: { role?: string };
  providerId?: { value: string };
  revocable?: Record<string, never>;
  shared?: Record<string, never>;
}

export interface Address {
  hostname?: string;
  ip?: string;
  port: number;
}
export interface Url {
  scheme: string;
  address: Address;
  path?: string;
  fragment?: string;
}

export interface Offer {
  id: OfferId;
  frameworkId: FrameworkId;
  agentId: AgentId;
  hostname: string;
  resources?: Resource[];
  executorIds?: ExecutorId[];
  attributes?: Attribute[];
  url?: Url;
  unavailability?: Unavailability;
  allocationInfo?: { role?: string };
}
export interface Unavailability {
  start: { nanoseconds: bigint };
  duration?: { nanoseconds: bigint };
}
export interface InverseOffer {
  id: OfferId;
  frameworkId: FrameworkId;
  agentId?: AgentId;
  unavailability: Unavailability;
  resources?: Resource[];
}

export interface CommandUri {
  value: string;
  executable?: boolean;
  extract?: boolean;
  cache?: boolean;
  outputFile?: string;
}
export interface EnvironmentVariable {
  name: string;
  value?: string;
  type?: Open<'VALUE' | 'SECRET'>;
  /** With type SECRET, in the place of `value`. */
  secret?: Secret;
}
/** Resolved by the agent (Mesos 1.3, `--secret_resolver` and the isolator `environment_secret`). */
export interface Secret {
  type?: Open<'REFERENCE' | 'VALUE'>;
  reference?: { name: string; key?: string };
}
/** `shell: false`: exec(value, argv = arguments), so `arguments[0]` is argv[0] (Mesos containerizer). */
export interface CommandInfo {
  uris?: CommandUri[];
  environment?: { variables?: EnvironmentVariable[] };
  shell?: boolean;
  value?: string;
  arguments?: string[];
  user?: string;
}

export interface Parameter {
  key: string;
  value: string;
}
export interface Volume {
  mode: Open<'RW' | 'RO'>;
  containerPath: string;
  hostPath?: string;
  source?: {
    type?: Open<'DOCKER_VOLUME' | 'SANDBOX_PATH' | 'SECRET' | 'HOST_PATH'>;
    dockerVolume?: { driver?: string; name: string; driverOptions?: { parameter?: Parameter[] } };
  };
}
export interface ContainerInfo {
  type: Open<'DOCKER' | 'MESOS'>;
  volumes?: Volume[];
  hostname?: string;
  docker?: {
    image: string;
    network?: Open<'HOST' | 'BRIDGE' | 'NONE' | 'USER'>;
    privileged?: boolean;
    parameters?: Parameter[];
    forcePullImage?: boolean;
    volumeDriver?: string;
  };
  /** Set with type MESOS. Its image is not used here. */
  mesos?: Record<string, never>;
}

export interface ExecutorInfo {
  executorId: ExecutorId;
  type?: Open<'DEFAULT' | 'CUSTOM'>;
  frameworkId?: FrameworkId;
  command?: CommandInfo;
  container?: ContainerInfo;
  resources?: Resource[];
  name?: string;
  source?: string;
  data?: Uint8Array;
  shutdownGracePeriod?: { nanoseconds: bigint };
  labels?: Labels;
}

export interface KillPolicy {
  gracePeriod?: { nanoseconds: bigint };
}
export interface TaskInfo {
  name: string;
  taskId: TaskId;
  agentId: AgentId;
  resources?: Resource[];
  executor?: ExecutorInfo;
  command?: CommandInfo;
  container?: ContainerInfo;
  data?: Uint8Array;
  killPolicy?: KillPolicy;
  labels?: Labels;
  discovery?: DiscoveryInfo;
}
export interface DiscoveryInfo {
  visibility: Open<'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL'>;
  name?: string;
  ports?: { ports?: { number: number; name?: string; protocol?: string }[] };
}

export interface ContainerId {
  value: ContainerIdValue;
  parent?: ContainerId;
}
export interface ContainerStatus {
  containerId?: ContainerId;
  executorPid?: number;
  networkInfos?: { ipAddresses?: { protocol?: string; ipAddress?: string }[] }[];
}
export interface TaskStatus {
  taskId: TaskId;
  state: Open<TaskState>;
  message?: string;
  source?: Open<StatusSource>;
  reason?: StatusReason;
  data?: Uint8Array;
  agentId?: AgentId;
  executorId?: ExecutorId;
  /** Seconds since the epoch, fractional. */
  timestamp?: number;
  /** Present: reliable, must be acknowledged. Absent: made by the master, must not be. */
  uuid?: StatusUuid;
  healthy?: boolean;
  labels?: Labels;
  containerStatus?: ContainerStatus;
  unreachableTime?: { nanoseconds: bigint };
}

export interface FrameworkInfo {
  user: string;
  name: string;
  id?: FrameworkId;
  /** Seconds, fractional. */
  failoverTimeout?: number;
  checkpoint?: boolean;
  role?: string;
  roles?: string[];
  hostname?: string;
  principal?: string;
  webuiUrl?: string;
  capabilities?: { type?: FrameworkCapability }[];
  labels?: Labels;
}
export interface MasterInfo {
  id: string;
  ip: number;
  port: number;
  pid?: string;
  hostname?: string;
  version?: string;
  address?: Address;
}
export interface AgentInfo {
  hostname: string;
  port?: number;
  resources?: Resource[];
  attributes?: Attribute[];
  id?: AgentId;
}
