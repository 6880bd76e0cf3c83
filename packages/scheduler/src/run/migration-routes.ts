/** The API of moving volumes to another driver. */
import type { FastifyInstance } from 'fastify';
import { nodeId } from '@mesos-elasticsearch/contract';
import { z } from 'zod';
import type { MigrationOrder } from '../core/migration/orders.ts';
import type { MigrationView } from '../core/views.ts';
import { answer, type OrderResult } from './http-server.ts';
import type { PurgeOrder } from './migration-orders.ts';

export interface MigrationHandlers {
  migration(): MigrationView;
  orderMigration(order: MigrationOrder): OrderResult;
  purgeFormer(order: PurgeOrder): OrderResult;
}

const beginBody = z
  .strictObject({
    /** Driver of both volumes; its name is checked with everything else. */
    to: z.string().min(1),
    options: z.record(z.string(), z.string()).default({}),
    wantedHealth: z.enum(['green', 'yellow']).default('green'),
    overwriteFormer: z.boolean().default(false),
  })
  .transform(({ to: driver, options, wantedHealth, overwriteFormer }): MigrationOrder => {
    const kind = { driver, options };
    return { kind: 'begin', to: { config: kind, data: kind }, wantedHealth, overwriteFormer };
  });
const changeBody = z
  .strictObject({ change: z.enum(['pause', 'resume', 'rollback']) })
  .transform(({ change }): MigrationOrder => ({ kind: change }));
const giveUpBody = z
  .strictObject({ change: z.literal('rollback'), acceptDataLoss: z.number().int().positive() })
  .transform(({ change, acceptDataLoss }): MigrationOrder => ({
    kind: change,
    giveUp: nodeId(acceptDataLoss),
  }));
const orderBody = z.union([beginBody, changeBody, giveUpBody]);
const purgeBody = z.strictObject({ driver: z.string().min(1), epoch: z.number().int().positive() });
const nodeParameters = z.object({ nodeId: z.coerce.number().int().positive() });

export function addMigrationRoutes(server: FastifyInstance, handlers: MigrationHandlers): void {
  server.get('/v1/cluster/migration', () => handlers.migration());
  server.put('/v1/cluster/migration', (request, reply) => {
    const body = orderBody.safeParse(request.body);
    if (body.success) return answer(handlers.orderMigration(body.data), reply);
    const begin =
      '{"to": DRIVER, "options": {…}, "wantedHealth": "green" or "yellow", "overwriteFormer": true or false}';
    return reply.code(400).send({
      error:
        `wanted: ${begin}, or {"change": "pause", "resume" or "rollback"}, ` +
        'or {"change": "rollback", "acceptDataLoss": NODE_ID}',
    });
  });
  server.delete('/v1/nodes/:nodeId/former-volumes', (request, reply) => {
    const parameters = nodeParameters.safeParse(request.params);
    const body = purgeBody.safeParse(request.body);
    if (parameters.success && body.success) {
      return answer(handlers.purgeFormer({ nodeId: parameters.data.nodeId, ...body.data }), reply);
    }
    const wanted = 'a node ID, and {"driver": DRIVER, "epoch": E} of its former volumes';
    return reply.code(400).send({ error: `wanted: ${wanted}, as GET /v1/cluster/migration shows them` });
  });
}
