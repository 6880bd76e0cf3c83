/** The ledger's store and the lease service. Both are durable; what fails is the way to them and back. */
import type { FrameworkRecord, LeaseRecord, NodeId, NodeRecord } from '@mesos-elasticsearch/contract';
import type { LeaseState, LedgerSnapshot, Versioned } from '@mesos-elasticsearch/coordination';
import { ServiceError } from './network.ts';
import type { World } from './world.ts';

export interface EpochState {
  closed: boolean;
  givenBack: boolean;
  lease: LeaseRecord | undefined;
  /** When the counter was last changed, in real time. */
  changedAtMs: number;
}

/** One writer leads, by the number of its term; in the directory form its lock keeps all others out. */
class Terms {
  current = 0;

  check(world: World, term: number): void {
    if (term === this.current) return;
    if (!world.mutations.has('leader-epoch-unchecked'))
      throw new ServiceError('deposed: another scheduler leads');
    world.judge.fail('leader', `a scheduler of term ${term} wrote in term ${this.current}`);
  }
}

export class Leases {
  readonly #world: World;
  readonly #epochs = new Map<number, Map<number, EpochState>>();

  constructor(world: World) {
    this.#world = world;
  }

  find(nodeId: number, epoch: number): EpochState | undefined {
    return this.#epochs.get(nodeId)?.get(epoch);
  }

  openEpoch(nodeId: number, epoch: number, term: number): void {
    this.#world.terms.check(this.#world, term);
    const epochs = this.#of(nodeId);
    if (Math.max(0, ...epochs.keys()) > epoch || epochs.get(epoch)?.closed === true) {
      throw new ServiceError(`epoch ${epoch} of node ${nodeId} is closed or past`);
    }
    if (!epochs.has(epoch)) epochs.set(epoch, newEpoch());
  }

  closeEpoch(nodeId: number, epoch: number, term: number): LeaseRecord | undefined {
    this.#world.terms.check(this.#world, term);
    const epochs = this.#of(nodeId);
    const state = epochs.get(epoch) ?? newEpoch();
    epochs.set(epoch, state);
    state.closed = true;
    return state.lease;
  }

  read(nodeId: number, epoch: number): LeaseState {
    const state = this.find(nodeId, epoch);
    if (state === undefined) return { state: 'absent' };
    const { lease } = state;
    if (state.closed) return { state: 'closed', lease };
    return state.givenBack && lease !== undefined ? { state: 'given-back', lease } : { state: 'open', lease };
  }

  take(lease: LeaseRecord): 'taken' | 'refused' {
    const state = this.find(lease.nodeId, lease.epoch);
    if (state === undefined) return 'refused';
    const anyway = this.#world.mutations.has('lease-taken-twice');
    if (!anyway && (state.closed || state.givenBack)) return 'refused';
    if (!anyway && state.lease !== undefined) {
      const same = state.lease.holder === lease.holder && state.lease.counter === lease.counter;
      return same ? 'taken' : 'refused';
    }
    this.#change(state, lease);
    return 'taken';
  }

  renew(lease: LeaseRecord): 'renewed' | 'closed' {
    const state = this.find(lease.nodeId, lease.epoch);
    if (state?.closed === true && this.#world.mutations.has('closed-epoch-renewed')) return 'renewed';
    if (!this.#isHeld(state, lease) || state.givenBack) return 'closed';
    this.#change(state, lease);
    return 'renewed';
  }

  giveBack(lease: LeaseRecord): 'given-back' | 'closed' {
    const state = this.find(lease.nodeId, lease.epoch);
    if (!this.#isHeld(state, lease)) return 'closed';
    this.#change(state, lease);
    state.givenBack = true;
    return 'given-back';
  }

  #change(state: EpochState, lease: LeaseRecord): void {
    state.lease = lease;
    state.changedAtMs = this.#world.now;
  }

  #isHeld(state: EpochState | undefined, lease: LeaseRecord): state is EpochState {
    if (state === undefined || state.closed) return false;
    if (state.lease?.holder !== lease.holder || state.lease.taskId !== lease.taskId) return false;
    if (lease.counter < state.lease.counter) throw new ServiceError('the counter cannot go back');
    return true;
  }

  #of(nodeId: number): Map<number, EpochState> {
    let epochs = this.#epochs.get(nodeId);
    if (epochs === undefined) this.#epochs.set(nodeId, (epochs = new Map<number, EpochState>()));
    return epochs;
  }
}

function newEpoch(): EpochState {
  return { closed: false, givenBack: false, lease: undefined, changedAtMs: 0 };
}

export class Ledger {
  readonly #world: World;
  framework: Versioned<FrameworkRecord> | undefined;
  readonly nodes = new Map<NodeId, Versioned<NodeRecord>>();

  constructor(world: World) {
    this.#world = world;
  }

  record(nodeId: number): NodeRecord | undefined {
    return this.nodes.get(nodeId as NodeId)?.record;
  }

  load(term: number): LedgerSnapshot {
    this.#world.terms.check(this.#world, term);
    return { framework: this.framework, nodes: new Map(this.nodes) };
  }

  writeFramework(record: FrameworkRecord, expected: number, term: number): number {
    this.#world.terms.check(this.#world, term);
    const version = nextVersion(this.framework, expected);
    this.framework = { record, version };
    return version;
  }

  writeNode(record: NodeRecord, expected: number, term: number): number {
    this.#world.terms.check(this.#world, term);
    const before = this.nodes.get(record.nodeId);
    const version = nextVersion(before, expected);
    this.nodes.set(record.nodeId, { record, version });
    this.#world.judge.onRecorded(before?.record, record);
    return version;
  }
}

function nextVersion(there: Versioned<unknown> | undefined, expected: number): number {
  const current = there?.version ?? 0;
  if (current !== expected) throw new ServiceError(`conflict: version ${current}, expected ${expected}`);
  return current + 1;
}

export { Terms };
