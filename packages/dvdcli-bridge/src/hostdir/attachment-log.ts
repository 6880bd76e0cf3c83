import { join } from 'node:path';
import type { DurableFiles } from './durable-files.ts';

export interface AttachmentEvent {
  /** ISO 8601. */
  readonly time: string;
  readonly volume: string;
  readonly instance: string;
  readonly event: 'attached' | 'detached' | 'taken-over' | 'taken-back';
  /** The instance that held it before, for the last two. */
  readonly from?: string;
}

/**
 * One append-only file per store, written by every instance. `attached` follows the fact and `detached` precedes
 * it, so the spans in the log lie within the real ones: two that overlap are a broken promise, never a slow writer.
 */
export function logAttachment(files: DurableFiles, store: string, event: AttachmentEvent): void {
  files.appendLine(join(store, 'attachments.log'), JSON.stringify(event));
}
