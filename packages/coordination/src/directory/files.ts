import { chmod, link, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * What ledger and leases need of a file-system, one durable step a call, so that a test can fail or stop at
 * any of them. Every method rejects with the system's own error (`code` ENOENT, EEXIST, ENOSPC…).
 */
export interface Files {
  /** With its parents; one that is there already is fine. Durable when it resolves. */
  makeDirectory(path: string): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  list(directory: string): Promise<readonly string[]>;
  read(path: string): Promise<string>;
  /** Creates or overwrites; not durable before {@link sync}. */
  write(path: string, text: string, mode: number): Promise<void>;
  /** fsync, of a file or of a directory. */
  sync(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** EEXIST if `to` is there: of several callers exactly one succeeds. */
  link(from: string, to: string): Promise<void>;
  /** A file or a directory with all in it; what is not there counts as removed. */
  remove(path: string): Promise<void>;
}

/** The machine's own file-system. */
export const nodeFiles: Files = {
  async makeDirectory(path) {
    // Not by `recursive`: that answers ENOENT where the truth is EROFS.
    try {
      await mkdir(path);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return;
      if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
      await nodeFiles.makeDirectory(dirname(path));
      await nodeFiles.makeDirectory(path);
      return;
    }
    await nodeFiles.sync(dirname(path));
  },
  setMode: chmod,
  list: (directory) => readdir(directory),
  read: (path) => readFile(path, 'utf8'),
  async write(path, text, mode) {
    const file = await open(path, 'w', mode);
    try {
      // Not left to the umask: other users must be able to read a lease, and must not read a ledger.
      await file.chmod(mode);
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  },
  async sync(path) {
    const file = await open(path, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  link,
  remove: (path) => rm(path, { recursive: true, force: true }),
};

/** The system's code of an error, e.g. `ENOENT`; undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** As {@link Files.read}, with undefined for a file that is not there. */
export async function readIfThere(files: Files, path: string): Promise<string | undefined> {
  try {
    return await files.read(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
