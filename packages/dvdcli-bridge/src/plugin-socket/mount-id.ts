import { createHash } from 'node:crypto';
import type { ConsumerId } from '../volumes.ts';

/** 64 hexadecimal digits, as Docker's own; the same consumer has the same ID after a restart of whoever asks. */
export function mountIdOf(consumer: ConsumerId): string {
  return createHash('sha256').update(consumer).digest('hex');
}
