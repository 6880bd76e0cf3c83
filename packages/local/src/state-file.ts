/** A file that is either the old or the new text, never half of one, whenever its writer dies. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromTaggedJson, toTaggedJson } from './tagged-json.ts';

export function writeStateFile(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  writeFileSync(fresh, toTaggedJson(value), { mode: 0o600 });
  renameSync(fresh, path);
}

/** Undefined if there is none. Throws an Error that names the file if it cannot be read. */
export function readStateFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return fromTaggedJson(text);
  } catch (cause) {
    throw new Error(`${path} is not readable as saved state: move it away to start fresh`, { cause });
  }
}
