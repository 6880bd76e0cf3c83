import { join } from 'node:path';
import type { Epoch, NodeId } from '@mesos-elasticsearch/contract';
import { decodeLease, leaseContentSchema, type LeaseContent } from '../lease-content.ts';
import { readIfThere, type Files } from './files.ts';

/**
 * `lease.json` (and, once an epoch is closed, `closed.json`) of an epoch. `never-taken` is put there by who closes the
 * epoch: the lease can no longer be taken.
 */
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

/**
 * Undefined for a file that is not there.
 * @throws LeaseUnavailableError for one that cannot be understood.
 */
export async function readLeaseFile(files: Files, path: string): Promise<LeaseContent | undefined> {
  const text = await readIfThere(files, path);
  return text === undefined ? undefined : decodeLease(leaseContentSchema, text, path);
}
