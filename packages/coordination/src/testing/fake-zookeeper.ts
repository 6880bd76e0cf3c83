import type {
  Effect,
  Operation,
  Outcome,
  ReadOptions,
  RefusalCode,
  ZooKeeper,
  Znode,
} from '../zookeeper/zookeeper.ts';
import { Faults } from './faults.ts';

export type ZooKeeperOperation = 'read' | 'children' | 'transact' | 'sync';

interface FakeZnode {
  data: string;
  version: number;
  childChanges: number;
  created: number;
  readonly owner: FakeClient | undefined;
}
type Tree = Map<string, FakeZnode>;

/** Watches of one client; each is called once. */
class Watches {
  readonly #waiting = new Map<string, Set<() => void>>();

  add(key: string, watch: (() => void) | undefined): void {
    if (watch === undefined) return;
    this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(watch));
  }

  fire(keys: Iterable<string> = [...this.#waiting.keys()]): void {
    for (const key of keys) {
      const watches = this.#waiting.get(key) ?? [];
      this.#waiting.delete(key);
      for (const watch of watches) queueMicrotask(watch);
    }
  }
}

/**
 * A ZooKeeper in memory: versions, transactions, watches, sessions with ephemeral znodes. It knows no ACLs: everyone
 * may do everything.
 */
export class FakeZooKeeper {
  /** Called before each operation is carried out. */
  before: (operation: ZooKeeperOperation, path: string) => Promise<void> = () => Promise.resolve();
  readonly faults = new Faults<ZooKeeperOperation>(
    (operation) => new Error(`${operation}: no answer (fake)`),
  );
  readonly clients = new Set<FakeClient>();
  tree: Tree = new Map([['/', emptyZnode()]]);

  client(): FakeClient {
    const client = new FakeClient(this);
    this.clients.add(client);
    return client;
  }

  /** Everything is lost, as when the data directory of every server was emptied; sessions too. */
  wipe(): void {
    this.tree = new Map([['/', emptyZnode()]]);
    for (const client of this.clients) client.watches.fire();
  }

  /** All or none. */
  apply(operations: readonly Operation[], owner: FakeClient): Outcome<readonly Effect[]> {
    const tree: Tree = new Map([...this.tree].map(([path, znode]) => [path, { ...znode }]));
    const changed = new Set<string>();
    const effects: Effect[] = [];
    for (const [at, operation] of operations.entries()) {
      const effect = applyOne(tree, operation, owner, changed);
      if (typeof effect === 'string') return { kind: 'not-done', code: effect, at };
      effects.push(effect);
    }
    this.tree = tree;
    for (const client of this.clients) client.watches.fire(changed);
    return { kind: 'done', value: effects };
  }

  childrenOf(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    const below = [...this.tree.keys()].filter((each) => each !== '/' && each.startsWith(prefix));
    return below.map((each) => each.slice(prefix.length)).filter((name) => !name.includes('/'));
  }
}

export class FakeClient implements ZooKeeper {
  sessionTimeoutMs = 10_000;
  readonly watches = new Watches();
  readonly #server: FakeZooKeeper;
  #closed = false;

  constructor(server: FakeZooKeeper) {
    this.#server = server;
  }

  read(path: string, options: ReadOptions = {}): Promise<Outcome<Znode | undefined>> {
    return this.#perform('read', path, () => {
      this.watches.add(`data ${path}`, options.watch);
      const found = this.#server.tree.get(path);
      if (found === undefined) return { kind: 'done', value: undefined };
      const { data, version, childChanges } = found;
      const children = this.#server.childrenOf(path).length;
      const bytes = new TextEncoder().encode(data);
      return { kind: 'done', value: { data, bytes, stat: { version, childChanges, children } } };
    });
  }

  children(path: string, options: ReadOptions = {}): Promise<Outcome<readonly string[] | undefined>> {
    return this.#perform('children', path, () => {
      const there = this.#server.tree.has(path);
      this.watches.add(there ? `children ${path}` : `data ${path}`, options.watch);
      return { kind: 'done', value: there ? this.#server.childrenOf(path) : undefined };
    });
  }

  transact(operations: readonly Operation[]): Promise<Outcome<readonly Effect[]>> {
    return this.#perform('transact', operations[0]?.path ?? '', () => this.#server.apply(operations, this));
  }

  sync(path: string): Promise<Outcome<void>> {
    return this.#perform('sync', path, () => ({ kind: 'done', value: undefined }));
  }

  close(): Promise<void> {
    this.#closed = true;
    this.expire();
    this.#server.clients.delete(this);
    return Promise.resolve();
  }

  /** The session is over; the client goes on with a new one. */
  expire(): void {
    const ephemeral = [...this.#server.tree].filter(([, { owner }]) => owner === this);
    for (const [path] of ephemeral) this.#server.apply([{ kind: 'remove', path, version: -1 }], this);
    this.watches.fire();
  }

  async #perform<T>(
    operation: ZooKeeperOperation,
    path: string,
    step: () => Outcome<T>,
  ): Promise<Outcome<T>> {
    await this.#server.before(operation, path);
    if (this.#closed) return { kind: 'unknown', why: 'the client has been closed' };
    try {
      return await this.#server.faults.around(operation, step);
    } catch (error) {
      return { kind: 'unknown', why: (error as Error).message };
    }
  }
}

function applyOne(
  tree: Tree,
  operation: Operation,
  owner: FakeClient,
  changed: Set<string>,
): Effect | RefusalCode {
  if (operation.kind === 'create') return create(tree, operation, owner, changed);
  const { path, version } = operation;
  const found = tree.get(path);
  if (found === undefined) return 'no-node';
  if (version !== -1 && version !== found.version) return 'bad-version';
  switch (operation.kind) {
    case 'check':
      return {};
    case 'set':
      found.data = operation.data;
      found.version += 1;
      changed.add(`data ${path}`);
      return { version: found.version };
    case 'remove': {
      if ([...tree.keys()].some((each) => each.startsWith(`${path}/`))) return 'not-empty';
      tree.delete(path);
      touchParent(tree, path, changed);
      changed.add(`data ${path}`).add(`children ${path}`);
      return {};
    }
  }
}

function create(
  tree: Tree,
  { path: wanted, data, lives }: Extract<Operation, { kind: 'create' }>,
  owner: FakeClient,
  changed: Set<string>,
): Effect | RefusalCode {
  const parent = tree.get(parentOf(wanted));
  if (parent === undefined) return 'no-node';
  if (parent.owner !== undefined) return 'parent-is-ephemeral';
  const path = lives === undefined ? wanted : `${wanted}${String(parent.created).padStart(10, '0')}`;
  if (tree.has(path)) return 'node-exists';
  tree.set(path, { ...emptyZnode(), data, owner: lives === undefined ? undefined : owner });
  parent.created += 1;
  touchParent(tree, path, changed);
  changed.add(`data ${path}`);
  return { path };
}

function touchParent(tree: Tree, path: string, changed: Set<string>): void {
  const parent = tree.get(parentOf(path));
  if (parent !== undefined) parent.childChanges += 1;
  changed.add(`children ${parentOf(path)}`);
}

function emptyZnode(): FakeZnode {
  return { data: '', version: 0, childChanges: 0, created: 0, owner: undefined };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
