import { basename, dirname, join } from 'node:path';
import {
  frameworkRecordSchema,
  nodeRecordSchema,
  parseNodeId,
  type FrameworkRecord,
  type NodeId,
  type NodeRecord,
} from '@mesos-elasticsearch/contract';
import type { z } from 'zod';
import {
  LedgerError,
  type LedgerSnapshot,
  type LedgerStore,
  type RecordVersion,
  type Versioned,
} from '../ledger-store.ts';
import { decodeEnvelope, encodeEnvelope, EnvelopeError } from '../envelope.ts';
import { explain, explained } from './explain.ts';
import { nodeFiles, readIfThere, type Files } from './files.ts';
import { InTurn } from '../in-turn.ts';
import { takeWriterLock, type WriterLock } from './writer-lock.ts';

export interface DirectoryLedgerPorts {
  readonly files: Files;
  readonly lock: (root: string) => Promise<WriterLock>;
}

/** Volume options may hold a driver's credentials. */
const RECORD_MODE = 0o600;
const NODES_MODE = 0o700;
const TEMPORARY = '.tmp';

/**
 * The ledger as files: `framework.json` and `nodes/<node ID>.json`. A write goes to a temporary file that is
 * fsynced, then renamed over the record, then the directory is fsynced: whatever happens in between, the
 * record reads as the old one or as the new one. Makes the directory if it is missing.
 * @throws LedgerError `in-use`, `read-only`, `full`, `corrupt`, `unavailable`: it opens only if it can be
 * read whole, written and kept from others.
 */
export async function openDirectoryLedger(
  root: string,
  ports: DirectoryLedgerPorts = { files: nodeFiles, lock: takeWriterLock },
): Promise<LedgerStore> {
  const { files } = ports;
  const nodes = join(root, 'nodes');
  await explained(root, async () => {
    await files.makeDirectory(nodes);
  });
  const lock = await ports.lock(root);
  try {
    await explained(root, async () => {
      await files.setMode(nodes, NODES_MODE);
      await removeTemporaries(files, [root, nodes]);
      await probe(files, root);
    });
    const ledger = new DirectoryLedger(root, files, lock);
    await ledger.load();
    return ledger;
  } catch (error) {
    lock.release();
    throw error;
  }
}

class DirectoryLedger implements LedgerStore {
  readonly #root: string;
  readonly #files: Files;
  readonly #lock: WriterLock;
  readonly #turn = new InTurn();
  /** File → version as last loaded or written. */
  #versions: Map<string, RecordVersion> | undefined;
  #closed = false;

  constructor(root: string, files: Files, lock: WriterLock) {
    this.#root = root;
    this.#files = files;
    this.#lock = lock;
  }

  load(): Promise<LedgerSnapshot> {
    return this.#turn.run(async () => {
      this.#checkHeld();
      this.#versions = undefined;
      const versions = new Map<string, RecordVersion>();
      // A rename whose fsync failed may show and still be lost: nothing is reported before it is durable.
      await explained(this.#root, async () => {
        await this.#files.sync(this.#root);
        await this.#files.sync(this.#nodesDirectory);
      });
      const framework = await this.#read(this.#frameworkFile, frameworkRecordSchema, versions);
      const nodes = await this.#readNodes(versions);
      if (framework === undefined && nodes.size > 0) {
        throw corrupt(this.#frameworkFile, 'it is missing although there are node records');
      }
      this.#versions = versions;
      return { framework, nodes };
    });
  }

  writeFramework(record: FrameworkRecord, expected: RecordVersion): Promise<RecordVersion> {
    return this.#turn.run(() => this.#write(this.#frameworkFile, frameworkRecordSchema, record, expected));
  }

  writeNode(record: NodeRecord, expected: RecordVersion): Promise<RecordVersion> {
    const file = this.#nodeFile(record.nodeId);
    return this.#turn.run(() => this.#write(file, nodeRecordSchema, record, expected));
  }

  close(): Promise<void> {
    return this.#turn.run(() => {
      this.#closed = true;
      this.#lock.release();
      return Promise.resolve();
    });
  }

  get #frameworkFile(): string {
    return join(this.#root, 'framework.json');
  }
  get #nodesDirectory(): string {
    return join(this.#root, 'nodes');
  }
  #nodeFile(id: NodeId): string {
    return join(this.#nodesDirectory, `${id}.json`);
  }

  async #readNodes(versions: Map<string, RecordVersion>): Promise<Map<NodeId, Versioned<NodeRecord>>> {
    const names = await explained(this.#nodesDirectory, () => this.#files.list(this.#nodesDirectory));
    const nodes = new Map<NodeId, Versioned<NodeRecord>>();
    for (const name of names.filter((each) => each.endsWith('.json'))) {
      const file = join(this.#nodesDirectory, name);
      const read = await this.#read(file, nodeRecordSchema, versions);
      if (read === undefined) throw corrupt(file, 'it vanished while it was read');
      if (read.record.nodeId !== nodeIdOf(file)) throw corrupt(file, `it holds node ${read.record.nodeId}`);
      nodes.set(read.record.nodeId, read);
    }
    return nodes;
  }

  async #read<T>(
    file: string,
    schema: z.ZodType<T>,
    versions: Map<string, RecordVersion>,
  ): Promise<Versioned<T> | undefined> {
    const text = await explained(file, () => readIfThere(this.#files, file));
    if (text === undefined) return undefined;
    try {
      const read = decodeEnvelope(schema, text);
      versions.set(file, read.version);
      return read;
    } catch (cause) {
      if (cause instanceof EnvelopeError) throw corrupt(file, cause.message, cause);
      throw cause;
    }
  }

  async #write(
    file: string,
    schema: z.ZodType,
    record: unknown,
    expected: RecordVersion,
  ): Promise<RecordVersion> {
    const versions = this.#writableVersions();
    const current = versions.get(file) ?? 0;
    if (current !== expected) {
      throw new LedgerError(
        'conflict',
        `${file} is at version ${current}, not ${expected}: load the ledger again before deciding anew`,
      );
    }
    const next = current + 1;
    const text = encodeEnvelope(schema, next, record);
    try {
      await this.#replace(file, text);
    } catch (error) {
      if (error instanceof LedgerError && error.code === 'unavailable') this.#versions = undefined;
      throw error;
    }
    versions.set(file, next);
    return next;
  }

  async #replace(file: string, text: string): Promise<void> {
    const temporary = `${file}${TEMPORARY}`;
    try {
      await this.#files.write(temporary, text, RECORD_MODE);
      await this.#files.sync(temporary);
      this.#checkHeld();
      await this.#files.rename(temporary, file);
    } catch (cause) {
      // Nothing was renamed, so the record is the old one; only a code that says so is taken as certain.
      await this.#files.remove(temporary).catch(() => undefined);
      throw cause instanceof LedgerError ? cause : explain(file, cause);
    }
    try {
      await this.#files.sync(dirname(file));
    } catch (cause) {
      throw new LedgerError('unavailable', `${file} was written but is not known to be durable`, { cause });
    }
  }

  #writableVersions(): Map<string, RecordVersion> {
    this.#checkHeld();
    if (this.#versions !== undefined) return this.#versions;
    throw new LedgerError(
      'unavailable',
      `the outcome of an earlier write to ${this.#root} is unknown: load the ledger again before writing`,
    );
  }

  #checkHeld(): void {
    if (this.#closed) throw new LedgerError('unavailable', `the ledger in ${this.#root} has been closed`);
    if (this.#lock.isHeld()) return;
    throw new LedgerError(
      'unavailable',
      `lost the writer's lock of ${this.#root}: its file "lock" was removed or replaced, so another scheduler ` +
        'may write here; stop this scheduler and start it again',
    );
  }
}

/** The number in the name; undefined for a name this ledger never writes (`01.json`). */
function nodeIdOf(file: string): NodeId | undefined {
  try {
    return parseNodeId(basename(file, '.json'));
  } catch {
    return undefined;
  }
}

/** What an interrupted write left behind; nobody else writes here, the lock is ours. */
async function removeTemporaries(files: Files, directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    for (const name of await files.list(directory)) {
      if (name.endsWith(TEMPORARY)) await files.remove(join(directory, name));
    }
  }
}

/** A ledger that cannot be written is found out at the start, not at the first launch. */
async function probe(files: Files, root: string): Promise<void> {
  const file = join(root, `probe${TEMPORARY}`);
  await files.write(file, 'may this directory be written?\n', RECORD_MODE);
  await files.sync(file);
  await files.remove(file);
}

function corrupt(file: string, why: string, cause?: Error): LedgerError {
  return new LedgerError(
    'corrupt',
    `${file} cannot be understood: ${why}. Nothing is launched on a guess: put back a copy of the file, or of the ` +
      'whole state directory, or write down from the running nodes what it said; do not delete it',
    cause === undefined ? {} : { cause },
  );
}
