/** How long to wait before the next attempt. */

/** Documented advice for schedulers: exponential, capped at 15 s. */
export const LONGEST_BACKOFF_MS = 15_000;
const FIRST_BACKOFF_MS = 500;

/** `failures` in a row, from 1. Between half of and the whole of 0.5 s × 2^(failures-1), at most 15 s. */
export function exponentialBackoff(failures: number, random: number): number {
  const ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10));
  return ceiling / 2 + (random * ceiling) / 2;
}
