import { leaseRecordSchema, type LeaseRecord } from '@mesos-elasticsearch/contract';
import { z } from 'zod';
import { decodeEnvelope, encodeEnvelope, EnvelopeError } from './envelope.ts';
import { LeaseUnavailableError } from './lease-service.ts';

/** What is kept of one lease, in every form. */
export const leaseContentSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('held'), lease: leaseRecordSchema }),
  z.strictObject({ state: z.literal('given-back'), lease: leaseRecordSchema }),
  z.strictObject({ state: z.literal('never-taken') }),
]);
export type LeaseContent = z.infer<typeof leaseContentSchema>;
export type TakenLease = Exclude<LeaseContent, { state: 'never-taken' }>;

export function encodeLease(content: LeaseContent): string {
  return encodeEnvelope(leaseContentSchema, 1, content);
}

/** @throws LeaseUnavailableError for a text that cannot be understood; `where` it is */
export function decodeLease<T>(schema: z.ZodType<T>, text: string, where: string): T {
  try {
    return decodeEnvelope(schema, text).record;
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause;
    throw new LeaseUnavailableError(
      `${where} cannot be understood: ${cause.message}. The lease counts as neither held nor free until an ` +
        'operator says what became of its holder',
      { cause },
    );
  }
}

export function leaseIn(content: LeaseContent): LeaseRecord | undefined {
  return content.state === 'never-taken' ? undefined : content.lease;
}

/** The same record, or (for a retry after an answer that got lost) the very one. */
export function isSame(there: LeaseContent | undefined, ours: LeaseContent): boolean {
  return there !== undefined && encodeLease(there) === encodeLease(ours);
}

/**
 * Whether its holder may put `next` in the place of what is there: its own lease, still held. Giving back twice is
 * the same as once.
 * @throws LeaseUnavailableError for a counter that goes back: two parts of one executor disagree.
 */
export function mayReplace(there: LeaseContent | undefined, next: LeaseContent): boolean {
  if (there === undefined || there.state === 'never-taken' || next.state === 'never-taken') return false;
  const { lease } = there;
  if (lease.holder !== next.lease.holder || lease.taskId !== next.lease.taskId) return false;
  if (next.lease.counter < lease.counter) {
    throw new LeaseUnavailableError(
      `the lease of node ${lease.nodeId} stands at counter ${lease.counter}, it cannot go back to ${next.lease.counter}`,
    );
  }
  return there.state === 'held' || next.state === 'given-back';
}
