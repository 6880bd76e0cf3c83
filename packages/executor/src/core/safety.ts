/**
 * The decisions by which an executor keeps "one holder" true, each a named function over plain data. They travel with
 * the state instead of being called directly, so that a simulation can take one away and show that its absence is
 * found out. Nothing but {@link EXECUTOR_SAFETY} is ever used outside of tests.
 */
import type { SuspectPolicy } from '@mesos-elasticsearch/contract';
import { decideMarker } from './marker.ts';
import type { Held } from './state.ts';

export interface ExecutorSafety {
  /** Self-fencing (design rule 4): a lease that could not be renewed in time ends Elasticsearch. */
  readonly fencesItself: (policy: SuspectPolicy) => boolean;
  /** From when a renewal counts: whoever watches the lease cannot have seen it before it was sent. */
  readonly countedFromMs: (sentMs: number, answeredMs: number) => number;
  /** The right volume (design rule 5). */
  readonly decideMarker: typeof decideMarker;
  /** Nothing is detached before no process is left. */
  readonly mayDetach: (held: Held) => boolean;
  /** The terminal status means "released" (design rule 3): it is said when nothing is held any more. */
  readonly mayReportEnd: (held: Held) => boolean;
}

export const EXECUTOR_SAFETY: ExecutorSafety = {
  fencesItself: (policy) => policy === 'fence',
  countedFromMs: (sentMs) => sentMs,
  decideMarker,
  mayDetach: ({ process }) => !process,
  mayReportEnd: ({ process, volumes, former }) => !process && volumes.length === 0 && !former,
};
