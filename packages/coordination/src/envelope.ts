import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Of the envelope around each record, not of the record. */
const ENVELOPE_FORMAT = 1;

const envelopeSchema = z.strictObject({
  format: z.literal(ENVELOPE_FORMAT),
  version: z.number().int().min(1),
  /** Of the record in a list of one, as JSON. */
  sha256: z.string(),
  record: z.unknown(),
});

/** What a file holds cannot be understood; the message says why, the caller adds where. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';
}

/** @throws z.ZodError for a record that does not fit its schema: what cannot be read back is not written. */
export function encodeEnvelope(schema: z.ZodType, version: number, input: unknown): string {
  // Parsed, so that equal records become equal texts.
  const record = schema.parse(input);
  const envelope = { format: ENVELOPE_FORMAT, version, sha256: checksum(record), record };
  return `${JSON.stringify(envelope, undefined, 1)}\n`;
}

/** @throws EnvelopeError */
export function decodeEnvelope<T>(schema: z.ZodType<T>, text: string): { record: T; version: number } {
  const envelope = parseEnvelope(text);
  if (checksum(envelope.record) !== envelope.sha256) {
    throw new EnvelopeError('its checksum does not match what it holds');
  }
  const record = schema.safeParse(envelope.record);
  if (!record.success) throw new EnvelopeError(z.prettifyError(record.error), { cause: record.error });
  return { record: record.data, version: envelope.version };
}

function parseEnvelope(text: string): z.infer<typeof envelopeSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EnvelopeError(text === '' ? 'it is empty' : 'it is not JSON', { cause });
  }
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (format !== ENVELOPE_FORMAT) {
    throw new EnvelopeError(
      `its format ${JSON.stringify(format)} is not known (this version knows ${ENVELOPE_FORMAT})`,
    );
  }
  const envelope = envelopeSchema.safeParse(value);
  if (!envelope.success) throw new EnvelopeError(z.prettifyError(envelope.error), { cause: envelope.error });
  return envelope.data;
}

function checksum(record: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([record]))
    .digest('hex');
}
