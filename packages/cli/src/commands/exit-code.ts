/**
 * 0: done. 1: failed. 64: called wrongly (EX_USAGE of sysexits.h). 75 (EX_TEMPFAIL): another scheduler leads by now;
 * started again, this one stands by.
 */
export const EXIT = { done: 0, failed: 1, usage: 64, deposed: 75 } as const;

/** Called wrongly; the message goes to stderr as it is. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
