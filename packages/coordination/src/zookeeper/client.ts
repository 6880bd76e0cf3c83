import { Connection, NoAnswerError, SessionExpiredError, type Reply } from './connection.ts';
import type { JuteReader } from './wire/jute.ts';
import { checkCredentials, parseServer, type Server } from './servers.ts';
import { decodeMulti, decodeStat, ERROR_NO_NODE, refusalOf, type Request } from './wire/messages.ts';
import type { SessionTicket, WatchEvent, WatchKind } from './wire/messages.ts';
import type { Effect, Operation, Outcome, ReadOptions, ZooKeeper, Znode } from './zookeeper.ts';

export interface ZooKeeperOptions {
  /** `host:port` each, an IPv6 address in brackets. */
  readonly servers: readonly string[];
  /** As wanted; ZooKeeper grants something between 2 and 20 of its ticks. */
  readonly sessionTimeoutMs: number;
  /** How long an answer may take before the connection counts as dead; default: a third of the session, at most 2 s. */
  readonly answerWithinMs?: number;
  /** `user:password`, for the digest scheme. */
  readonly credentials?: string;
  /** What happens to the connection, for a log. */
  readonly onChange?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

const LONGEST_ANSWER_MS = 2_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

type Waiting = (connection: Connection | undefined) => void;

/**
 * Connects when something is asked for the first time, and stays connected until `close`.
 * @throws TypeError for a server or credentials that are not written as they must be
 */
export function connectZookeeper(options: ZooKeeperOptions): ZooKeeper {
  if (options.servers.length === 0) throw new TypeError('at least one ZooKeeper server is needed');
  if (options.credentials !== undefined) checkCredentials(options.credentials);
  return new Client(options, shuffled(options.servers.map(parseServer)));
}

class Client implements ZooKeeper {
  readonly #options: ZooKeeperOptions;
  readonly #servers: readonly Server[];
  readonly #answerWithinMs: number;
  readonly #watches = new Map<string, Set<() => void>>();
  #connection: Connection | undefined;
  #waiting: Waiting[] = [];
  #ticket: SessionTicket;
  #lastZxid = 0n;
  /** The loop that connects, while there is one. */
  #connecting: Promise<void> | undefined;
  /** Index of the server that is tried next. */
  #turn = 0;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(options: ZooKeeperOptions, servers: readonly Server[]) {
    this.#options = options;
    this.#servers = servers;
    this.#answerWithinMs =
      options.answerWithinMs ?? Math.min(LONGEST_ANSWER_MS, Math.ceil(options.sessionTimeoutMs / 3));
    this.#ticket = newSession(options.sessionTimeoutMs);
  }

  get sessionTimeoutMs(): number {
    return this.#ticket.timeoutMs;
  }

  read(path: string, options: ReadOptions = {}): Promise<Outcome<Znode | undefined>> {
    return this.#look('getData', path, options, (reader) => {
      const bytes = reader.buffer();
      return { data: bytes.toString('utf8'), bytes, stat: decodeStat(reader) };
    });
  }

  children(path: string, options: ReadOptions = {}): Promise<Outcome<readonly string[] | undefined>> {
    return this.#look('getChildren', path, options, (reader) => reader.strings());
  }

  async transact(
    operations: readonly Operation[],
    options: { readonly limitMs?: number } = {},
  ): Promise<Outcome<readonly Effect[]>> {
    const asked = await this.#ask({ kind: 'multi', operations }, options);
    if (asked.kind !== 'done') return asked;
    if (asked.value.error !== 0) return refused(asked.value.error);
    const answer = decodeMulti(asked.value.reader);
    return 'effects' in answer ? { kind: 'done', value: answer.effects } : refused(answer.error, answer.at);
  }

  async sync(path: string, options: { readonly limitMs?: number } = {}): Promise<Outcome<void>> {
    const asked = await this.#ask({ kind: 'sync', path }, options);
    if (asked.kind !== 'done') return asked;
    return asked.value.error === 0 ? { kind: 'done', value: undefined } : refused(asked.value.error);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const connection = this.#connection;
    if (connection !== undefined) await this.#endSession(connection);
    this.#wake();
    this.#serve(undefined);
    await this.#connecting;
  }

  /** With a watch, a znode that is not there yet is watched for as well. */
  async #look<T>(
    kind: 'getData' | 'getChildren',
    path: string,
    options: ReadOptions,
    decode: (reader: JuteReader) => T,
  ): Promise<Outcome<T | undefined>> {
    for (;;) {
      const asked = await this.#ask({ kind, path, watch: options.watch !== undefined }, options, path);
      if (asked.kind !== 'done') return asked;
      const { error, reader } = asked.value;
      if (error === 0) return { kind: 'done', value: decode(reader) };
      if (error !== ERROR_NO_NODE) return refused(error);
      if (options.watch === undefined) return { kind: 'done', value: undefined };
      const absent = await this.#watchAbsent(path, options);
      if (absent.kind !== 'done') return absent;
      if (absent.value) return { kind: 'done', value: undefined };
    }
  }

  async #endSession(connection: Connection): Promise<void> {
    await connection.request({ kind: 'closeSession' }, this.#answerWithinMs).catch(() => undefined);
    connection.destroy('closed by us');
  }

  /** True: nothing is there, and the watch waits for it. */
  async #watchAbsent(path: string, options: ReadOptions): Promise<Outcome<boolean>> {
    const asked = await this.#ask({ kind: 'exists', path, watch: true }, options, path);
    if (asked.kind !== 'done') return asked;
    const { error } = asked.value;
    if (error !== 0 && error !== ERROR_NO_NODE) return refused(error);
    return { kind: 'done', value: error === ERROR_NO_NODE };
  }

  async #ask(request: Request, options: ReadOptions, watched?: string): Promise<Outcome<Reply>> {
    const limitMs = Math.max(1, Math.min(options.limitMs ?? this.#answerWithinMs, this.#answerWithinMs));
    const until = performance.now() + limitMs;
    const connection = await this.#ready(limitMs);
    if (connection === undefined) {
      const why = this.#closed ? 'the client has been closed' : `no connection within ${limitMs} ms`;
      return { kind: 'unknown', why };
    }
    try {
      const reply = await connection.request(request, Math.max(1, until - performance.now()), ({ error }) => {
        if (watched !== undefined) this.#register(request, watched, error, options.watch);
      });
      return { kind: 'done', value: reply };
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      return { kind: 'unknown', why: error.message };
    }
  }

  #register(request: Request, path: string, error: number, watch: (() => void) | undefined): void {
    if (watch === undefined || (error !== 0 && request.kind !== 'exists')) return;
    const key = watchKey(request.kind === 'getChildren' ? 'children' : 'data', path);
    const watches = this.#watches.get(key) ?? new Set();
    this.#watches.set(key, watches.add(watch));
  }

  #onWatch({ path, kinds }: WatchEvent): void {
    for (const kind of kinds) {
      const watches = this.#watches.get(watchKey(kind, path));
      this.#watches.delete(watchKey(kind, path));
      for (const watch of watches ?? []) queueMicrotask(watch);
    }
  }

  /** Undefined: there was no connection in time. Nothing that was not sent is ever sent later. */
  #ready(limitMs: number): Promise<Connection | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    if (this.#connection !== undefined) return Promise.resolve(this.#connection);
    this.#connecting ??= this.#connect();
    return new Promise((resolve) => {
      const waiting: Waiting = (connection) => {
        clearTimeout(timer);
        resolve(connection);
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        resolve(undefined);
      }, limitMs);
      this.#waiting.push(waiting);
    });
  }

  #serve(connection: Connection | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each(connection);
  }

  async #connect(): Promise<void> {
    const lostMs = performance.now();
    for (let attempt = 0; !this.#closed && this.#connection === undefined; attempt += 1) {
      // One round of all servers without a pause, so that a leader's death costs no more than it must.
      if (attempt > 0 && attempt % this.#servers.length === 0)
        await this.#pause(attempt / this.#servers.length);
      // A server that is behind what we have seen does not let us in; after this long, the store itself was put back.
      if (performance.now() - lostMs > 2 * this.#options.sessionTimeoutMs) this.#lastZxid = 0n;
      const server = this.#servers[this.#turn % this.#servers.length];
      if (server !== undefined && !(await this.#tryServer(server))) this.#turn += 1;
    }
    this.#connecting = undefined;
  }

  async #tryServer(server: Server): Promise<boolean> {
    const { onChange, sessionTimeoutMs, credentials } = this.#options;
    let current: Connection | undefined;
    try {
      const { connection, ticket } = await Connection.open({
        ...{ server, credentials, ticket: this.#ticket, lastZxidSeen: this.#lastZxid },
        answerWithinMs: this.#answerWithinMs,
        onZxid: (zxid) => {
          if (zxid > this.#lastZxid) this.#lastZxid = zxid;
        },
        onWatch: (event) => {
          this.#onWatch(event);
        },
        onOver: (why) => {
          if (current !== undefined) this.#onOver(current, server, why);
        },
      });
      current = connection;
      this.#ticket = ticket;
      await this.#adopt(connection, server);
      return !connection.isOver;
    } catch (error) {
      if (error instanceof SessionExpiredError) this.#ticket = newSession(sessionTimeoutMs);
      else if (!(error instanceof NoAnswerError)) throw error;
      onChange?.('no connection to ZooKeeper', { server: addressOf(server), why: error.message });
      return false;
    }
  }

  async #adopt(connection: Connection, server: Server): Promise<void> {
    if (this.#closed) {
      await this.#endSession(connection);
      return;
    }
    if (connection.isOver) return;
    this.#connection = connection;
    const session = this.#ticket.id.toString(16);
    this.#options.onChange?.('connected to ZooKeeper', { server: addressOf(server), session });
    this.#serve(connection);
  }

  #onOver(connection: Connection, server: Server, why: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (!this.#closed) {
      this.#options.onChange?.('lost the connection to ZooKeeper', { server: addressOf(server), why });
      this.#turn += 1;
      // The session lives on only if somebody speaks for it.
      this.#connecting ??= this.#connect();
    }
    const lost = [...this.#watches.values()];
    this.#watches.clear();
    for (const watches of lost) for (const watch of watches) queueMicrotask(watch);
  }

  async #pause(round: number): Promise<void> {
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(round, 10));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function newSession(timeoutMs: number): SessionTicket {
  return { id: 0n, password: Buffer.alloc(16), timeoutMs };
}

function refused(error: number, at = 0): Outcome<never> {
  const code = refusalOf(error);
  return code === undefined
    ? { kind: 'unknown', why: `ZooKeeper answered with error ${error}` }
    : { kind: 'not-done', code, at };
}

function watchKey(kind: WatchKind, path: string): string {
  return `${kind} ${path}`;
}

function addressOf({ host, port }: Server): string {
  return `${host}:${port}`;
}

/** So that many clients do not all begin with the same server. */
function shuffled(servers: readonly Server[]): Server[] {
  const places = servers.map((server) => ({ server, place: Math.random() }));
  return places.sort((a, b) => a.place - b.place).map(({ server }) => server);
}
