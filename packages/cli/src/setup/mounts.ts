/** Mounts below a directory of ours: found, and undone before the directory is removed. */
import { readFile, realpath } from 'node:fs/promises';
import { execa } from 'execa';

/** Mountpoints in a mountinfo file that lie below `directory`, the deepest first. */
export function parseMountsBelow(mountinfo: string, directory: string): string[] {
  const points = mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    // Blanks and the like are written as octal numbers.
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    );
  return points.filter((point) => point.startsWith(`${directory}/`)).reverse();
}

export async function mountsBelow(directory: string): Promise<string[]> {
  const path = await realpath(directory).catch(() => directory);
  return parseMountsBelow(await readFile('/proc/self/mountinfo', 'utf8'), path);
}

/** @returns the mountpoints that would not go */
export async function unmountBelow(directory: string): Promise<string[]> {
  for (const point of await mountsBelow(directory)) {
    await execa('umount', [point], { reject: false, stdin: 'ignore' });
  }
  return mountsBelow(directory);
}
