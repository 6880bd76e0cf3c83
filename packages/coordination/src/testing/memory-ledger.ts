import {
  frameworkRecordSchema,
  nodeRecordSchema,
  type FrameworkRecord,
  type NodeId,
  type NodeRecord,
} from '@mesos-elasticsearch/contract';
import {
  LedgerError,
  type LedgerErrorCode,
  type LedgerSnapshot,
  type LedgerStore,
  type RecordVersion,
  type Versioned,
} from '../ledger-store.ts';
import { Faults } from './faults.ts';

export type LedgerOperation = 'load' | 'writeFramework' | 'writeNode';

/** What a ledger's disk holds: it outlives the stores that are opened on it. */
export class MemoryLedgerDisk {
  framework: Versioned<FrameworkRecord> | undefined;
  readonly nodes = new Map<NodeId, Versioned<NodeRecord>>();
  #writer: MemoryLedger | undefined;

  /** @throws LedgerError `in-use` while another store is open. */
  open(): MemoryLedger {
    if (this.#writer !== undefined) {
      throw new LedgerError('in-use', 'the ledger is in use by another scheduler; stop that one first');
    }
    this.#writer = new MemoryLedger(this);
    return this.#writer;
  }

  /** The writer is gone, however it went. */
  free(writer: MemoryLedger): void {
    if (this.#writer === writer) this.#writer = undefined;
  }
}

/** A ledger without a disk, that keeps the contract and fails when told to. */
export class MemoryLedger implements LedgerStore {
  readonly faults = new Faults<LedgerOperation>((operation) => ledgerError('unavailable', operation));
  /** Every record written, in order, as one that looks over the writer's shoulder sees it. */
  readonly writes: (FrameworkRecord | NodeRecord)[] = [];
  readonly #disk: MemoryLedgerDisk;
  #mustLoad = false;
  #closed = false;

  constructor(disk: MemoryLedgerDisk = new MemoryLedgerDisk()) {
    this.#disk = disk;
  }

  async load(): Promise<LedgerSnapshot> {
    this.#checkOpen();
    const snapshot = await this.faults.around('load', () => ({
      framework: this.#disk.framework,
      nodes: new Map(this.#disk.nodes),
    }));
    this.#mustLoad = false;
    return snapshot;
  }

  writeFramework(record: FrameworkRecord, expected: RecordVersion): Promise<RecordVersion> {
    return this.#write('writeFramework', () => {
      const version = next(this.#disk.framework, expected);
      this.#disk.framework = { record: frameworkRecordSchema.parse(record), version };
      this.writes.push(record);
      return version;
    });
  }

  writeNode(record: NodeRecord, expected: RecordVersion): Promise<RecordVersion> {
    return this.#write('writeNode', () => {
      const version = next(this.#disk.nodes.get(record.nodeId), expected);
      this.#disk.nodes.set(record.nodeId, { record: nodeRecordSchema.parse(record), version });
      this.writes.push(record);
      return version;
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#disk.free(this);
    return Promise.resolve();
  }

  async #write(operation: LedgerOperation, step: () => RecordVersion): Promise<RecordVersion> {
    this.#checkOpen();
    if (this.#mustLoad) throw ledgerError('unavailable', 'write before load after an unknown outcome');
    try {
      return await this.faults.around(operation, step);
    } catch (error) {
      if (error instanceof LedgerError && error.code === 'unavailable') this.#mustLoad = true;
      throw error;
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw ledgerError('unavailable', 'use of a closed ledger');
  }
}

function next(there: Versioned<unknown> | undefined, expected: RecordVersion): RecordVersion {
  const current = there?.version ?? 0;
  if (current === expected) return current + 1;
  throw ledgerError('conflict', `write of version ${expected + 1} over version ${current}`);
}

function ledgerError(code: LedgerErrorCode, what: string): LedgerError {
  return new LedgerError(code, `${what}: ${code} (fake)`);
}
