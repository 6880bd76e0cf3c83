import { join } from 'node:path';
import { leaseRecordSchema, type Epoch, type LeaseRecord, type NodeId } from '@mesos-elasticsearch/contract';
import { z } from 'zod';
import { LeaseUnavailableError } from '../lease-service.ts';
import { decodeEnvelope, encodeEnvelope, EnvelopeError } from './envelope.ts';
import { readIfThere, type Files } from './files.ts';

/** What `lease.json` (and, once an epoch is closed, `closed.json`) of an epoch says. */
export const leaseFileSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('held'), lease: leaseRecordSchema }),
  z.strictObject({ state: z.literal('given-back'), lease: leaseRecordSchema }),
  /** Put there by who closes the epoch: the lease can no longer be taken. */
  z.strictObject({ state: z.literal('never-taken') }),
]);
export type LeaseFile = z.infer<typeof leaseFileSchema>;

export const LEASE = 'lease.json';
export const CLOSING = 'closing';
export const CLOSED = 'closed.json';

/** The files of one epoch; docs/adr/0002-lease.md says what each is for. */
export interface EpochPaths {
  readonly node: string;
  readonly epoch: string;
  readonly lease: string;
  readonly closed: string;
}

export function epochPaths(root: string, nodeId: NodeId, epoch: Epoch): EpochPaths {
  const node = join(root, 'leases', String(nodeId));
  const directory = join(node, `epoch-${epoch}`);
  return {
    node,
    epoch: directory,
    lease: join(directory, LEASE),
    closed: join(directory, CLOSED),
  };
}

/** Of the name of an epoch's directory; undefined for any other name. */
export function epochOfDirectory(name: string): number | undefined {
  const match = /^epoch-([1-9][0-9]*)$/.exec(name);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

export function encodeLeaseFile(content: LeaseFile): string {
  return encodeEnvelope(leaseFileSchema, 1, content);
}

/**
 * Undefined for a file that is not there.
 * @throws LeaseUnavailableError for one that cannot be understood.
 */
export async function readLeaseFile(files: Files, path: string): Promise<LeaseFile | undefined> {
  const text = await readIfThere(files, path);
  if (text === undefined) return undefined;
  try {
    return decodeEnvelope(leaseFileSchema, text).record;
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause;
    throw new LeaseUnavailableError(
      `${path} cannot be understood: ${cause.message}. The lease counts as neither held nor free until an ` +
        'operator says what became of its holder',
      { cause },
    );
  }
}

export function leaseIn(content: LeaseFile): LeaseRecord | undefined {
  return content.state === 'never-taken' ? undefined : content.lease;
}

/** The same record, or (for a retry after an answer that got lost) the very one. */
export function isSame(there: LeaseFile | undefined, ours: LeaseFile): boolean {
  return there !== undefined && encodeLeaseFile(there) === encodeLeaseFile(ours);
}

/**
 * Whether its holder may put `next` in the place of what is there: its own lease, still held. Giving back twice is
 * the same as once.
 * @throws LeaseUnavailableError for a counter that goes back: two parts of one executor disagree.
 */
export function mayReplace(there: LeaseFile | undefined, next: LeaseFile): boolean {
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
