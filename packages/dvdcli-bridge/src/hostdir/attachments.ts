import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  parseAttachment,
  sameProcess,
  type AttachmentRecord,
  type Mounts,
  type ProcessIdentity,
} from './core/attachment.ts';
import { judgeHolder, type Claimant } from './core/holder.ts';
import { logAttachment, type AttachmentEvent } from './attachment-log.ts';
import type { DurableFiles } from './durable-files.ts';
import type { VolumeUser } from './open-files.ts';
import { Refusal } from './refusal.ts';

/** What the machine says of processes; a port, so that tests can let holders live and die. */
export interface ProcessTable {
  runs(identity: ProcessIdentity): boolean;
  /** See findVolumeUser. */
  userOf(directory: string, attachedAtTicks: number): VolumeUser | undefined;
  ticksSinceBoot(): number;
}

export interface AttachmentContext {
  /** The store's directory, absolute and without symbolic links. */
  readonly store: string;
  readonly claimant: Claimant;
  readonly processes: ProcessTable;
  readonly files: DurableFiles;
  readonly now: () => Date;
}

/**
 * Who holds a volume is decided by the file system, never by reading alone:
 * - A free volume is taken by link(2) onto `attachment.json`: of any number of instances one succeeds.
 * - A dead holder is succeeded through its token. `takeover-<token>.json`, made by link(2), is the right to
 *   replace the record that bears this token; the winner looks again whether the record still does, and only
 *   then renames its own over it. Tokens never return, so a slow loser finds another token and steps back.
 * - A winner that dies before the rename is itself succeeded through the token it meant to write: the last of
 *   that chain is the holder who must be dead.
 * - The holder's own changes and its release need no such right: nobody else may touch a live holder's record.
 */
export interface Attachments {
  /** The record in force, the end of an unfinished take-over included. */
  read(volume: string): AttachmentRecord | undefined;
  /** This process's own record, taken or taken over where possible. @throws Refusal naming the holder. */
  acquire(volume: string): AttachmentRecord;
  /** Only for a record of this process. */
  setMounts(record: AttachmentRecord, mounts: Mounts): AttachmentRecord;
  release(record: AttachmentRecord): void;
  /** For a volume that ends together with its attachment. */
  logEnd(record: AttachmentRecord): void;
  isOurs(record: AttachmentRecord): boolean;
}

export function attachments(context: AttachmentContext): Attachments {
  return {
    isOurs: (record) => isOurs(context, record),
    read: (volume) => readChain(context, volume).at(-1),
    acquire(volume) {
      // Each turn that comes to nothing means that another instance got ahead; it cannot do so for ever.
      for (let turn = 0; turn < 10; turn += 1) {
        const record = attempt(context, volume);
        if (record !== undefined) return record;
      }
      throw new Refusal(`volume ${volume} is being attached by other instances; try again`);
    },
    setMounts(record, mounts) {
      const changed = { ...record, mounts };
      context.files.replace(fileOf(context, record.volume), serialise(changed));
      return changed;
    },
    logEnd: (record) => log(context, record, 'detached'),
    release(record) {
      log(context, record, 'detached');
      context.files.remove(fileOf(context, record.volume));
    },
  };
}

function directoryOf(context: AttachmentContext, volume: string): string {
  return join(context.store, 'volumes', volume);
}
function fileOf(context: AttachmentContext, volume: string): string {
  return join(directoryOf(context, volume), 'attachment.json');
}
function takeoverOf(context: AttachmentContext, volume: string, token: string): string {
  return join(directoryOf(context, volume), `takeover-${token}.json`);
}

function isOurs(context: AttachmentContext, record: AttachmentRecord): boolean {
  return sameProcess(record.holder, context.claimant.process);
}

/** The record in force, then the take-overs that were begun and not finished, in their order. */
function readChain(context: AttachmentContext, volume: string): AttachmentRecord[] {
  const chain: AttachmentRecord[] = [];
  let next = readRecord(fileOf(context, volume));
  while (next !== undefined) {
    chain.push(next);
    next = readRecord(takeoverOf(context, volume, next.token));
  }
  return chain;
}

/** One try at becoming the holder. `undefined`: another instance was faster, look again. */
function attempt(context: AttachmentContext, volume: string): AttachmentRecord | undefined {
  const chain = readChain(context, volume);
  const holder = chain.at(-1);
  if (holder === undefined) return takeFree(context, volume);
  const judgement = judgeHolder(holder, context.claimant, (identity) => context.processes.runs(identity));
  switch (judgement.kind) {
    case 'ours':
      return chain.length === 1 ? holder : finish(context, chain, holder);
    case 'refuse':
      throw new Refusal(`volume ${volume} is attached to ${judgement.reason}`);
    case 'take-back':
    case 'forget': {
      // An unfinished take-over by our earlier run has no users of ours yet, but maybe some of those before it.
      if (chain.length > 1) assertUnused(context, holder);
      const mounts = judgement.kind === 'forget' || chain.length > 1 ? {} : holder.mounts;
      return succeed(context, chain, mounts, 'taken-back');
    }
    case 'prove-unused':
      assertUnused(context, holder);
      return succeed(context, chain, {}, 'taken-over');
  }
}

function takeFree(context: AttachmentContext, volume: string): AttachmentRecord | undefined {
  const record = ownRecord(context, volume, {});
  if (!context.files.createExclusively(fileOf(context, volume), serialise(record))) return undefined;
  log(context, record, 'attached');
  return record;
}

/** Replaces the last holder of the chain, by the right that its token gives. */
function succeed(
  context: AttachmentContext,
  chain: readonly AttachmentRecord[],
  mounts: Mounts,
  event: 'taken-back' | 'taken-over',
): AttachmentRecord | undefined {
  const last = chain.at(-1);
  if (last === undefined) return undefined;
  const { volume } = last;
  const attachedAtTicks = earliestUse(context, chain, mounts);
  const record = { ...ownRecord(context, volume, mounts), attachedAtTicks };
  const right = takeoverOf(context, volume, last.token);
  if (!context.files.createExclusively(right, serialise(record))) return undefined;
  // The token may have been replaced, and its right used up, between reading it and taking the right.
  if (tokensOf(readChain(context, volume)) !== tokensOf([...chain, record])) {
    context.files.remove(right);
    return undefined;
  }
  return finish(context, [...chain, record], record, event);
}

/** Makes the last of the chain, which is ours, the record in force. Also after a failure at this very point. */
function finish(
  context: AttachmentContext,
  chain: readonly AttachmentRecord[],
  own: AttachmentRecord,
  event: 'taken-back' | 'taken-over' = 'taken-over',
): AttachmentRecord {
  context.files.replace(fileOf(context, own.volume), serialise(own));
  log(context, own, event, chain.at(-2)?.instance);
  for (const { token } of chain.slice(0, -1)) context.files.remove(takeoverOf(context, own.volume, token));
  return own;
}

function tokensOf(chain: readonly AttachmentRecord[]): string {
  return chain.map(({ token }) => token).join();
}

function assertUnused(context: AttachmentContext, holder: AttachmentRecord): void {
  const data = join(directoryOf(context, holder.volume), 'data');
  const user = context.processes.userOf(data, holder.attachedAtTicks);
  if (user === undefined) return;
  throw new Refusal(
    `volume ${holder.volume} is attached to instance ${holder.instance} (pid ${holder.holder.pid}, gone), ` +
      `but process ${user.pid} (${user.name}) ${user.how}; stop that process first`,
  );
}

function ownRecord(context: AttachmentContext, volume: string, mounts: Mounts): AttachmentRecord {
  return {
    format: 1,
    token: randomUUID(),
    volume,
    instance: context.claimant.instance,
    holder: context.claimant.process,
    attachedAt: context.now().toISOString(),
    attachedAtTicks: context.processes.ticksSinceBoot(),
    mounts,
  };
}

function log(
  context: AttachmentContext,
  record: AttachmentRecord,
  event: AttachmentEvent['event'],
  from?: string,
): void {
  logAttachment(context.files, context.store, {
    time: context.now().toISOString(),
    volume: record.volume,
    instance: context.claimant.instance,
    event,
    ...(from === undefined ? {} : { from }),
  });
}

/** Users that were taken back with their mounts began with the first attachment, not with this one. */
function earliestUse(context: AttachmentContext, chain: readonly AttachmentRecord[], mounts: Mounts): number {
  const now = context.processes.ticksSinceBoot();
  if (Object.keys(mounts).length === 0) return now;
  return Math.min(now, ...chain.map((record) => record.attachedAtTicks));
}

function serialise(record: AttachmentRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** @throws Refusal for a record that cannot be understood: it holds the volume, it does not free it. */
function readRecord(path: string): AttachmentRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseAttachment(text);
  } catch (cause) {
    throw new Refusal(
      `the attachment record ${path} cannot be read (${(cause as Error).message}); ` +
        'make sure that nothing uses the volume, then remove the file',
      { cause },
    );
  }
}
