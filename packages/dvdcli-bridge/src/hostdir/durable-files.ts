import { closeSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';

/** Called before each step that changes the disk; tests stop the world there. */
export type BeforeStep = (step: string) => void;

/**
 * Changes to small files that are whole or absent after a crash at any point, and on the disk when they
 * return. Synchronous on purpose: one plugin call is then one uninterrupted sequence within its process.
 */
export interface DurableFiles {
  /** Puts the text in place of whatever is there. On an error before the rename that stays as it was. */
  replace(path: string, text: string): void;
  /** link(2): exactly one of any number of processes gets `true`. */
  createExclusively(path: string, text: string): boolean;
  remove(path: string): void;
  rename(from: string, to: string): void;
  appendLine(path: string, line: string): void;
  syncDirectory(path: string): void;
}

export function durableFiles(beforeStep: BeforeStep = () => undefined): DurableFiles {
  const syncDirectory = (path: string): void => {
    beforeStep('sync-directory');
    const handle = openSync(path, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  };
  const writeTemporary = (path: string, text: string): string => {
    const temporary = join(dirname(path), `.tmp-${randomUUID()}`);
    beforeStep('write');
    try {
      writeAndSync(temporary, 'wx', text);
    } catch (error) {
      unlinkIfThere(temporary);
      throw named(error, path);
    }
    return temporary;
  };
  return {
    syncDirectory,
    replace(path, text) {
      const temporary = writeTemporary(path, text);
      beforeStep('rename');
      try {
        renameSync(temporary, path);
      } catch (error) {
        unlinkIfThere(temporary);
        throw error;
      }
      syncDirectory(dirname(path));
    },
    createExclusively(path, text) {
      const temporary = writeTemporary(path, text);
      try {
        beforeStep('link');
        linkSync(temporary, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        unlinkSync(temporary);
      }
      syncDirectory(dirname(path));
      return true;
    },
    remove(path) {
      beforeStep('unlink');
      unlinkSync(path);
      syncDirectory(dirname(path));
    },
    rename(from, to) {
      beforeStep('rename');
      renameSync(from, to);
      syncDirectory(dirname(to));
    },
    appendLine(path, line) {
      beforeStep('append');
      writeAndSync(path, 'a', `${line}\n`);
    },
  };
}

/** What fails on a descriptor names no file. */
function named(error: unknown, path: string): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  return Object.assign(new Error(`${path} cannot be written: ${message}`, { cause: error }), { code });
}

/** A disk that is full has no room to spare for what was begun. */
function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Never made, or the disk is gone altogether.
  }
}

function writeAndSync(path: string, flags: string, text: string): void {
  const handle = openSync(path, flags, 0o644);
  try {
    // write(2) may take less than all of it without a word, as on a disk that gets full; this goes on until it says so.
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
