import { leaseRecordSchema, type Epoch, type LeaseRecord, type NodeId } from '@mesos-elasticsearch/contract';
import { LeaseUnavailableError, type LeaseService, type LeaseState } from '../lease-service.ts';
import { Faults } from './faults.ts';

export type LeaseOperation = keyof LeaseService;

interface EpochState {
  closed: boolean;
  givenBack: boolean;
  lease: LeaseRecord | undefined;
}

/** Leases without a disk, that keep the contract and fail when told to. */
export class MemoryLeases implements LeaseService {
  readonly faults = new Faults<LeaseOperation>(
    (operation) => new LeaseUnavailableError(`${operation}: no answer (fake)`),
  );
  readonly #nodes = new Map<NodeId, Map<Epoch, EpochState>>();

  openEpoch(nodeId: NodeId, epoch: Epoch): Promise<void> {
    return this.faults.around('openEpoch', () => {
      const epochs = this.#epochs(nodeId);
      const newest = Math.max(0, ...epochs.keys());
      if (newest > epoch || epochs.get(epoch)?.closed === true) {
        throw new LeaseUnavailableError(`epoch ${epoch} of node ${nodeId} is closed or past (fake)`);
      }
      if (!epochs.has(epoch)) epochs.set(epoch, { closed: false, givenBack: false, lease: undefined });
    });
  }

  closeEpoch(nodeId: NodeId, epoch: Epoch): Promise<LeaseRecord | undefined> {
    return this.faults.around('closeEpoch', () => {
      const state = this.#find(nodeId, epoch) ?? { closed: true, givenBack: false, lease: undefined };
      state.closed = true;
      this.#epochs(nodeId).set(epoch, state);
      return state.lease;
    });
  }

  read(nodeId: NodeId, epoch: Epoch): Promise<LeaseState> {
    return this.faults.around('read', () => {
      const found = this.#find(nodeId, epoch);
      if (found === undefined) return { state: 'absent' };
      const { lease } = found;
      if (found.closed) return { state: 'closed', lease };
      return found.givenBack && lease !== undefined
        ? { state: 'given-back', lease }
        : { state: 'open', lease };
    });
  }

  take(lease: LeaseRecord): Promise<'taken' | 'refused'> {
    return this.faults.around('take', () => {
      const state = this.#find(lease.nodeId, lease.epoch);
      if (state === undefined || state.closed || state.givenBack) return 'refused';
      if (state.lease !== undefined) {
        return state.lease.holder === lease.holder && state.lease.counter === lease.counter
          ? 'taken'
          : 'refused';
      }
      state.lease = leaseRecordSchema.parse(lease);
      return 'taken';
    });
  }

  renew(lease: LeaseRecord): Promise<'renewed' | 'closed'> {
    return this.faults.around('renew', () => {
      const state = this.#heldBy(lease);
      if (state === undefined || state.givenBack) return 'closed';
      state.lease = leaseRecordSchema.parse(lease);
      return 'renewed';
    });
  }

  giveBack(lease: LeaseRecord): Promise<'given-back' | 'closed'> {
    return this.faults.around('giveBack', () => {
      const state = this.#heldBy(lease);
      if (state === undefined) return 'closed';
      state.lease = leaseRecordSchema.parse(lease);
      state.givenBack = true;
      return 'given-back';
    });
  }

  #epochs(nodeId: NodeId): Map<Epoch, EpochState> {
    const epochs = this.#nodes.get(nodeId) ?? new Map<Epoch, EpochState>();
    this.#nodes.set(nodeId, epochs);
    return epochs;
  }

  #find(nodeId: NodeId, epoch: Epoch): EpochState | undefined {
    return this.#nodes.get(nodeId)?.get(epoch);
  }

  /** The open epoch whose lease is this holder's own. */
  #heldBy(lease: LeaseRecord): EpochState | undefined {
    const state = this.#find(lease.nodeId, lease.epoch);
    if (state === undefined || state.closed) return undefined;
    if (state.lease?.holder !== lease.holder || state.lease.taskId !== lease.taskId) return undefined;
    if (lease.counter < state.lease.counter) {
      throw new LeaseUnavailableError(`the counter of node ${lease.nodeId} cannot go back (fake)`);
    }
    return state;
  }
}
