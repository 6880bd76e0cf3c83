/** Counts what a process does to the outside world, and ends it between two operations: the rest never happens. */
export class CrashPoint {
  #left: number;

  constructor(operations = Number.POSITIVE_INFINITY) {
    this.#left = operations;
  }

  get crashed(): boolean {
    return this.#left <= 0;
  }

  now(): void {
    this.#left = 0;
  }

  /** The same port, but its operations are counted; after the crash they never answer and do nothing. */
  around<T extends object>(port: T, counted: readonly (keyof T & string)[]): T {
    return new Proxy(port, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        const operation = member.bind(target) as (...given: unknown[]) => unknown;
        return counted.some((name) => name === key) ? this.#count(operation) : operation;
      },
    });
  }

  #count(operation: (...given: unknown[]) => unknown) {
    const ended = () => this.#left <= 0;
    return (...given: unknown[]): unknown => {
      if (ended()) return new Promise(() => undefined);
      const answer = operation(...given);
      this.#left -= 1;
      // The last operation takes effect, and nobody hears its answer.
      return ended() ? new Promise(() => undefined) : answer;
    };
  }
}
