import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { programInPath } from './availability.ts';

/** What a container of this image runs. */
export const SLEEP_COMMAND = ['/bin/sleep', '600'];

/**
 * The root file system of an image that can do nothing but sleep, as a tar archive: this machine's own `sleep`
 * and the libraries that it loads, for no registry can be assumed.
 */
export async function sleepingImage(directory: string): Promise<string> {
  const root = join(directory, 'root');
  const sleep = programInPath('sleep') ?? '/bin/sleep';
  const { stdout } = await execa('ldd', [sleep]);
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1]!);
  const copies: [string, string][] = [
    [sleep, '/bin/sleep'],
    ...libraries.map((path): [string, string] => [path, path]),
  ];
  for (const [from, to] of copies) {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await cp(from, join(root, to), { dereference: true });
  }
  await mkdir(join(root, 'data'), { recursive: true });
  const archive = join(directory, 'image.tar');
  await execa('tar', ['-cf', archive, '-C', root, '.']);
  return archive;
}
