/** What decides in an executor, for those that run it in a world of their own: the simulation. */
export * from './effects.ts';
export * from './events.ts';
export { beginKeeping, deadlineSecondsOf, isFresh, keep, lastNumber } from './lease-keeping.ts';
export type { Keeping, KeepingEffect, KeepingInput, Kept } from './lease-keeping.ts';
export { initialState, transition } from './machine.ts';
export type { VolumeFinding } from './marker.ts';
export { isRole, type VolumeSlot } from './slots.ts';
export { EXECUTOR_SAFETY, type ExecutorSafety } from './safety.ts';
export type { Limits, State } from './state.ts';
export { GUARD_NAP_MS, look, NEW_GUARD } from '../guard/guard-logic.ts';
export type { GuardMove, GuardSight, GuardState } from '../guard/guard-logic.ts';
