/** Time as the sessions see it, so that tests can turn the clock by hand. */
export interface Clock {
  /** Milliseconds, monotonic; only differences mean anything. */
  now(): number;
  /** Calls `then` once, after `ms`. The returned function cancels it. */
  after(ms: number, then: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** What a session writes; a pino logger fits. Constant messages, fields beside them. */
export interface SessionLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
