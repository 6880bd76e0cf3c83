/** What operators ask of a running scheduler about its nodes, over its REST API. */
import { z } from 'zod';
import { ApiError, request, wordsOf } from './request.ts';

/** Of GET /v1/nodes, what is shown; more may come with it. */
const nodeSchema = z.object({
  nodeId: z.number().int(),
  name: z.string(),
  phase: z.string(),
  /** 0: never assigned. */
  epoch: z.number().int(),
  agentId: z.string().optional(),
  host: z.string().optional(),
  taskId: z.string().optional(),
  /** `host:port` */
  addresses: z.object({ http: z.string() }).optional(),
  volumes: z.array(z.string()),
  dataOnRecord: z.boolean(),
  why: z.string(),
  /** Milliseconds since the Unix epoch; 0 for a node without a record. */
  sinceMs: z.number(),
  waitsFor: z.array(z.object({ rule: z.string(), reason: z.string() })),
});
export type ShownNode = z.infer<typeof nodeSchema>;

/** Each order names the epoch that was looked at: of a node that has moved meanwhile nothing is changed. */
export interface NodeOrder {
  readonly nodeId: number;
  readonly epoch: number;
  readonly confirm: string;
}

export interface NodesApi {
  list(): Promise<readonly ShownNode[]>;
  /** @returns what the scheduler says to it */
  order(verb: 'release' | 'retire', order: NodeOrder): Promise<string>;
  /** @returns what the scheduler says to it */
  reuse(nodeId: number, volumes: 'keep' | 'wipe'): Promise<string>;
}

/** All reject with ApiError. */
export function nodesApi(base: URL): NodesApi {
  const ask = (path: string, body?: object) =>
    request(new URL(path, base), body === undefined ? undefined : { method: 'POST', body });
  return {
    async list() {
      const parsed = z.object({ nodes: z.array(nodeSchema) }).safeParse(await ask('/v1/nodes'));
      if (parsed.success) return parsed.data.nodes;
      throw new ApiError(
        `${base.href} does not answer as a scheduler does (is it a standby?): ${z.prettifyError(parsed.error)}`,
      );
    },
    async order(verb, { nodeId, epoch, confirm }) {
      return wordsOf(
        await ask(`/v1/nodes/${nodeId}/${verb}`, { epoch, confirm }),
        `node ${nodeId}: accepted`,
      );
    },
    async reuse(nodeId, volumes) {
      return wordsOf(await ask(`/v1/nodes/${nodeId}/reuse`, { volumes }), `node ${nodeId}: accepted`);
    },
  };
}
