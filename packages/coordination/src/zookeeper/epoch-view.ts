import { nodeRecordSchema, type Epoch, type LeaseRecord, type NodeId } from '@mesos-elasticsearch/contract';
import { z } from 'zod';
import { encodeEnvelope } from '../envelope.ts';
import { decodeLease, leaseContentSchema, leaseIn, type LeaseContent } from '../lease-content.ts';
import { LeaseUnavailableError } from '../lease-service.ts';
import { epochPath, inWords, leasePath, nodePath } from './layout.ts';
import type { Operation, Outcome, ZooKeeper, Znode } from './zookeeper.ts';

/** The epoch's znode is written twice: when it is opened, and when it is closed, together with the last lease. */
const epochSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('open') }),
  z.strictObject({ state: z.literal('closed'), last: leaseContentSchema.optional() }),
]);
export type EpochContent = z.infer<typeof epochSchema>;

/** Of the znode of an epoch that is open: whoever checks it is refused once the epoch is closed. */
export const OPEN_VERSION = 0;

export function encodeEpoch(content: EpochContent): string {
  return encodeEnvelope(epochSchema, 1, content);
}

/** One epoch of one node, read in one go. */
export type EpochView =
  | { readonly state: 'absent' }
  | { readonly state: 'closed'; readonly last: LeaseRecord | undefined }
  | OpenEpoch;

export interface OpenEpoch {
  readonly state: 'open';
  readonly lease: { readonly content: LeaseContent; readonly version: number };
  /** The node's record, as far as ZooKeeper shows it to us. */
  readonly record: { readonly path: string; readonly znode: Znode } | undefined;
}

/** No answer: another try may get one. */
export class UnansweredError extends LeaseUnavailableError {}

/** @throws LeaseUnavailableError when it cannot be read, or not be understood */
export async function lookAt(
  zookeeper: ZooKeeper,
  root: string,
  nodeId: NodeId,
  epoch: Epoch,
  limitMs: number,
): Promise<EpochView> {
  const paths = {
    epoch: epochPath(root, nodeId, epoch),
    lease: leasePath(root, nodeId, epoch),
    record: nodePath(root, nodeId),
  };
  // One after another on one connection, so all of it is at least as new as the sync.
  const [synced, epochRead, leaseRead, recordRead] = await Promise.all([
    zookeeper.sync(root, { limitMs }),
    zookeeper.read(paths.epoch, { limitMs }),
    zookeeper.read(paths.lease, { limitMs }),
    zookeeper.read(paths.record, { limitMs }),
  ]);
  known(paths.epoch, synced);
  const epochZnode = known(paths.epoch, epochRead);
  if (epochZnode === undefined) return { state: 'absent' };
  const content = decodeLease(epochSchema, epochZnode.data, paths.epoch);
  if (content.state === 'closed') return { state: 'closed', last: content.last && leaseIn(content.last) };
  const leaseZnode = known(paths.lease, leaseRead);
  if (leaseZnode === undefined) {
    throw new LeaseUnavailableError(`${paths.lease} is missing although its epoch is open`);
  }
  const lease = {
    content: decodeLease(leaseContentSchema, leaseZnode.data, paths.lease),
    version: leaseZnode.stat.version,
  };
  const record = known(paths.record, recordRead);
  return { state: 'open', lease, record: record && { path: paths.record, znode: record } };
}

/** A check that the node's record still is the one that assigns this epoch to this task; undefined: it is not. */
export function recordedFor({ record }: OpenEpoch, lease: LeaseRecord): Operation | undefined {
  if (record === undefined) return undefined;
  const { path, znode } = record;
  const { epoch, holder } = decodeLease(nodeRecordSchema, znode.data, path);
  if (epoch !== lease.epoch || holder?.taskId !== lease.taskId) return undefined;
  return { kind: 'check', path, version: znode.stat.version };
}

/** @throws UnansweredError, LeaseUnavailableError */
export function known<T>(path: string, outcome: Outcome<T>): T {
  if (outcome.kind === 'done') return outcome.value;
  const message = `nothing certain can be said of ${path}: ${inWords(outcome)}`;
  throw outcome.kind === 'unknown' ? new UnansweredError(message) : new LeaseUnavailableError(message);
}
