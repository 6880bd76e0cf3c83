import type { FrameworkRecord, NodeId, NodeRecord } from '@mesos-elasticsearch/contract';

/** Grows with each write of one record; 0 stands for "does not exist yet". */
export type RecordVersion = number;

export interface Versioned<T> {
  readonly record: T;
  readonly version: RecordVersion;
}

export interface LedgerSnapshot {
  readonly framework: Versioned<FrameworkRecord> | undefined;
  readonly nodes: ReadonlyMap<NodeId, Versioned<NodeRecord>>;
}

/**
 * The durable record of who holds which node ID. One writer at a time: opening a store that another live
 * process has open fails with {@link LedgerError} `in-use`.
 *
 * Contract, the same for every form (directory, ZooKeeper):
 * - A write is compare-and-set on the record's version and is durable (it survives power loss) when its
 *   promise resolves. A version that does not match fails with `conflict` and changes nothing.
 * - When a write rejects with `unavailable` its outcome is unknown: the caller must load again before it
 *   acts on the record.
 * - The framework record is written before the first node record: node records without it read as `corrupt`.
 * - `load` never returns less than what was written: whatever cannot be read whole is an error
 *   (`corrupt`, `unavailable`), never an empty ledger.
 */
export interface LedgerStore {
  load(): Promise<LedgerSnapshot>;
  /** @returns the new version */
  writeFramework(record: FrameworkRecord, expected: RecordVersion): Promise<RecordVersion>;
  /** @returns the new version */
  writeNode(record: NodeRecord, expected: RecordVersion): Promise<RecordVersion>;
  /** Gives up the writer's place. */
  close(): Promise<void>;
}

/**
 * corrupt: a record is there and cannot be understood. in-use: another live process writes here.
 * read-only / full: the store cannot be written. conflict: compare-and-set failed.
 * deposed: another scheduler leads by now. Nothing was written, and this store never writes again.
 * unavailable: anything else; the outcome is unknown.
 */
export type LedgerErrorCode =
  'corrupt' | 'in-use' | 'read-only' | 'full' | 'conflict' | 'deposed' | 'unavailable';

/** The message says what is wrong, where, and what to do about it. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerErrorCode;

  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
