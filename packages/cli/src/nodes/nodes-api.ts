/** What operators ask of a running scheduler about its nodes, over its REST API. */
import { z } from 'zod';
import { messageOf } from '../setup/setup-error.ts';

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
  volumes: z.array(z.string()),
  dataOnRecord: z.boolean(),
  why: z.string(),
  /** Milliseconds since the Unix epoch; 0 for a node without a record. */
  sinceMs: z.number(),
  waitsFor: z.array(z.object({ rule: z.string(), reason: z.string() })),
});
export type ShownNode = z.infer<typeof nodeSchema>;

const LIMIT_MS = 15_000;

/** The scheduler did not answer, or did not do what it was asked to. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
}

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
  const ask = (path: string, body?: object) => request(new URL(path, base), body);
  return {
    async list() {
      const parsed = z.object({ nodes: z.array(nodeSchema) }).safeParse(await ask('/v1/nodes'));
      if (parsed.success) return parsed.data.nodes;
      throw new ApiError(
        `${base.href} does not answer as a scheduler does (is it a standby?): ${z.prettifyError(parsed.error)}`,
      );
    },
    async order(verb, { nodeId, epoch, confirm }) {
      return wordsOf(await ask(`/v1/nodes/${nodeId}/${verb}`, { epoch, confirm }), nodeId);
    },
    async reuse(nodeId, volumes) {
      return wordsOf(await ask(`/v1/nodes/${nodeId}/reuse`, { volumes }), nodeId);
    },
  };
}

function wordsOf(answer: unknown, nodeId: number): string {
  const parsed = z.object({ message: z.string() }).safeParse(answer);
  return parsed.success ? parsed.data.message : `node ${nodeId}: accepted`;
}

async function request(url: URL, body: object | undefined): Promise<unknown> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { signal, ...(body === undefined ? {} : post) });
    text = await response.text();
  } catch (error) {
    const { cause } = error as Error;
    throw new ApiError(
      `no answer from ${url.origin}: ${messageOf(cause ?? error)}. Is the scheduler up, and --api its address?`,
      { cause: error },
    );
  }
  const answer = jsonOf(text);
  if (response.ok) return answer;
  const words = z.object({ error: z.string() }).safeParse(answer).data?.error ?? text.slice(0, 500);
  throw new ApiError(`the scheduler refuses (${response.status}): ${words}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
