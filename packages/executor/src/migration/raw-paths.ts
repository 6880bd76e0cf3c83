/**
 * File names are bytes, and not every one of them is text. Here a path is a string of one character a byte, so that it
 * can be joined, sorted and compared, and becomes bytes again where the file system is asked.
 */
import { readdir } from 'node:fs/promises';

export type RawPath = string;

export function rawPath(text: string): RawPath {
  return Buffer.from(text, 'utf8').toString('latin1');
}
export function bytesOf(path: RawPath): Buffer {
  return Buffer.from(path, 'latin1');
}
/** For people. */
export function textOf(path: RawPath): string {
  return bytesOf(path).toString('utf8');
}
/** `''` is the directory itself. */
export function below(directory: RawPath, name: RawPath): RawPath {
  return directory === '' ? name : `${directory}/${name}`;
}

/** Names in a directory, in the order of their bytes. */
export async function namesIn(directory: RawPath): Promise<readonly RawPath[]> {
  const names = await readdir(bytesOf(directory), { encoding: 'buffer' });
  return names.map((name) => name.toString('latin1')).sort();
}
