/**
 * What may befall one operation of a fake:
 * - `fail`: nothing is done, the operation rejects.
 * - `no-answer`: it is done, and the operation rejects all the same, as when the answer got lost.
 * - `delay`: it is done once `until` resolves (never, for a promise that stays open).
 */
export type Fault =
  | { readonly kind: 'fail'; readonly error?: Error }
  | { readonly kind: 'no-answer' }
  | { readonly kind: 'delay'; readonly until: Promise<unknown> };

/** Faults wait for the operations that they are meant for; each is used once, in order. */
export class Faults<Operation extends string> {
  readonly #waiting: { readonly operation: Operation; readonly fault: Fault }[] = [];
  readonly #unavailable: (operation: Operation) => Error;

  constructor(unavailable: (operation: Operation) => Error) {
    this.#unavailable = unavailable;
  }

  /** The next call of `operation` meets `fault`. */
  next(operation: Operation, fault: Fault): void {
    this.#waiting.push({ operation, fault });
  }

  async around<T>(operation: Operation, step: () => T): Promise<T> {
    const at = this.#waiting.findIndex((each) => each.operation === operation);
    const fault = at < 0 ? undefined : this.#waiting.splice(at, 1)[0]?.fault;
    switch (fault?.kind) {
      case undefined:
        return step();
      case 'fail':
        throw fault.error ?? this.#unavailable(operation);
      case 'no-answer':
        step();
        throw this.#unavailable(operation);
      case 'delay':
        await fault.until;
        return step();
    }
  }
}
