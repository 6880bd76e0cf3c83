/** A ledger as one JSON document, to be kept elsewhere. It may hold a driver's credentials among the volume options. */
import { createHash } from 'node:crypto';
import { frameworkRecordSchema, leaseRecordSchema, nodeRecordSchema } from '@mesos-elasticsearch/contract';
import { z } from 'zod';
import type { ExportedState } from './core/evidence.ts';

const FORMAT = 1;

const versionSchema = z.number().int().min(1);
const stateSchema = z.strictObject({
  /** Where it was read. */
  place: z.string(),
  exportedAt: z.iso.datetime(),
  framework: z.strictObject({ version: versionSchema, record: frameworkRecordSchema }),
  nodes: z.array(z.strictObject({ version: versionSchema, record: nodeRecordSchema })),
  /** Of each node's last epoch, as it was read; `unreadable` where the lease service did not answer. */
  leases: z.array(
    z.strictObject({
      nodeId: leaseRecordSchema.shape.nodeId,
      epoch: leaseRecordSchema.shape.epoch,
      state: z.enum(['absent', 'open', 'given-back', 'closed', 'unreadable']),
      lease: leaseRecordSchema.optional(),
    }),
  ),
});
export type StateDocument = z.infer<typeof stateSchema>;

const documentSchema = z.strictObject({
  kind: z.literal('mesos-elasticsearch state'),
  format: z.literal(FORMAT),
  /** Of `state` as JSON without blanks. */
  sha256: z.string(),
  state: z.unknown(),
});

/** The message says what is wrong with the document; the caller adds where it is. */
export class StateDocumentError extends Error {
  override readonly name = 'StateDocumentError';
}

/** @throws z.ZodError for what could not be read back */
export function encodeStateDocument(input: StateDocument): string {
  const state = stateSchema.parse(input);
  const document = { kind: 'mesos-elasticsearch state', format: FORMAT, sha256: checksum(state), state };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** @throws StateDocumentError */
export function decodeStateDocument(text: string): StateDocument {
  const document = parse(documentSchema, jsonOf(text), 'it is no export of this format');
  if (checksum(document.state) !== document.sha256) {
    throw new StateDocumentError('its checksum does not match what it holds: it was cut or changed');
  }
  return parse(stateSchema, document.state, 'it cannot be understood');
}

export function exportedStateOf(source: string, state: StateDocument): ExportedState {
  return {
    source,
    exportedAtMs: Date.parse(state.exportedAt),
    framework: state.framework.record,
    nodes: state.nodes.map(({ record }) => record),
    leases: state.leases.flatMap(({ state: found, lease, nodeId, epoch }) =>
      found === 'unreadable' ? [] : [{ source, nodeId, epoch, state: found, lease }],
    ),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StateDocumentError(text.trim() === '' ? 'it is empty' : 'it is not JSON', { cause });
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StateDocumentError(`${what}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
}

function checksum(state: unknown): string {
  return createHash('sha256').update(JSON.stringify(state)).digest('hex');
}
