import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { programInPath } from './availability.ts';
import { copyProgram } from './root-file-system.ts';

/** What a container of this image runs. */
export const SLEEP_COMMAND = ['/bin/sleep', '600'];

/** The root file system of an image that can do nothing but sleep, as a tar archive. */
export async function sleepingImage(directory: string): Promise<string> {
  const root = join(directory, 'root');
  await copyProgram(root, programInPath('sleep') ?? '/bin/sleep', SLEEP_COMMAND[0]!);
  await mkdir(join(root, 'data'), { recursive: true });
  const archive = join(directory, 'image.tar');
  await execa('tar', ['-cf', archive, '-C', root, '.']);
  return archive;
}
