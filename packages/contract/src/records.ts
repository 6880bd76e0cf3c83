/** The durable records that scheduler and executor both read: node record, lease and marker. */
import { z } from 'zod';
import { epoch, nodeId, type ClusterIdentity } from './node-id.ts';
import { driverNameSchema, volumeSpecSchema } from './volume-spec.ts';

export const nodeIdSchema = z.number().int().min(1).transform(nodeId);
export const epochSchema = z.number().int().min(1).transform(epoch);
export const clusterIdentitySchema = z.uuid().transform((text) => text as ClusterIdentity);

export const suspectPolicySchema = z.enum(['wait', 'fence', 'preempt']);
/**
 * What is done about a suspect node. wait: proof or an operator's word. fence: a lease that was recorded as
 * self-fencing and guarded is proof once it has run out. preempt: after a stated time the storage itself is taken
 * away from the old holder, by the driver or by a fence command. Only under `fence` do executors stop by themselves.
 */
export type SuspectPolicy = z.infer<typeof suspectPolicySchema>;

/** Who holds a node ID. Ids are plain text here: the contract knows nothing of the Mesos package. */
export const holderSchema = z.strictObject({
  taskId: z.string().min(1),
  executorId: z.string().min(1),
  agentId: z.string().min(1),
  host: z.string().min(1),
  frameworkId: z.string().min(1),
});
export type Holder = z.infer<typeof holderSchema>;

/**
 * vacant: no holder, free to be assigned.
 * assigned: recorded for a holder, not yet seen running.
 * running: the holder said RUNNING.
 * suspect: the holder may or may not be alive.
 * releasing: process known to be gone, volumes not yet known to be unmounted.
 * migrating: no Elasticsearch runs; its volumes are being moved to another driver. Its holder, if there is one, is a
 *   task that migrates; nobody else may attach them.
 * retired: no holder, and not wanted any more; its volumes still hold what they held.
 */
export const nodePhaseSchema = z.enum([
  'vacant',
  'assigned',
  'running',
  'suspect',
  'releasing',
  'migrating',
  'retired',
]);
export type NodePhase = z.infer<typeof nodePhaseSchema>;

/**
 * run: a node.
 * release: a task that ends and unmounts what an earlier holder left behind on its agent, and nothing else.
 * migrate: a task that copies the node's volumes to another driver, verifies the copy, and unmounts both.
 */
export const purposeSchema = z.enum(['run', 'release', 'migrate']);
export type Purpose = z.infer<typeof purposeSchema>;

/** An earlier holder whose volumes may still be mounted on its agent under its own name. */
export const leftBehindSchema = z.strictObject({
  agentId: z.string().min(1),
  taskId: z.string().min(1),
  /**
   * Its lease was self-fencing and guarded: that many milliseconds after its epoch was closed, and the bound on
   * pauses, it has ended whatever its agent says. 0: it is known to have ended. Absent: only its agent can tell.
   */
  fencedAfterMs: z.number().int().nonnegative().optional(),
  /** An isolator of Mesos had mounted for it, under no name of ours. */
  isolated: z.boolean().optional(),
});
export type LeftBehind = z.infer<typeof leftBehindSchema>;

export const nodeVolumesSchema = z.strictObject({ config: volumeSpecSchema, data: volumeSpecSchema });
export type NodeVolumes = z.infer<typeof nodeVolumesSchema>;

/**
 * A node's turn in a migration; absent: it has none, or is through with it.
 * stopping: its Elasticsearch is told to stop; `volumes` of the record are the old ones.
 * copying: nothing runs on them; they are copied, by one task after the other until the copy is verified.
 * copied: the copy is verified and `volumes` of the record are the new ones; no Elasticsearch was launched on them yet.
 */
export const nodeMigrationSchema = z.strictObject({
  id: z.uuid(),
  stage: z.enum(['stopping', 'copying', 'copied']),
  from: nodeVolumesSchema,
  to: nodeVolumesSchema,
  /**
   * Of the last holder that ran on the old volumes. Whatever a later epoch has marked on the new ones was marked by a
   * task of this very turn.
   */
  sinceEpoch: epochSchema,
  /** Tasks that have failed to copy. */
  failedTries: z.number().int().nonnegative(),
  /**
   * copied: up to this epoch, this one included, every launch on the new volumes has ended before Elasticsearch was let
   * start. Absent: as far as the epoch of the copy itself.
   */
  unusedUntil: epochSchema.optional(),
  /** copied: launches on the new volumes that have failed one after the other while the migration was running. */
  failedStarts: z.number().int().positive().optional(),
});
export type NodeMigration = z.infer<typeof nodeMigrationSchema>;

/** Volumes that a node had before a migration: kept, as they were at its end, until they are purged. */
export const formerVolumesSchema = z.strictObject({
  volumes: nodeVolumesSchema,
  /** The epoch in which they were copied: the last that may be in their markers. */
  epoch: epochSchema,
});
export type FormerVolumes = z.infer<typeof formerVolumesSchema>;

/** The ledger's record of one node ID. `epoch` is that of the last assignment (0 before the first). */
export const nodeRecordSchema = z.strictObject({
  nodeId: nodeIdSchema,
  epoch: z.number().int().min(0),
  phase: nodePhaseSchema,
  holder: holderSchema.optional(),
  /** What the holder's task is for; absent: `run`. */
  purpose: purposeSchema.optional(),
  /** Whoever comes next to one of these agents detaches for them first; absent: nobody. */
  leftBehind: z.array(leftBehindSchema).optional(),
  /** The volumes hold data of a retired node and are emptied before Elasticsearch starts on them again. */
  wipe: z.boolean().optional(),
  /** The holder has run, so it took its lease: a lease service that says otherwise has lost it. */
  leaseTaken: z.boolean().optional(),
  /** An isolator of Mesos mounts for the holder, so its terminal status proves no unmount; absent: the executor does. */
  isolated: z.boolean().optional(),
  /** docker: the container dies with the executor; absent: not known to. */
  tied: z.boolean().optional(),
  /** HTTP and transport addresses of the holder, `host:port`. */
  addresses: z.strictObject({ http: z.string(), transport: z.string() }).optional(),
  volumes: nodeVolumesSchema.optional(),
  migration: nodeMigrationSchema.optional(),
  /** The migration that the node was taken back from: what it has marked as moved counts again. Until the node runs. */
  takenBack: z.uuid().optional(),
  /** Oldest first; absent: none. */
  formerVolumes: z.array(formerVolumesSchema).optional(),
  /** The node has run at least once: its volumes hold data, an empty one is refused. */
  dataOnRecord: z.boolean(),
  suspectPolicy: suspectPolicySchema,
  /** Where the node last was and how it left: a node on agent disks sticks to it. */
  lastAgent: z
    .strictObject({ agentId: z.string().min(1), host: z.string().min(1), left: z.string().min(1) })
    .optional(),
  /** Why the node is in this phase, as a rule name plus detail. */
  why: z.string(),
  /** Milliseconds since the Unix epoch. */
  since: z.number().int(),
});
export type NodeRecord = z.infer<typeof nodeRecordSchema>;

/** What operators change while the cluster runs; each outlives a restart and wins over the flag of that name. */
export const clusterSettingsSchema = z.strictObject({
  suspectPolicy: suspectPolicySchema.optional(),
  retiredVolumes: z.enum(['keep', 'refuse', 'wipe']).optional(),
});
export type ClusterSettings = z.infer<typeof clusterSettingsSchema>;
/** What becomes of the volumes of a retired node ID when the cluster grows again. */
export type RetiredVolumes = NonNullable<ClusterSettings['retiredVolumes']>;

const volumeKindSchema = volumeSpecSchema.omit({ name: true });

/**
 * The last ordered move of the cluster's volumes to another driver. It stays on record when it is done: new nodes get
 * volumes of that driver, whatever the flags say.
 */
export const clusterMigrationSchema = z.strictObject({
  id: z.uuid(),
  /** `{volume}` in an option stands for the volume's name. */
  to: z.strictObject({ config: volumeKindSchema, data: volumeKindSchema }),
  /**
   * paused: no node's turn begins, and a copy under way is stopped where it is.
   * rolling-back: the node whose turn it is goes back to its old volumes; then it is paused.
   */
  state: z.enum(['running', 'paused', 'rolling-back', 'done']),
  /** What the cluster's health must be before the next node's turn; yellow where some replica can never be placed. */
  wantedHealth: z.enum(['green', 'yellow']),
  /** Volumes of that driver that a node had before, and whose copy is out of date, may be written over. */
  overwriteFormer: z.boolean(),
  /**
   * rolling-back: an operator's word that this node goes back to the volumes that were copied though it may have
   * acknowledged documents on the new ones, which are lost to the cluster then.
   */
  giveUp: nodeIdSchema.optional(),
  /**
   * Present from before `cluster.routing.allocation.enable` is changed for a node's turn until it was put back.
   * before: what was set, null: nothing.
   */
  allocation: z.strictObject({ nodeId: nodeIdSchema, before: z.string().nullable() }).optional(),
  /** Why it is in this state: an order, or what went wrong. */
  why: z.string(),
  /** Milliseconds since the Unix epoch. */
  since: z.number().int(),
});
export type ClusterMigration = z.infer<typeof clusterMigrationSchema>;

/** The ledger's record of the framework as a whole. */
export const frameworkRecordSchema = z.strictObject({
  clusterIdentity: clusterIdentitySchema,
  frameworkName: z.string().min(1),
  clusterName: z.string().min(1),
  /** Absent before the first SUBSCRIBED. */
  frameworkId: z.string().min(1).optional(),
  /** Names of the nodes that bootstrap the cluster; recorded before the first launch, never changed. */
  initialMasterNodes: z.array(z.string()).optional(),
  /** True once the cluster has formed: `cluster.initial_master_nodes` is never passed again. */
  bootstrapped: z.boolean(),
  /** Wanted number of nodes as last set through the API; absent: the configured one. */
  wantedNodes: z.number().int().positive().optional(),
  /** Elasticsearch's own UUID of the cluster, as the first node that joined reported it. */
  clusterUuid: z.string().min(1).optional(),
  settings: clusterSettingsSchema.optional(),
  migration: clusterMigrationSchema.optional(),
});
export type FrameworkRecord = z.infer<typeof frameworkRecordSchema>;

/** What an executor writes when it takes a node's lease, and again (with a higher counter) at each renewal. */
export const leaseRecordSchema = z.strictObject({
  nodeId: nodeIdSchema,
  epoch: epochSchema,
  taskId: z.string().min(1),
  /** Random per executor process. */
  holder: z.uuid(),
  host: z.string().min(1),
  durationMs: z.number().int().positive(),
  /** The holder stops Elasticsearch by itself when it cannot renew in time. */
  selfFencing: z.boolean(),
  /** A guard kills Elasticsearch at the deadline even if the executor is frozen or dead. */
  guarded: z.boolean(),
  /** Grows by one with each renewal: observers time the lapse of this number by their own clock. */
  counter: z.number().int().min(0),
});
export type LeaseRecord = z.infer<typeof leaseRecordSchema>;

export const MARKER_FORMAT = 1;
/** Name of the marker file in a volume's root. */
export const MARKER_FILE = '.mesos-elasticsearch-volume.json';

/** The marker file on each volume (design rule 5). */
export const markerSchema = z.strictObject({
  format: z.literal(MARKER_FORMAT),
  clusterIdentity: clusterIdentitySchema,
  frameworkName: z.string().min(1),
  clusterName: z.string().min(1),
  nodeId: nodeIdSchema,
  role: z.enum(['config', 'data']),
  /** Of the last holder that was let in. */
  epoch: epochSchema,
  /** Random, made when the volume was claimed: it shows that a volume is the same one as before. */
  volumeIdentity: z.uuid(),
  /** A verified copy of it is on this driver, and counts since: whoever runs on this one runs on old data. */
  movedTo: z.strictObject({ driver: driverNameSchema, migration: z.uuid() }).optional(),
  /**
   * It is a verified copy of that volume, made by that migration, and nothing has run on it since: whoever is let in
   * to run writes a marker without it.
   */
  copyOf: z.strictObject({ migration: z.uuid(), volumeIdentity: z.uuid() }).optional(),
});
export type MarkerRecord = z.infer<typeof markerSchema>;

/** Lies in the root of a volume while it is the unfinished copy of another: nothing may run on it. */
export const COPY_MARKER_FILE = '.mesos-elasticsearch-copy.json';
export const COPY_MARKER_FORMAT = 1;
export const copyMarkerSchema = z.strictObject({
  format: z.literal(COPY_MARKER_FORMAT),
  clusterIdentity: clusterIdentitySchema,
  nodeId: nodeIdSchema,
  role: z.enum(['config', 'data']),
  /** {@link ClusterMigration.id} */
  migration: z.uuid(),
  /** The volume that is copied. */
  volumeIdentity: z.uuid(),
  /** Of the last task that worked on the copy. */
  epoch: epochSchema,
});
export type CopyMarkerRecord = z.infer<typeof copyMarkerSchema>;
