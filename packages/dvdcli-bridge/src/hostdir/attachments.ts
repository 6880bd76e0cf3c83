import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAttachment, type AttachmentRecord, type Mounts } from './core/attachment.ts';
import { judgeHolder, type Claimant } from './core/holder.ts';
import { logAttachment, type AttachmentEvent } from './attachment-log.ts';
import type { DurableFiles } from './durable-files.ts';
import type { VolumeUser } from './open-files.ts';
import { Refusal } from './refusal.ts';
import type { ProcessIdentity } from './core/attachment.ts';

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
  const { files, claimant } = context;
  const directoryOf = (volume: string): string => join(context.store, 'volumes', volume);
  const fileOf = (volume: string): string => join(directoryOf(volume), 'attachment.json');
  const takeoverOf = (volume: string, token: string): string =>
    join(directoryOf(volume), `takeover-${token}.json`);

  const log = (record: AttachmentRecord, event: AttachmentEvent['event'], from?: string): void => {
    logAttachment(files, context.store, {
      time: context.now().toISOString(),
      volume: record.volume,
      instance: claimant.instance,
      event,
      ...(from === undefined ? {} : { from }),
    });
  };
  const readChain = (volume: string): AttachmentRecord[] => {
    const chain: AttachmentRecord[] = [];
    let next = readRecord(fileOf(volume));
    while (next !== undefined) {
      chain.push(next);
      next = readRecord(takeoverOf(volume, next.token));
    }
    return chain;
  };
  const ownRecord = (volume: string, mounts: Mounts): AttachmentRecord => ({
    format: 1,
    token: randomUUID(),
    volume,
    instance: claimant.instance,
    holder: claimant.process,
    attachedAt: context.now().toISOString(),
    attachedAtTicks: context.processes.ticksSinceBoot(),
    mounts,
  });
  const isOurs = (record: AttachmentRecord): boolean =>
    judgeHolder(record, claimant, () => true).kind === 'ours';

  /** `undefined`: somebody else was faster, look again. */
  const succeed = (chain: AttachmentRecord[], mounts: Mounts): AttachmentRecord | undefined => {
    const [first] = chain;
    const last = chain.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const record = {
      ...ownRecord(last.volume, mounts),
      attachedAtTicks: earliestUse(chain, mounts, context),
    };
    const right = takeoverOf(last.volume, last.token);
    if (!files.createExclusively(right, serialise(record))) return undefined;
    const before = chain.map((link) => link.token).join();
    const now = readChain(last.volume);
    if (
      now
        .slice(0, -1)
        .map((link) => link.token)
        .join() !== before
    ) {
      files.remove(right);
      return undefined;
    }
    files.replace(fileOf(last.volume), serialise(record));
    for (const link of chain) files.remove(takeoverOf(last.volume, link.token));
    return record;
  };

  const attempt = (volume: string): AttachmentRecord | undefined => {
    const chain = readChain(volume);
    const holder = chain.at(-1);
    if (holder === undefined) {
      const record = ownRecord(volume, {});
      if (!files.createExclusively(fileOf(volume), serialise(record))) return undefined;
      log(record, 'attached');
      return record;
    }
    const judgement = judgeHolder(holder, claimant, (identity) => context.processes.runs(identity));
    switch (judgement.kind) {
      case 'ours':
        return chain.length === 1 ? holder : finish(chain, holder);
      case 'refuse':
        throw new Refusal(`volume ${volume} is attached to ${judgement.reason}`);
      case 'take-back':
      case 'forget': {
        if (chain.length > 1) assertUnused(volume, holder);
        const mounts = judgement.kind === 'forget' || chain.length > 1 ? {} : holder.mounts;
        const record = succeed(chain, mounts);
        if (record !== undefined) log(record, 'taken-back', holder.instance);
        return record;
      }
      case 'prove-unused': {
        assertUnused(volume, holder);
        const record = succeed(chain, {});
        if (record !== undefined) log(record, 'taken-over', holder.instance);
        return record;
      }
    }
  };

  /** This process won the right earlier, and failed (a full disk, say) before the rename. */
  const finish = (chain: AttachmentRecord[], own: AttachmentRecord): AttachmentRecord => {
    files.replace(fileOf(own.volume), serialise(own));
    for (const link of chain.slice(0, -1)) files.remove(takeoverOf(own.volume, link.token));
    log(own, 'taken-over', chain[0]?.instance);
    return own;
  };

  const assertUnused = (volume: string, holder: AttachmentRecord): void => {
    const data = join(directoryOf(volume), 'data');
    const user = context.processes.userOf(data, holder.attachedAtTicks);
    if (user === undefined) return;
    throw new Refusal(
      `volume ${volume} is attached to instance ${holder.instance} (pid ${holder.holder.pid}, gone), ` +
        `but process ${user.pid} (${user.name}) ${user.how}; stop that process first`,
    );
  };

  return {
    isOurs,
    read: (volume) => readChain(volume).at(-1),
    acquire(volume) {
      // Each turn that comes to nothing means that another instance got ahead; it cannot do so for ever.
      for (let turn = 0; turn < 10; turn += 1) {
        const record = attempt(volume);
        if (record !== undefined) return record;
      }
      throw new Refusal(`volume ${volume} is being attached by other instances; try again`);
    },
    setMounts(record, mounts) {
      const changed = { ...record, mounts };
      files.replace(fileOf(record.volume), serialise(changed));
      return changed;
    },
    logEnd: (record) => log(record, 'detached'),
    release(record) {
      log(record, 'detached');
      files.remove(fileOf(record.volume));
    },
  };
}

/** Users that were taken back with their mounts began with the first attachment, not with this one. */
function earliestUse(chain: AttachmentRecord[], mounts: Mounts, context: AttachmentContext): number {
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
