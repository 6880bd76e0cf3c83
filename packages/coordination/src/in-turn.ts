/** Runs steps one after another, in the order they were asked for; a step that fails does not stop the next. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
