/** Keeps an eye on which Mesos master leads, through outages of ZooKeeper too. */
import { setTimeout as delay } from 'node:timers/promises';
import { leadingChild, masterUrls } from './group.ts';

/** The znodes of the masters, over some ZooKeeper client. Every promise may reject: then it is asked again. */
export interface MasterGroup {
  /**
   * Names of the znodes in the group; undefined where the group's own znode is missing. `changed` is called when they
   * (or the znode) changed afterwards, and also when that could no longer be noticed: the connection or session went.
   */
  children(changed: () => void): Promise<readonly string[] | undefined>;
  /** Undefined: it vanished meanwhile. */
  data(child: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** Constant messages, fields beside them; a pino logger fits. */
export interface MasterLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface MasterDetector {
  /**
   * Base URLs of the master that leads, best first; empty until one was seen. While ZooKeeper does not answer, or no
   * master leads, it is the last one known: its subscription may well live on.
   */
  current(): readonly URL[];
  /** Another master leads (or the same one under another address). @returns how to stop listening */
  onChange(listener: (urls: readonly URL[]) => void): () => void;
  close(): Promise<void>;
}

const RETRY_MS = 1000;

export function followMasters(group: MasterGroup, log: MasterLog, retryMs = RETRY_MS): MasterDetector {
  const follower = new Follower(group, log, retryMs);
  const ended = follower.run();
  return {
    current: () => follower.current,
    onChange(listener) {
      follower.listeners.add(listener);
      return () => void follower.listeners.delete(listener);
    },
    async close() {
      follower.stop();
      await group.close();
      await ended;
    },
  };
}

class Follower {
  current: readonly URL[] = [];
  readonly listeners = new Set<(urls: readonly URL[]) => void>();
  readonly #group: MasterGroup;
  readonly #log: MasterLog;
  readonly #retryMs: number;
  readonly #stopped = new AbortController();
  /** Said already; undefined while all is well. */
  #trouble: string | undefined;

  constructor(group: MasterGroup, log: MasterLog, retryMs: number) {
    this.#group = group;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  stop(): void {
    this.#stopped.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const change = openPromise();
      signal.addEventListener('abort', change.resolve, { once: true });
      try {
        if (await this.#look(change.resolve)) await change.promise;
      } catch (error) {
        this.#say((error as Error).message);
        // Woken by close(), which is no failure.
        await delay(this.#retryMs, undefined, { signal }).catch(() => undefined);
      }
      signal.removeEventListener('abort', change.resolve);
    }
  }

  /** @returns false: the leader vanished between two questions, ask again at once */
  async #look(changed: () => void): Promise<boolean> {
    const children = await this.#group.children(changed);
    if (this.#stopped.signal.aborted) return true;
    const leader = leadingChild(children ?? []);
    if (leader === undefined) {
      this.#say(children === undefined ? 'the znode of the masters does not exist' : 'no Mesos master leads');
      return true;
    }
    const data = await this.#group.data(leader);
    if (data === undefined) return false;
    const urls = masterUrls(leader, data);
    if (this.#trouble !== undefined) this.#log.info({ leader }, 'the leading Mesos master is known again');
    this.#trouble = undefined;
    this.#lead(leader, urls);
    return true;
  }

  #lead(leader: string, urls: readonly URL[]): void {
    if (String(urls) === String(this.current)) return;
    this.current = urls;
    this.#log.info({ leader, master: urls[0]?.origin }, 'this Mesos master leads');
    for (const listener of this.listeners) listener(urls);
  }

  /** An outage is one fact, however often it is asked after. */
  #say(trouble: string): void {
    if (this.#stopped.signal.aborted || trouble === this.#trouble) return;
    this.#trouble = trouble;
    const known = this.current[0]?.origin;
    this.#log.warn(
      { reason: trouble, lastKnown: known },
      'it is not known which Mesos master leads: the last one known stands',
    );
  }
}

/** Promise.withResolvers came with Node 22. */
function openPromise(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
