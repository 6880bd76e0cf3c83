/** What recovery does about one use on record. Pure: what was found on the host comes in as facts. */
import type { MountRecord, MountUse } from './record.ts';
import { othersThan } from './uses.ts';

export interface UseFacts {
  /** The process that wrote the use. `cannot-tell`: it is of another PID namespace. */
  readonly owner: 'runs' | 'gone' | 'cannot-tell';
  /** A process or container that has the volume in use, in words; undefined when there certainly is none. */
  readonly user: string | undefined;
  /** Why the caller has no right to undo this use; undefined when it has. */
  readonly forbidden: string | undefined;
  /** The driver can tell consumers apart on the path that the use was made with. */
  readonly countsConsumers: boolean;
}

export type RecoveryDecision =
  | { readonly kind: 'keep'; readonly why: string }
  /** An unmount failed not long ago. */
  | { readonly kind: 'wait'; readonly untilMs: number; readonly why: string }
  /** One reference less; the volume stays mounted for others. */
  | { readonly kind: 'drop'; readonly why: string }
  | { readonly kind: 'unmount' };

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

/** 1, 2, 4… seconds after the last failure, at most 5 minutes. */
export function retryAtMs(use: MountUse): number {
  if (use.errors === undefined) return Number.NEGATIVE_INFINITY;
  const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(use.errors.count - 1, 20));
  return Date.parse(use.errors.last) + delay;
}

/**
 * Unmounts only what certainly nobody uses. Whether it is of this boot makes no difference: a mount of an earlier one is
 * gone with it, but there are drivers whose attachments outlive a reboot, so they are told all the same.
 */
export function decideRecovery(
  record: MountRecord,
  use: MountUse,
  facts: UseFacts,
  nowMs: number,
): RecoveryDecision {
  // A use that is being let go of has been given up by its consumer, and the lock says that nobody is at it just now.
  if (use.state !== 'detaching' && facts.owner !== 'gone') {
    const how = facts.owner === 'runs' ? 'runs' : 'is of another process namespace';
    return { kind: 'keep', why: `its process (pid ${use.process.pid}) ${how}` };
  }
  if (facts.forbidden !== undefined) return { kind: 'keep', why: facts.forbidden };
  if (facts.user !== undefined) return { kind: 'keep', why: facts.user };
  const others = othersThan(record, use.consumer);
  if (others.length > 0) {
    if (!facts.countsConsumers) return { kind: 'drop', why: 'others use the volume' };
    // A driver that only counts would take a second Unmount for another consumer's.
    if (use.state !== 'attached')
      return {
        kind: 'keep',
        why: 'others use the volume, and whether the driver counts this use is not known',
      };
  }
  const { errors } = use;
  // A clock that was set back must not put the retry off for long.
  if (errors === undefined || Date.parse(errors.last) > nowMs) return { kind: 'unmount' };
  const untilMs = retryAtMs(use);
  return untilMs > nowMs ? { kind: 'wait', untilMs, why: errors.says } : { kind: 'unmount' };
}
