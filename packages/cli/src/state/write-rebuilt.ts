/** Puts a rebuilt ledger into a store that has none, so that no moment in between looks like a whole one. */
import { randomUUID } from 'node:crypto';
import type { Epoch, FrameworkRecord, LeaseRecord, NodeRecord } from '@mesos-elasticsearch/contract';
import {
  LeaseUnavailableError,
  type LeaseService,
  type LedgerStore,
} from '@mesos-elasticsearch/coordination';
import type { LeaseEvidence } from './core/evidence.ts';

/** No framework can have this name, so no scheduler starts on a half-written ledger. */
export const UNFINISHED = '(rebuild not finished)';
const PLACEHOLDER_MS = 30_000;

export class RebuildRefusedError extends Error {
  override readonly name = 'RebuildRefusedError';
}

export interface RebuiltRecords {
  readonly framework: FrameworkRecord;
  readonly nodes: readonly NodeRecord[];
}

/**
 * @throws RebuildRefusedError for a store that holds anything but an unfinished rebuilding; nothing was written then
 */
export async function writeRebuilt(
  { framework, nodes }: RebuiltRecords,
  { ledger, leases }: { readonly ledger: LedgerStore; readonly leases: LeaseService },
  known: readonly LeaseEvidence[],
): Promise<void> {
  const there = await ledger.load();
  const before = there.framework?.record.frameworkName;
  if (before !== undefined && before !== UNFINISHED) {
    throw new RebuildRefusedError(
      `there is a ledger already, of framework ${before} with ${there.nodes.size} nodes: nothing was written. ` +
        'Move it away first if it is not to be used any more',
    );
  }
  const unfinished = { ...framework, frameworkName: UNFINISHED };
  const version = await ledger.writeFramework(unfinished, there.framework?.version ?? 0);
  for (const record of nodes) {
    await ledger.writeNode(record, there.nodes.get(record.nodeId)?.version ?? 0);
    await restoreLease(record, leases, known);
  }
  await ledger.writeFramework(framework, version);
}

/**
 * An epoch that the lease service knows nothing of would count as never taken, and its node as free. So its lease is
 * put back, as held: by the very holder where it is known, whose next renewal then goes on as if nothing had
 * happened, else by nobody. It is recorded as unguarded: that it stands still proves nothing.
 */
async function restoreLease(
  record: NodeRecord,
  leases: LeaseService,
  known: readonly LeaseEvidence[],
): Promise<void> {
  if (record.epoch === 0) return;
  const epoch = record.epoch as Epoch;
  if (!(await isUnknown(record, epoch, leases))) return;
  await leases.openEpoch(record.nodeId, epoch);
  const lease = heldBefore(record, known);
  if ((await leases.take(lease)) === 'taken') return;
  throw new LeaseUnavailableError(
    `the lease of node ${record.nodeId}, epoch ${record.epoch}, could not be put back: run the command again`,
  );
}

async function isUnknown(record: NodeRecord, epoch: Epoch, leases: LeaseService): Promise<boolean> {
  try {
    const { state, ...found } = await leases.read(record.nodeId, epoch);
    // Open and untaken: an earlier try came only so far, or the executor never took it.
    return state === 'absent' || (state === 'open' && 'lease' in found && found.lease === undefined);
  } catch (error) {
    // A directory in which no epoch was ever opened says that it knows nothing.
    if (error instanceof LeaseUnavailableError) return true;
    throw error;
  }
}

function heldBefore(record: NodeRecord, known: readonly LeaseEvidence[]): LeaseRecord {
  const { nodeId, epoch, holder } = record;
  const found = known.find(
    ({ lease }) => lease?.nodeId === nodeId && lease.epoch === epoch && lease.taskId === holder?.taskId,
  )?.lease;
  const nobody: LeaseRecord = {
    nodeId,
    epoch: epoch as Epoch,
    taskId: holder?.taskId ?? 'unknown',
    holder: randomUUID(),
    host: holder?.host ?? 'unknown',
    durationMs: PLACEHOLDER_MS,
    selfFencing: false,
    guarded: false,
    counter: 0,
  };
  return { ...(found ?? nobody), selfFencing: false, guarded: false };
}
