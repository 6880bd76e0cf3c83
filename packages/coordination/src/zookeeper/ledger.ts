import {
  frameworkRecordSchema,
  nodeRecordSchema,
  parseNodeId,
  type FrameworkRecord,
  type NodeId,
  type NodeRecord,
} from '@mesos-elasticsearch/contract';
import type { z } from 'zod';
import { decodeEnvelope, encodeEnvelope, EnvelopeError } from '../envelope.ts';
import { InTurn } from '../in-turn.ts';
import {
  LedgerError,
  type LedgerSnapshot,
  type LedgerStore,
  type RecordVersion,
  type Versioned,
} from '../ledger-store.ts';
import type { Leadership } from './election.ts';
import { frameworkPath, inWords, nodePath, nodesPath } from './layout.ts';
import type { Operation, Outcome, Znode } from './zookeeper.ts';

/** What a record's compare-and-set compares: of the record for callers, of the znode for ZooKeeper. */
interface KnownVersion {
  readonly record: RecordVersion;
  readonly znode: number;
}

/** Reads under way at a time. */
const READS_AT_ONCE = 64;

/**
 * The ledger as znodes, written by the scheduler that leads: each write is one transaction that also checks that it
 * still does. `close` resigns.
 * @throws LedgerError `deposed`, `corrupt`, `read-only`, `unavailable`: it opens only if it can be read whole
 */
export async function openZookeeperLedger(leadership: Leadership): Promise<LedgerStore> {
  const ledger = new ZooKeeperLedger(leadership);
  await ledger.load();
  return ledger;
}

class ZooKeeperLedger implements LedgerStore {
  readonly #reign: Leadership;
  readonly #turn = new InTurn();
  /** Path → version as last loaded or written. */
  #versions: Map<string, KnownVersion> | undefined;
  #closed = false;

  constructor(reign: Leadership) {
    this.#reign = reign;
  }

  load(): Promise<LedgerSnapshot> {
    return this.#turn.run(async () => {
      this.#checkOpen();
      this.#versions = undefined;
      const { zookeeper, root, guard } = this.#reign;
      // A transaction of checks goes through the quorum, so whatever is read after it in this session is no older than
      // the beginning of this reign; and since then only we have written.
      this.#need(root, await zookeeper.transact(guard));
      this.#need(root, await zookeeper.sync(root));
      const versions = new Map<string, KnownVersion>();
      const framework = await this.#read(frameworkPath(root), frameworkRecordSchema, versions);
      const nodes = await this.#readNodes(framework !== undefined, versions);
      this.#versions = versions;
      return { framework, nodes };
    });
  }

  writeFramework(record: FrameworkRecord, expected: RecordVersion): Promise<RecordVersion> {
    const { root, acls } = this.#reign;
    // With the first record comes the folder of the nodes: a root that has one was written before.
    const folder: Operation = { kind: 'create', path: nodesPath(root), data: '', acl: acls.readable };
    const also = expected === 0 ? [folder] : [];
    return this.#turn.run(() =>
      this.#write(frameworkPath(root), frameworkRecordSchema, record, expected, also),
    );
  }

  writeNode(record: NodeRecord, expected: RecordVersion): Promise<RecordVersion> {
    const path = nodePath(this.#reign.root, record.nodeId);
    return this.#turn.run(() => this.#write(path, nodeRecordSchema, record, expected, []));
  }

  close(): Promise<void> {
    return this.#turn.run(async () => {
      this.#closed = true;
      await this.#reign.resign();
    });
  }

  async #readNodes(
    written: boolean,
    versions: Map<string, KnownVersion>,
  ): Promise<Map<NodeId, Versioned<NodeRecord>>> {
    const { zookeeper, root } = this.#reign;
    const path = nodesPath(root);
    const [folder, listed] = await Promise.all([zookeeper.read(path), zookeeper.children(path)]);
    const stat = this.#need(path, folder)?.stat;
    const names = this.#need(path, listed);
    if ((stat !== undefined) !== written) {
      throw corrupt(
        written ? path : frameworkPath(root),
        'it is gone although the ledger was written before',
      );
    }
    if (stat === undefined || names === undefined) return new Map();
    // Records are never removed, so as many were created as there are.
    if (stat.childChanges !== names.length) {
      throw corrupt(path, `${(stat.childChanges - names.length) / 2} node records were removed`);
    }
    const nodes = new Map<NodeId, Versioned<NodeRecord>>();
    for (let begin = 0; begin < names.length; begin += READS_AT_ONCE) {
      const some = names.slice(begin, begin + READS_AT_ONCE);
      for (const node of await Promise.all(some.map((name) => this.#readNode(name, versions)))) {
        nodes.set(node.record.nodeId, node);
      }
    }
    return nodes;
  }

  async #readNode(name: string, versions: Map<string, KnownVersion>): Promise<Versioned<NodeRecord>> {
    const path = `${nodesPath(this.#reign.root)}/${name}`;
    const read = await this.#read(path, nodeRecordSchema, versions);
    if (read === undefined) throw corrupt(path, 'it vanished while it was read');
    if (read.record.nodeId !== nodeIdOf(name)) throw corrupt(path, `it holds node ${read.record.nodeId}`);
    return read;
  }

  async #read<T>(
    path: string,
    schema: z.ZodType<T>,
    versions: Map<string, KnownVersion>,
  ): Promise<Versioned<T> | undefined> {
    const znode: Znode | undefined = this.#need(path, await this.#reign.zookeeper.read(path));
    if (znode === undefined) return undefined;
    try {
      const read = decodeEnvelope(schema, znode.data);
      versions.set(path, { record: read.version, znode: znode.stat.version });
      return read;
    } catch (cause) {
      if (cause instanceof EnvelopeError) throw corrupt(path, cause.message, cause);
      throw cause;
    }
  }

  async #write(
    path: string,
    schema: z.ZodType,
    record: unknown,
    expected: RecordVersion,
    also: readonly Operation[],
  ): Promise<RecordVersion> {
    const { guard, zookeeper, acls } = this.#reign;
    const versions = this.#writableVersions();
    const known = versions.get(path);
    if ((known?.record ?? 0) !== expected)
      throw conflict(path, `version ${known?.record ?? 0}, not ${expected}`);
    const data = encodeEnvelope(schema, expected + 1, record);
    const acl = schema === nodeRecordSchema ? acls.readable : acls.schedulerOnly;
    const write: Operation =
      known === undefined
        ? { kind: 'create', path, data, acl }
        : { kind: 'set', path, data, version: known.znode };
    // Until it is answered nothing is known of it.
    this.#versions = undefined;
    const outcome = await zookeeper.transact([...guard, write, ...also]);
    this.#need(path, outcome);
    versions.set(path, { record: expected + 1, znode: known === undefined ? 0 : known.znode + 1 });
    this.#versions = versions;
    return expected + 1;
  }

  /** @throws LedgerError for every outcome but `done` */
  #need<T>(path: string, outcome: Outcome<T>): T {
    if (outcome.kind === 'done') return outcome.value;
    if (outcome.kind === 'unknown') throw new LedgerError('unavailable', `${path}: ${inWords(outcome)}`);
    const isGuard = outcome.code === 'no-node' || outcome.code === 'bad-version';
    if (isGuard && outcome.at < this.#reign.guard.length) {
      this.#reign.depose('another scheduler leads by now, or the session with ZooKeeper is over');
      throw this.#deposed();
    }
    if (outcome.code === 'no-auth') throw new LedgerError('read-only', `${path}: ${inWords(outcome)}`);
    throw conflict(path, `another state than it was read in (${outcome.code})`);
  }

  #writableVersions(): Map<string, KnownVersion> {
    this.#checkOpen();
    if (this.#versions !== undefined) return this.#versions;
    throw new LedgerError(
      'unavailable',
      `the outcome of an earlier write below ${this.#reign.root} is unknown: load the ledger again before writing`,
    );
  }

  #checkOpen(): void {
    const { root, isLost } = this.#reign;
    if (this.#closed) throw new LedgerError('unavailable', `the ledger at ${root} has been closed`);
    if (isLost) throw this.#deposed();
  }

  #deposed(): LedgerError {
    const { number, root } = this.#reign;
    return new LedgerError(
      'deposed',
      `reign ${number} at ${root} is over: another scheduler may lead, so nothing was written; stop this one, or let it stand by`,
    );
  }
}

function nodeIdOf(name: string): NodeId | undefined {
  try {
    return parseNodeId(name);
  } catch {
    return undefined;
  }
}

function conflict(path: string, found: string): LedgerError {
  return new LedgerError('conflict', `${path} is at ${found}: load the ledger again before deciding anew`);
}

function corrupt(path: string, why: string, cause?: Error): LedgerError {
  return new LedgerError(
    'corrupt',
    `${path} cannot be understood: ${why}. Nothing is launched on a guess: put back a copy of the znode, or rebuild ` +
      'the state from the running nodes; do not delete it',
    cause === undefined ? {} : { cause },
  );
}
