/** The versioned payload of `TaskInfo.data`: all that an executor must know to run one node. */
import { z } from 'zod';
import {
  clusterIdentitySchema,
  epochSchema,
  nodeIdSchema,
  nodeVolumesSchema,
  purposeSchema,
  suspectPolicySchema,
} from './records.ts';
import { EXECUTOR_MOUNTS, volumeMounterSchema } from './volume-mounter.ts';

export const LAUNCH_SPEC_VERSION = 3;

/** `host-path`: plugin socket or dvdcli; `container-mount`: through the Engine, docker runtime only. */
const volumePathSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('plugin-socket') }),
  z.strictObject({ kind: z.literal('dvdcli'), program: z.string().min(1) }),
  z.strictObject({ kind: z.literal('engine') }),
]);
export type VolumePath = z.infer<typeof volumePathSchema>;

const runtimeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('jar'),
    /** `installed`: a home on the agent; `archive`: a file in the sandbox, put there by the Mesos fetcher. */
    distribution: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('installed'), home: z.string().min(1) }),
      z.strictObject({
        kind: z.literal('archive'),
        file: z.string().min(1),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    ]),
    javaHome: z.string().min(1).optional(),
  }),
  z.strictObject({
    kind: z.literal('docker'),
    image: z.string().min(1),
    forcePull: z.boolean(),
    /** Path of the Docker socket on the agent. */
    socket: z.string().min(1),
  }),
]);
export type Runtime = z.infer<typeof runtimeSchema>;

/** Where the executor finds the lease service. */
const leasePlaceSchema = z.discriminatedUnion('kind', [
  /** Root of the lease directory, reachable from the agent under this path. */
  z.strictObject({ kind: z.literal('directory'), directory: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('zookeeper'),
    /** `host:port` */
    servers: z.array(z.string().min(1)).min(1),
    /** The cluster's root in ZooKeeper, absolute. */
    path: z.string().regex(/^(\/[^/\s]+)+$/),
    sessionTimeoutMs: z.number().int().positive(),
    /**
     * Where the agent has `user:password` for digest authentication. Task data can be read by whoever reads the
     * master's state, so it holds only the place: a file, or a variable that a Mesos secret fills.
     */
    credentials: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
        z.strictObject({ kind: z.literal('variable'), name: z.string().min(1) }),
      ])
      .optional(),
  }),
]);
export type LeasePlace = z.infer<typeof leasePlaceSchema>;

export const launchSpecSchema = z.strictObject({
  version: z.literal(LAUNCH_SPEC_VERSION),
  clusterIdentity: clusterIdentitySchema,
  frameworkName: z.string().min(1),
  clusterName: z.string().min(1),
  nodeId: nodeIdSchema,
  /** Stable per node ID, e.g. `elasticsearch-1`. */
  nodeName: z.string().min(1),
  epoch: epochSchema,
  taskId: z.string().min(1),
  /**
   * release: end and unmount what earlier holders left behind on this agent; nothing is started.
   * migrate: copy `volumes` to `migration.to`; no Elasticsearch is started.
   */
  purpose: purposeSchema,
  /** Task IDs of earlier holders of this node on this very agent: their attachments are undone before ours is made. */
  formerConsumers: z.array(z.string().min(1)),
  /** Empty both volumes after their markers were found to be ours, and before anything starts on them. */
  wipeVolumes: z.boolean(),
  runtime: runtimeSchema,
  volumes: nodeVolumesSchema,
  /**
   * Present with the purpose `migrate`. With another one it says what a migration's task among the former consumers may
   * have left attached, beside `volumes`.
   */
  migration: z
    .strictObject({
      id: z.uuid(),
      to: nodeVolumesSchema,
      /** The target may hold an older copy of this very volume, which is then written over. */
      overwriteFormer: z.boolean(),
      /**
       * A marker of this node on the target with a higher epoch was made by an earlier task of this very turn, whose
       * end nobody saw: it is copied over, whatever `overwriteFormer` says.
       */
      sinceEpoch: epochSchema.optional(),
    })
    .optional(),
  /** Volumes that this migration has marked as moved are run on all the same: it was taken back. */
  takenBack: z.uuid().optional(),
  volumePath: volumePathSchema,
  /** Of `volumes`, for the purpose `run`; for every other purpose the executor attaches. */
  volumeMounter: volumeMounterSchema.default(EXECUTOR_MOUNTS),
  /** An isolator mounted for an earlier holder on this agent: dvdcli undoes what that may have left. */
  formerIsolator: z.strictObject({ dvdcli: z.string().min(1) }).optional(),
  /** Take over volumes that hold data but no marker (the way over from the original framework). */
  adoptVolumes: z.boolean(),
  /** The ledger knows data of this node: an empty volume is refused. */
  dataOnRecord: z.boolean(),
  elasticsearch: z.strictObject({
    /** The user's elasticsearch.yml as text; the framework's own settings go on top. */
    settings: z.string().optional(),
    /** Extra JVM options, one a line. */
    jvmOptions: z.array(z.string()),
    /** Keystore entries, name → value. */
    keystore: z.record(z.string(), z.string()),
    heapMb: z.number().int().positive(),
    httpPort: z.number().int().min(1).max(65535),
    transportPort: z.number().int().min(1).max(65535),
    bindHost: z.string().min(1),
    publishHost: z.string().min(1),
    /** Set only while the cluster has never formed and this node has no data on record. */
    initialMasterNodes: z.array(z.string()),
    /** Transport addresses `host:port` of the other nodes as known at launch. */
    seedHosts: z.array(z.string()),
    /** Numeric ids that Elasticsearch runs as; ignored where the executor is not root. */
    uid: z.number().int().positive(),
    gid: z.number().int().positive(),
  }),
  lease: z.strictObject({
    place: leasePlaceSchema,
    policy: suspectPolicySchema,
    durationMs: z.number().int().positive(),
  }),
  /** How long a stop may take before it becomes a kill. */
  stopGraceMs: z.number().int().positive(),
});
export type LaunchSpec = z.infer<typeof launchSpecSchema>;
/** The form before parsing (unbranded). */
export type LaunchSpecInput = z.input<typeof launchSpecSchema>;

export class LaunchSpecError extends Error {
  override readonly name = 'LaunchSpecError';
}

export function encodeLaunchSpec(spec: LaunchSpecInput): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(launchSpecSchema.parse(spec)));
}

/** @throws LaunchSpecError naming each wrong field, or the version where it is not ours. */
export function decodeLaunchSpec(bytes: Uint8Array): LaunchSpec {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new LaunchSpecError('the launch spec is not JSON', { cause });
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (version !== LAUNCH_SPEC_VERSION) {
    throw new LaunchSpecError(
      `launch spec version ${JSON.stringify(version)} is not known here (this executor knows ${String(LAUNCH_SPEC_VERSION)})`,
    );
  }
  const parsed = launchSpecSchema.safeParse(value);
  if (!parsed.success) {
    throw new LaunchSpecError(`wrong launch spec: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  }
  return parsed.data;
}
