/** Things that arrive, and those who wait for them. */
export interface Inbox<T> {
  readonly all: readonly T[];
  push(item: T): void;
  /** The first item not yet taken that fits, as soon as it is there. Rejects after `timeoutMs` (5 s). */
  next(fits?: (item: T) => boolean, timeoutMs?: number): Promise<T>;
}

export function createInbox<T>(name: string): Inbox<T> {
  const all: T[] = [];
  const untaken: T[] = [];
  const waiters = new Set<() => void>();
  const takeFirst = (fits: (item: T) => boolean): T | undefined => {
    const index = untaken.findIndex(fits);
    return index === -1 ? undefined : untaken.splice(index, 1)[0];
  };
  return {
    all,
    push(item) {
      all.push(item);
      untaken.push(item);
      for (const wake of [...waiters]) wake();
    },
    next(fits = () => true, timeoutMs = 5000) {
      return new Promise((resolve, reject) => {
        const settle = () => {
          const item = takeFirst(fits);
          if (item === undefined) return false;
          clearTimeout(timer);
          waiters.delete(settle);
          resolve(item);
          return true;
        };
        const timer = setTimeout(() => {
          waiters.delete(settle);
          reject(new Error(`${name}: nothing fitting came; so far ${JSON.stringify(all, bigintAsText)}`));
        }, timeoutMs);
        waiters.add(settle);
        settle();
      });
    },
  };
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
