import { connect, type Socket } from 'node:net';
import type { Server } from './servers.ts';
import { FrameCutter, JuteReader, WireError } from './wire/jute.ts';
import {
  decodeConnected,
  decodeHeader,
  decodeWatchEvent,
  encodeAuth,
  encodeConnect,
  encodePing,
  encodeRequest,
  XID,
  type Request,
  type SessionTicket,
  type WatchEvent,
} from './wire/messages.ts';

export interface ConnectionOptions {
  readonly server: Server;
  readonly ticket: SessionTicket;
  readonly lastZxidSeen: bigint;
  readonly credentials: string | undefined;
  /** From the first SYN to the granted session, and for each answer after that. */
  readonly answerWithinMs: number;
  readonly onZxid: (zxid: bigint) => void;
  readonly onWatch: (event: WatchEvent) => void;
  /** Once, however it ended; after it nothing is called any more. */
  readonly onOver: (why: string) => void;
}

export interface Reply {
  readonly error: number;
  readonly reader: JuteReader;
}

/** The request may or may not have been carried out. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}
export class SessionExpiredError extends Error {
  override readonly name = 'SessionExpiredError';
}

interface Pending {
  readonly sentMs: number;
  readonly settle: (reply: Reply | NoAnswerError) => void;
}

/** SessionExpired, SessionMoved and RequestTimeout are said of the connection as a whole. */
const ENDS_CONNECTION: ReadonlySet<number> = new Set([-4, -112, -118]);
const AUTH_FAILED = -115;
/** Share of the limit after which a connection that answers nothing is given up. */
const SILENCE = 0.9;

/**
 * One socket to one server. Whatever was sent is answered within the limit, pings included, or the socket is
 * destroyed: a link that swallows bytes is noticed, not waited for.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #cutter = new FrameCutter();
  readonly #pending = new Map<number, Pending>();
  #granted: ((outcome: SessionTicket | Error) => void) | undefined;
  #watchdog: NodeJS.Timeout;
  #pingSentMs: number | undefined;
  #lastSentMs = performance.now();
  #pingEveryMs = Number.POSITIVE_INFINITY;
  #nextXid = 1;
  #over = false;

  /** @throws NoAnswerError, SessionExpiredError */
  static async open(options: ConnectionOptions): Promise<{ connection: Connection; ticket: SessionTicket }> {
    const connection = new Connection(options);
    const outcome = await new Promise<SessionTicket | Error>((resolve) => {
      connection.#granted = resolve;
    });
    if (outcome instanceof Error) throw outcome;
    return { connection, ticket: outcome };
  }

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    const { host, port } = options.server;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('connect', () => {
      this.#socket.write(encodeConnect(options.ticket, options.lastZxidSeen));
    });
    this.#socket.on('data', (chunk) => {
      this.#receive(chunk);
    });
    this.#socket.on('error', (error) => {
      this.destroy(error.message);
    });
    this.#socket.on('close', () => {
      this.destroy('the server closed the connection');
    });
    this.#watchdog = setTimeout(() => {
      this.destroy(`no session within ${options.answerWithinMs} ms`);
    }, options.answerWithinMs);
  }

  get isOver(): boolean {
    return this.#over;
  }

  /**
   * @param onReply called before anything that the server sent later is looked at
   * @throws NoAnswerError after `limitMs`, or when the connection is over
   */
  request(request: Request, limitMs: number, onReply?: (reply: Reply) => void): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(new NoAnswerError('the connection is over'));
        return;
      }
      const xid = this.#nextXid;
      this.#nextXid = xid === 0x7fffffff ? 1 : xid + 1;
      let waiting = true;
      const timer = setTimeout(() => {
        // An answer that comes later tells nobody.
        waiting = false;
        reject(new NoAnswerError(`no answer within ${Math.round(limitMs)} ms`));
        this.#endIfSilent(performance.now());
      }, limitMs);
      const settle = (reply: Reply | NoAnswerError) => {
        clearTimeout(timer);
        if (reply instanceof NoAnswerError) {
          reject(reply);
        } else if (waiting) {
          onReply?.(reply);
          resolve(reply);
        }
      };
      this.#pending.set(xid, { sentMs: performance.now(), settle });
      this.#send(encodeRequest(xid, request));
    });
  }

  /** Every request under way ends without an answer. */
  destroy(why: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#watchdog);
    this.#socket.destroy();
    const error = new NoAnswerError(why);
    this.#granted?.(error);
    for (const { settle } of this.#pending.values()) settle(error);
    this.#pending.clear();
    this.#options.onOver(why);
  }

  #send(bytes: Buffer): void {
    this.#lastSentMs = performance.now();
    this.#socket.write(bytes);
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#cutter.push(chunk)) {
        if (this.#over) return;
        const reader = new JuteReader(frame);
        if (this.#granted !== undefined) this.#grant(this.#granted, reader);
        else this.#answer(reader);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.destroy(error.message);
    }
  }

  #grant(granted: (outcome: SessionTicket | Error) => void, reader: JuteReader): void {
    this.#granted = undefined;
    clearTimeout(this.#watchdog);
    const ticket = decodeConnected(reader);
    if (ticket === undefined) {
      granted(new SessionExpiredError('the session has expired'));
      this.destroy('the session has expired');
      return;
    }
    const { credentials, answerWithinMs } = this.#options;
    // Before anything else: the server answers what comes first as it comes.
    if (credentials !== undefined) this.#send(encodeAuth(credentials));
    this.#pingEveryMs = Math.min(ticket.timeoutMs / 3, answerWithinMs);
    this.#watch();
    granted(ticket);
  }

  #answer(reader: JuteReader): void {
    const { xid, zxid, error } = decodeHeader(reader);
    if (zxid > 0n) this.#options.onZxid(zxid);
    if (xid === XID.watch) {
      this.#options.onWatch(decodeWatchEvent(reader));
    } else if (xid === XID.ping) {
      this.#pingSentMs = undefined;
    } else if (xid === XID.auth) {
      if (error === AUTH_FAILED) this.destroy('ZooKeeper does not take the credentials');
    } else if (ENDS_CONNECTION.has(error)) {
      this.destroy(`ZooKeeper ends the connection (${error})`);
    } else {
      const pending = this.#pending.get(xid);
      if (pending === undefined) throw new WireError(`an answer to request ${xid}, which was never made`);
      this.#pending.delete(xid);
      pending.settle({ error, reader });
    }
  }

  /** Pings when nothing else was sent for a while, and ends the connection when nothing is answered. */
  #watch(): void {
    const now = performance.now();
    this.#endIfSilent(now);
    if (this.#over) return;
    if (this.#pingSentMs === undefined && now - this.#lastSentMs >= this.#pingEveryMs) {
      this.#pingSentMs = now;
      this.#send(encodePing());
    }
    const lookEveryMs = Math.max(10, this.#pingEveryMs / 5);
    this.#watchdog = setTimeout(() => {
      this.#watch();
    }, lookEveryMs);
  }

  #endIfSilent(now: number): void {
    const { answerWithinMs } = this.#options;
    const [oldest] = this.#pending.values();
    const waitingSince = Math.min(oldest?.sentMs ?? now, this.#pingSentMs ?? now);
    // A request's own timer rings a moment before the limit where the request waited for the connection.
    if (now - waitingSince < answerWithinMs * SILENCE) return;
    this.destroy(`the server has not answered for ${Math.round(now - waitingSince)} ms`);
  }
}
