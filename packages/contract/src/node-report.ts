/** Payloads that travel while a node runs: status data (executor → scheduler) and messages (scheduler → executor). */
import { z } from 'zod';
import { epochSchema, nodeIdSchema } from './records.ts';

export const nodeReportSchema = z.object({
  version: z.literal(1),
  nodeId: nodeIdSchema,
  epoch: epochSchema,
  /** `host:port` */
  http: z.string(),
  /** `host:port` */
  transport: z.string(),
  elasticsearchVersion: z.string().optional(),
  /** Elasticsearch's UUID of the cluster that the node has joined. */
  clusterUuid: z.string().optional(),
  /** One entry a volume: what is mounted where, and the marker found or made on it. */
  volumes: z.array(
    z.object({
      role: z.enum(['config', 'data']),
      name: z.string(),
      driver: z.string(),
      mountpoint: z.string(),
      volumeIdentity: z.string(),
      previousEpoch: z.number().int().optional(),
    }),
  ),
  /** docker: the container dies with the executor. jar: always true. */
  tied: z.boolean(),
  /** Who mounts and unmounts; absent: the executor. */
  mountedBy: z.enum(['dvdi-isolator', 'docker-volume-isolator']).optional(),
  /** Of a task that has ended: the guard was never told to let Elasticsearch start. Absent: it may have run. */
  neverStarted: z.literal(true).optional(),
});
/** In `TaskStatus.data` of RUNNING, and of the end of a task that never came so far. */
export type NodeReport = z.infer<typeof nodeReportSchema>;

export const migrationReportSchema = z.object({
  version: z.literal(1),
  kind: z.literal('migration'),
  nodeId: nodeIdSchema,
  epoch: epochSchema,
  /** verified: both copies were read back from a new mount and are what the old volumes hold; said by TASK_FINISHED only. */
  stage: z.enum(['attaching', 'copying', 'flushing', 'verifying', 'verified']),
  volumes: z.array(
    z.object({
      role: z.enum(['config', 'data']),
      bytesTotal: z.number().int().nonnegative(),
      /** Copied by this task, or found copied already. */
      bytesCopied: z.number().int().nonnegative(),
      bytesVerified: z.number().int().nonnegative(),
      files: z.number().int().nonnegative(),
      /** What the new driver does not keep, in words: ownership, modes, times, holes, extended attributes. */
      notKept: z.array(z.string()),
    }),
  ),
});
/** In `TaskStatus.data` of a task that migrates: RUNNING for progress, FINISHED for the result. */
export type MigrationReport = z.infer<typeof migrationReportSchema>;

export const seedHostsMessageSchema = z.object({
  version: z.literal(1),
  kind: z.literal('seed-hosts'),
  /** Transport addresses `host:port`. */
  hosts: z.array(z.string()),
});
/** In a MESSAGE to the executor whenever nodes move. */
export type SeedHostsMessage = z.infer<typeof seedHostsMessageSchema>;

export function encodeJson(value: NodeReport | MigrationReport | SeedHostsMessage): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Undefined for anything that is not a report this version understands (a foreign or newer one). */
export function decodeNodeReport(bytes: Uint8Array): NodeReport | undefined {
  return decode(nodeReportSchema, bytes);
}

/** Undefined for anything that is not a migration's report. */
export function decodeMigrationReport(bytes: Uint8Array): MigrationReport | undefined {
  return decode(migrationReportSchema, bytes);
}

export function decodeSeedHosts(bytes: Uint8Array): SeedHostsMessage | undefined {
  return decode(seedHostsMessageSchema, bytes);
}

function decode<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
