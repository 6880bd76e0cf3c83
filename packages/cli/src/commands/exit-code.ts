/**
 * 0: done. 1: failed. 64: called wrongly (EX_USAGE of sysexits.h). 75 (EX_TEMPFAIL): another scheduler leads by now;
 * started again, this one stands by. 75 also: nobody can tell whether it happened.
 */
export const EXIT = { done: 0, failed: 1, usage: 64, deposed: 75, unknown: 75 } as const;

/** Called wrongly; the message goes to stderr as it is. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** It may or may not have happened; the message says how to find out. */
export class UnknownOutcomeError extends Error {
  override readonly name = 'UnknownOutcomeError';
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof UnknownOutcomeError ? EXIT.unknown : EXIT.failed;
}
