import { readFileSync } from 'node:fs';
import type { UptimeClock } from './ports.ts';

/** The guard's own clock, read where the guard reads it; its grain is 10 ms. It goes on while the machine sleeps. */
export function kernelUptimeClock(): UptimeClock {
  return {
    nowMs: () => {
      const [seconds] = readFileSync('/proc/uptime', 'utf8').split(' ');
      return Math.floor(Number(seconds) * 1_000);
    },
  };
}
