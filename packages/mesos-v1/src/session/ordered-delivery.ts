/** Handlers are called one at a time, strictly in order: the next one waits for the last one's promise. */
export interface OrderedDelivery {
  push(deliver: () => void | Promise<void>): void;
  /** Nothing that is still waiting is delivered; the handler under way is left to finish. */
  stop(): void;
}

/** `onFault` gets what a handler threw; the next one is called all the same. */
export function orderedDelivery(onFault: (error: unknown) => void): OrderedDelivery {
  let stopped = false;
  let last = Promise.resolve();
  return {
    push(deliver) {
      last = last.then(async () => {
        if (stopped) return;
        try {
          await deliver();
        } catch (error) {
          onFault(error);
        }
      });
    },
    stop() {
      stopped = true;
    },
  };
}
