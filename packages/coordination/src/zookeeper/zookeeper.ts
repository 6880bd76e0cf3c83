/** What this package needs of ZooKeeper. No type of a driver or of the wire is in here. */

/**
 * done: it happened, and `value` is the answer.
 * not-done: ZooKeeper refused in so many words; nothing was changed.
 * unknown: no answer in time, or the connection broke. A write may have happened, and may still happen; whoever
 * needs to know reads.
 */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'not-done'; readonly code: RefusalCode; readonly at: number }
  | { readonly kind: 'unknown'; readonly why: string };

/** In a transaction, `at` of the outcome is the index of the operation that was refused. */
export type RefusalCode =
  'no-node' | 'node-exists' | 'bad-version' | 'not-empty' | 'no-auth' | 'bad-request' | 'parent-is-ephemeral';

export interface Znode {
  /** As UTF-8. */
  readonly data: string;
  readonly bytes: Uint8Array;
  readonly stat: Stat;
}

export interface Stat {
  /** 0 when created, grows by one with each write of the data. */
  readonly version: number;
  /** Children created and removed so far. */
  readonly childChanges: number;
  readonly children: number;
}

/** A version for `set` and `remove` that fits every version. */
export const ANY_VERSION = -1;

/** One part of a transaction. A path is absolute; of a sequential znode it is the beginning. */
export type Operation =
  | {
      readonly kind: 'create';
      readonly path: string;
      readonly data: string;
      readonly acl: Acl;
      /** Ephemeral: it is gone when the session is over. Sequential: a number that grows is added to its name. */
      readonly lives?: 'ephemeral-sequential';
    }
  | { readonly kind: 'set'; readonly path: string; readonly data: string; readonly version: number }
  | { readonly kind: 'check'; readonly path: string; readonly version: number }
  | { readonly kind: 'remove'; readonly path: string; readonly version: number };

/** Of one operation that was carried out. */
export interface Effect {
  /** create: where the znode is, with its number. */
  readonly path?: string;
  /** set: the new version. */
  readonly version?: number;
}

export interface AclEntry {
  readonly scheme: 'world' | 'digest';
  readonly id: string;
  /** Sum of {@link PERMISSION}. */
  readonly permissions: number;
}
export type Acl = readonly AclEntry[];
export const PERMISSION = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

export interface ReadOptions {
  /**
   * Called at most once, as soon as the answer may have changed: something was written, or the connection was
   * lost and nobody looked meanwhile. Read again then. Set also on what does not exist yet.
   */
  readonly watch?: () => void;
  /** Milliseconds; never longer than the client's own limit. */
  readonly limitMs?: number;
}

/**
 * A client: one session at a time, over one connection at a time. Both are replaced when they are lost, without
 * being asked; a request that was sent over the lost connection ends as `unknown`. Requests are carried out in
 * the order in which they were made, while the connection is the same.
 */
export interface ZooKeeper {
  /** As granted; as wanted before the first connection. The server ends the session that long after it last heard of us. */
  readonly sessionTimeoutMs: number;
  /** `undefined` inside `done`: there is no such znode. */
  read(path: string, options?: ReadOptions): Promise<Outcome<Znode | undefined>>;
  /** Names of the children in no order; `undefined` inside `done`: there is no such znode. */
  children(path: string, options?: ReadOptions): Promise<Outcome<readonly string[] | undefined>>;
  /** All of the operations, or none. */
  transact(
    operations: readonly Operation[],
    options?: { readonly limitMs?: number },
  ): Promise<Outcome<readonly Effect[]>>;
  /** Reads that are made after it see whatever was written, by anyone, before it was made. */
  sync(path: string, options?: { readonly limitMs?: number }): Promise<Outcome<void>>;
  /** Ends the session: its ephemeral znodes are gone at once, if ZooKeeper can be reached. */
  close(): Promise<void>;
}
