import { mkdirSync, readFileSync, readdirSync, lstatSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../hostdir/core/attachment.ts';
import { durableFiles, type BeforeStep } from '../hostdir/durable-files.ts';
import { currentProcess } from '../hostdir/processes.ts';
import { readMountTable, type MountEntry } from '../mount-table.ts';
import { parseRecord, serialiseRecord, type MountRecord } from './core/record.ts';
import { lockFile, type FileLock } from './file-lock.ts';

export interface MountLedgerOptions {
  /** One for all programs of a host that reach its volumes; made when missing, for its owner only. */
  readonly directory: string;
  /** A record that could not be read and was put aside, a result that could not be written. */
  readonly say?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Called before each step that a crash can fall between; tests stop the world there. */
  readonly beforeStep?: BeforeStep;
  readonly self?: ProcessIdentity;
  readonly now?: () => Date;
  readonly mountTable?: () => readonly MountEntry[];
  /** Between processes unless told; a test that is one process needs no other for it. */
  readonly lock?: (path: string, limitMs: number) => Promise<FileLock>;
}

/**
 * Which volumes this host may have mounted, and for whom: one file per driver and volume,
 * `<volume>.<driver>.<digest>.json`, changed only under a lock on `<the same>.lock`. A file is whole or absent after a
 * crash at any point, and on the disk before the driver is asked.
 */
export interface MountLedger {
  readonly directory: string;
  readonly self: ProcessIdentity;
  readonly now: () => Date;
  readonly mountTable: () => readonly MountEntry[];
  readonly say: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly beforeStep: BeforeStep;
  /** Keys of all records there are. */
  keys(): readonly string[];
  /** As it stands, without the lock: somebody may be at work on it. @throws Error when it is damaged */
  peek(key: string): MountRecord | undefined;
  /** Records that were put aside as damaged and are still there, by the key they had: nobody knows what they had on record. */
  damaged(): readonly DamagedRecord[];
  /**
   * Nobody else on this host works on that volume meanwhile.
   * @param operation names the steps
   * @throws LockBusyError after `limitMs`
   */
  alone<T>(
    key: string,
    operation: string,
    limitMs: number,
    act: (page: LedgerPage) => Promise<T>,
  ): Promise<T>;
}

export interface DamagedRecord {
  readonly key: string;
  /** Absolute. */
  readonly file: string;
}

/** One volume's record, while it is locked. */
export interface LedgerPage {
  /** A record that cannot be read is put aside as `<file>.N.damaged`, said by name, and counts as absent. */
  read(): MountRecord | undefined;
  /** Files of this volume that were put aside: while there is one, an absent record does not mean that nobody uses it. */
  damaged(): readonly string[];
  /**
   * Durable when it returns; `undefined` removes it.
   * @throws the file system's error, or LockLostError
   */
  write(record: MountRecord | undefined, what: 'intent' | 'result' | 'error' | 'end'): void;
}

/** @throws the file system's error, or Error when the directory is no directory, or others may write to it */
export function openMountLedger(options: MountLedgerOptions): MountLedger {
  const { directory } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  checkOwner(directory);
  const beforeStep = options.beforeStep ?? (() => undefined);
  const ledger: MountLedger = {
    directory,
    self: options.self ?? currentProcess(),
    now: options.now ?? (() => new Date()),
    mountTable: options.mountTable ?? readMountTable,
    say: options.say ?? (() => undefined),
    beforeStep,
    keys: () =>
      readdirSync(directory)
        .filter((name) => name.endsWith(RECORD) && !name.startsWith('.'))
        .map((name) => name.slice(0, -RECORD.length)),
    peek: (key) => {
      const text = readIfThere(join(directory, `${key}${RECORD}`));
      return text === undefined ? undefined : parseRecord(text, key);
    },
    damaged: () => damagedIn(directory),
    alone: async (key, operation, limitMs, act) => {
      beforeStep(`${operation}: lock`);
      const lock = await (options.lock ?? lockFile)(join(directory, `${key}.lock`), limitMs);
      try {
        return await act(page(ledger, key, operation, () => lock.assertHeld()));
      } finally {
        beforeStep(`${operation}: unlock`);
        await lock.release();
      }
    },
  };
  return ledger;
}

/** Whoever can write a record can have a volume unmounted, and whoever can remove one can have it forgotten. */
function checkOwner(directory: string): void {
  const found = lstatSync(directory);
  const user = process.getuid?.() ?? 0;
  if (!found.isDirectory() || (found.uid !== user && user !== 0))
    throw new Error(`${directory} is not a directory of user ${user}: records in it cannot be believed`);
  if ((found.mode & WRITABLE_BY_ALL) !== 0)
    throw new Error(
      `${directory} can be written by everybody: records in it cannot be believed (chmod o-w it)`,
    );
}

const WRITABLE_BY_ALL = 0o002;
const RECORD = '.json';
const DAMAGED = /^(.+)\.json\.\d+\.damaged$/;

function damagedIn(directory: string): readonly DamagedRecord[] {
  return readdirSync(directory).flatMap((name) => {
    const key = DAMAGED.exec(name)?.[1];
    return key === undefined ? [] : [{ key, file: join(directory, name) }];
  });
}

function page(ledger: MountLedger, key: string, operation: string, assertHeld: () => void): LedgerPage {
  const path = join(ledger.directory, `${key}${RECORD}`);
  const filesFor = (what: string) =>
    durableFiles((step) => ledger.beforeStep(`${operation}: ${what} ${step}`));
  return {
    read() {
      const text = readIfThere(path);
      if (text === undefined) return undefined;
      try {
        return parseRecord(text, key);
      } catch (error) {
        assertHeld();
        const aside = freeName(path);
        filesFor('damaged').rename(path, aside);
        const why = (error as Error).message;
        ledger.say('a damaged record of the mount ledger is put aside', { file: aside, why });
        return undefined;
      }
    },
    damaged: () =>
      damagedIn(ledger.directory)
        .filter((each) => each.key === key)
        .map(({ file }) => file),
    write(record, what) {
      assertHeld();
      const files = filesFor(what);
      if (record !== undefined) files.replace(path, serialiseRecord(record));
      else if (existsSync(path)) files.remove(path);
    },
  };
}

/** The evidence of an earlier damage is not written over. */
function freeName(path: string): string {
  for (let number = 1; ; number += 1) {
    const name = `${path}.${number}.damaged`;
    if (!existsSync(name)) return name;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
