/** What operators ask and order about moving volumes, over the scheduler's REST API. */
import { z } from 'zod';
import { ApiError, request, wordsOf } from '../nodes/request.ts';

const volumeSchema = z.object({
  name: z.string(),
  driver: z.string(),
  options: z.record(z.string(), z.string()),
});
const volumesSchema = z.object({ config: volumeSchema, data: volumeSchema });
const nodeSchema = z.object({
  nodeId: z.number().int(),
  phase: z.string(),
  epoch: z.number().int(),
  why: z.string(),
  host: z.string().optional(),
  volumes: volumesSchema.optional(),
  stage: z.string().optional(),
  failedTries: z.number().int(),
  failedStarts: z.number().int().optional(),
  /** Of the node whose turn it is: what a rollback would cost. */
  rollback: z.enum(['free', 'if-start-fails', 'data-loss']).optional(),
  copy: z
    .object({
      stage: z.string(),
      volumes: z.array(
        z.object({
          role: z.string(),
          bytesTotal: z.number(),
          bytesCopied: z.number(),
          bytesVerified: z.number(),
          notKept: z.array(z.string()),
        }),
      ),
    })
    .optional(),
  formerVolumes: z.array(z.object({ volumes: volumesSchema, epoch: z.number().int() })),
});
export type MigratingNode = z.infer<typeof nodeSchema>;

/** Of GET /v1/cluster/migration, what is shown or acted on; more may come with it. */
const migrationSchema = z.object({
  ordered: z
    .object({
      id: z.string(),
      to: z.object({ data: z.object({ driver: z.string() }) }),
      state: z.enum(['running', 'paused', 'rolling-back', 'done']),
      wantedHealth: z.string(),
      why: z.string(),
    })
    .optional(),
  /** Ordered, and not on record yet. */
  pending: z.string().optional(),
  nodesToMove: z.array(z.number().int()),
  nodes: z.array(nodeSchema),
  waitsFor: z.array(z.object({ rule: z.string(), nodeId: z.number().int().optional(), reason: z.string() })),
});
export type ShownMigration = z.infer<typeof migrationSchema>;

const clusterSchema = z.object({ frameworkName: z.string(), clusterIdentity: z.string() });
export type ShownCluster = z.infer<typeof clusterSchema>;

export interface MigrationOrder {
  readonly to: string;
  readonly options: Readonly<Record<string, string>>;
  readonly wantedHealth: 'green' | 'yellow';
  readonly overwriteFormer: boolean;
}

/** All reject with ApiError. Orders resolve to what the scheduler says to them. */
export interface MigrationApi {
  look(): Promise<ShownMigration>;
  cluster(): Promise<ShownCluster>;
  begin(order: MigrationOrder): Promise<string>;
  change(change: 'pause' | 'resume' | 'rollback'): Promise<string>;
  /** A rollback that gives up what this node may have acknowledged since its copy. */
  giveUp(nodeId: number): Promise<string>;
  /** Former volumes of that driver, last marked in that epoch, are gone. */
  purged(nodeId: number, driver: string, epoch: number): Promise<string>;
}

export function migrationApi(base: URL): MigrationApi {
  const path = new URL('/v1/cluster/migration', base);
  const put = async (body: object) => wordsOf(await request(path, { method: 'PUT', body }), 'accepted');
  return {
    look: () => read(base, migrationSchema, path),
    cluster: () => read(base, clusterSchema, new URL('/v1/cluster', base)),
    begin: put,
    change: (change) => put({ change }),
    giveUp: (nodeId) => put({ change: 'rollback', acceptDataLoss: nodeId }),
    async purged(nodeId, driver, epoch) {
      const url = new URL(`/v1/nodes/${nodeId}/former-volumes`, base);
      return wordsOf(await request(url, { method: 'DELETE', body: { driver, epoch } }), 'accepted');
    },
  };
}

async function read<T>(base: URL, schema: z.ZodType<T>, url: URL): Promise<T> {
  const parsed = schema.safeParse(await request(url));
  if (parsed.success) return parsed.data;
  throw new ApiError(
    `${base.href} does not answer as a scheduler does (is it a standby?): ${z.prettifyError(parsed.error)}`,
  );
}
