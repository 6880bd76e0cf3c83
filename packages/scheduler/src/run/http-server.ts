/** The scheduler's HTTP side: what agents fetch, what people ask, what operators order. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { clusterSettingsSchema, type ClusterSettings } from '@mesos-elasticsearch/contract';
import { z } from 'zod';
import type { ClusterView, NodeView } from '../core/views.ts';
import type { EvaluationOutcome } from '../core/offers/outcome.ts';
import type { ApiOptions } from '../options.ts';
import { addMigrationRoutes, type MigrationHandlers } from './migration-routes.ts';
import { artifactPath, type ArtifactFiles } from './artifacts.ts';

/** What an operator's order comes to: `status` is the HTTP code. */
export interface OrderResult {
  readonly status: 200 | 202 | 404 | 409 | 503;
  readonly message: string;
}

export interface ApiHandlers extends MigrationHandlers {
  nodes(): readonly NodeView[];
  cluster(): ClusterView;
  lastOffers(): readonly EvaluationOutcome[];
  setWantedNodes(order: SizeOrder): OrderResult;
  releaseNode(order: ReleaseOrder): OrderResult;
  retireNode(order: RetireOrder): OrderResult;
  reuseNode(nodeId: number, volumes: 'keep' | 'wipe'): OrderResult;
  setSettings(settings: ClusterSettings): OrderResult;
}

export interface ReleaseOrder {
  readonly nodeId: number;
  readonly epoch: number;
}

export type RetireOrder = ReleaseOrder;

export interface SizeOrder {
  readonly nodes: number;
  /** The operator says that the shards of the nodes that go have been moved away. */
  readonly shardsAreMoved: boolean;
}

/** The word that an operator must spell out, together with the epoch that was looked at. */
export const RELEASE_CONFIRMATION = 'the-holder-is-gone';
/** As above, for nodes that are taken away. */
export const RETIRE_CONFIRMATION = 'its-shards-are-elsewhere';
const wantedNodesBody = z.union([
  z
    .object({ value: z.number().int().positive(), confirm: z.literal(RETIRE_CONFIRMATION).optional() })
    .transform(({ value, confirm }) => ({ nodes: value, shardsAreMoved: confirm !== undefined })),
  z
    .number()
    .int()
    .positive()
    .transform((nodes) => ({ nodes, shardsAreMoved: false })),
]);
const retireBody = z.object({ confirm: z.literal(RETIRE_CONFIRMATION), epoch: z.number().int().positive() });
const reuseBody = z.object({ volumes: z.enum(['keep', 'wipe']) });
const nodeParameters = z.object({ nodeId: z.coerce.number().int().positive() });
const releaseBody = z.object({
  confirm: z.literal(RELEASE_CONFIRMATION),
  epoch: z.number().int().positive(),
});

/**
 * @returns the server, listening, and the port it got
 * @throws Error saying that the port is taken and what to do
 */
export async function startHttpServer(
  options: ApiOptions,
  artifacts: ArtifactFiles,
  handlers: ApiHandlers,
): Promise<{ readonly server: FastifyInstance; readonly port: number }> {
  const server = Fastify({ logger: false, forceCloseConnections: true });
  addArtifacts(server, artifacts);
  addViews(server, handlers);
  addOrders(server, handlers);
  addMigrationRoutes(server, handlers);
  try {
    await server.listen({ host: options.host, port: options.port });
  } catch (cause) {
    await server.close();
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    const place = `${options.host}:${options.port}`;
    throw new Error(
      `${place} is taken by another program: stop it, or choose another port (0 takes a free one)`,
      {
        cause,
      },
    );
  }
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { server, port: address.port };
}

function addArtifacts(server: FastifyInstance, files: ArtifactFiles): void {
  for (const file of [files.executor, ...(files.archive === undefined ? [] : [files.archive])]) {
    server.get(artifactPath(file), async (_request, reply) => {
      const { size } = await stat(file.path);
      return reply
        .type('application/octet-stream')
        .header('content-length', size)
        .send(createReadStream(file.path));
    });
  }
}

function addViews(server: FastifyInstance, handlers: ApiHandlers): void {
  server.get('/health', () => {
    const { subscription, store } = handlers.cluster();
    return { status: 'up', subscription, store };
  });
  server.get('/v1/nodes', () => ({ nodes: handlers.nodes() }));
  server.get('/v1/offers/last', () => ({ offers: handlers.lastOffers() }));
  server.get('/v1/cluster', () => handlers.cluster());
  // As in the original: the number that runs, not the number that is wanted.
  server.get('/v1/cluster/elasticsearchNodes', () => ({ value: handlers.cluster().runningNodes }));
}

function addOrders(server: FastifyInstance, handlers: ApiHandlers): void {
  server.put('/v1/cluster/elasticsearchNodes', (request, reply) => {
    const body = wantedNodesBody.safeParse(request.body);
    if (!body.success)
      return reply.code(400).send({ error: 'wanted: {"value": N} with N a whole number from 1 up' });
    return answer(handlers.setWantedNodes(body.data), reply);
  });
  server.post('/v1/nodes/:nodeId/retire', (request, reply) => {
    const parameters = nodeParameters.safeParse(request.params);
    const body = retireBody.safeParse(request.body);
    if (!parameters.success || !body.success) {
      const wanted = `{"confirm": "${RETIRE_CONFIRMATION}", "epoch": E} with the epoch that /v1/nodes shows`;
      return reply.code(400).send({ error: `wanted: a node ID, and ${wanted}` });
    }
    return answer(handlers.retireNode({ nodeId: parameters.data.nodeId, epoch: body.data.epoch }), reply);
  });
  server.post('/v1/nodes/:nodeId/reuse', (request, reply) => {
    const parameters = nodeParameters.safeParse(request.params);
    const body = reuseBody.safeParse(request.body);
    if (!parameters.success || !body.success) {
      return reply
        .code(400)
        .send({ error: 'wanted: a node ID, and {"volumes": "keep"} or {"volumes": "wipe"}' });
    }
    return answer(handlers.reuseNode(parameters.data.nodeId, body.data.volumes), reply);
  });
  server.put('/v1/cluster/settings', (request, reply) => {
    const body = clusterSettingsSchema.safeParse(request.body);
    if (!body.success) {
      return reply.code(400).send({ error: `wrong settings: ${z.prettifyError(body.error)}` });
    }
    return answer(handlers.setSettings(body.data), reply);
  });
  server.post('/v1/nodes/:nodeId/release', (request, reply) => {
    const parameters = nodeParameters.safeParse(request.params);
    const body = releaseBody.safeParse(request.body);
    if (!parameters.success)
      return reply.code(400).send({ error: 'the node ID is a whole number from 1 up' });
    if (!body.success) {
      const wanted = `{"confirm": "${RELEASE_CONFIRMATION}", "epoch": E} with the epoch that /v1/nodes shows`;
      const warning =
        'only when its machine is off or its process is known to be gone: a false word loses data';
      return reply.code(400).send({ error: `wanted: ${wanted}; ${warning}` });
    }
    return answer(handlers.releaseNode({ nodeId: parameters.data.nodeId, epoch: body.data.epoch }), reply);
  });
}

export function answer(
  result: OrderResult,
  reply: { code(status: number): { send(body: object): unknown } },
) {
  const key = result.status >= 400 ? 'error' : 'message';
  return reply.code(result.status).send({ [key]: result.message });
}
