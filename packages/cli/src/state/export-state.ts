/** Reads a ledger, with the leases of its holders, as it is at this moment. */
import type { Epoch } from '@mesos-elasticsearch/contract';
import { LeaseUnavailableError, type LeaseService } from '@mesos-elasticsearch/coordination';
import type { StateDocument } from './document.ts';
import type { ReadPlace } from './place.ts';

/** @throws Error for a place without a ledger; LedgerError for one that cannot be read whole */
export async function exportState(
  { load, leases, name }: Pick<ReadPlace, 'load' | 'leases' | 'name'>,
  nowMs: number,
): Promise<StateDocument> {
  const { framework, nodes } = await load();
  if (framework === undefined) throw new Error(`there is no ledger in ${name}: nothing was exported`);
  const records = [...nodes.values()].sort((a, b) => a.record.nodeId - b.record.nodeId);
  const found: StateDocument['leases'] = [];
  for (const { record } of records) {
    if (record.epoch > 0) found.push(await leaseNow(leases, record.nodeId, record.epoch as Epoch));
  }
  return {
    place: name,
    exportedAt: new Date(nowMs).toISOString(),
    framework: { version: framework.version, record: framework.record },
    nodes: records.map(({ version, record }) => ({ version, record })),
    leases: found,
  };
}

/** A ledger is worth keeping also where the leases cannot be read. */
async function leaseNow(
  leases: LeaseService,
  nodeId: StateDocument['leases'][number]['nodeId'],
  epoch: Epoch,
): Promise<StateDocument['leases'][number]> {
  try {
    const read = await leases.read(nodeId, epoch);
    const lease = read.state === 'absent' ? undefined : read.lease;
    return { nodeId, epoch, state: read.state, ...(lease === undefined ? {} : { lease }) };
  } catch (error) {
    if (error instanceof LeaseUnavailableError) return { nodeId, epoch, state: 'unreadable' };
    throw error;
  }
}
