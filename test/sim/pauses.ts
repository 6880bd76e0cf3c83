/** The operator's bound on pauses, kept: what a machine stands still in all, while one lease can run out. */
import type { Machine } from './machines.ts';
import type { World } from './world.ts';

/** How long this machine may stand still from now on, at most `wantedMs`. Under "wait" there is no bound. */
export function grantPauseMs(world: World, machine: Machine, wantedMs: number): number {
  const { policy, leaseMs, pauseBoundMs } = world.settings;
  if (policy !== 'fence') return wantedMs;
  const sinceMs = world.now - 1.05 * (leaseMs + pauseBoundMs);
  const recent = machine.pauses.filter(({ atMs, lengthMs }) => atMs + lengthMs > sinceMs);
  const spentMs = recent.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  const grantedMs = Math.min(wantedMs, pauseBoundMs - spentMs);
  if (grantedMs <= 0) return 0;
  machine.pauses.splice(0, machine.pauses.length, ...recent, { atMs: world.now, lengthMs: grantedMs });
  return grantedMs;
}
