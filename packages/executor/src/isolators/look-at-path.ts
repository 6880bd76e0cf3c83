/** Looks at a path by small programs with a time limit: a dead FUSE or NFS mount keeps whoever asks waiting for ever. */
import type { CommandRunner } from '../ports.ts';
import type { Inode } from '../core/isolated-mount.ts';

const LIMIT_MS = 10_000;
const PLAIN = { as: 'administrator', environment: { LC_ALL: 'C' }, limitMs: LIMIT_MS } as const;

/** Something is there, and cannot be looked at: a FUSE file system whose program has died, for one. */
export class UnreadablePathError extends Error {
  override readonly name = 'UnreadablePathError';
}

/** The words for what is not there at all. */
const ABSENT = /No such file or directory|Not a directory|^$/;

/** undefined: there is nothing. @throws CommandTimeLimitError, UnreadablePathError */
export async function inodeOf(
  commands: CommandRunner,
  path: string,
): Promise<(Inode & { readonly isDirectory: boolean }) | undefined> {
  const result = await commands.run(['stat', '-c', '%d|%i|%F', '--', path], PLAIN);
  if (result.exitCode !== 0 && !ABSENT.test(result.stderr.trim()))
    throw new UnreadablePathError(`${path} cannot be looked at: ${result.stderr.trim()}`);
  const [device, inode, kind] = result.stdout.toString('utf8').trim().split('|');
  if (result.exitCode !== 0 || device === undefined || inode === undefined) return undefined;
  return { device: deviceText(BigInt(device)), inode, isDirectory: kind === 'directory' };
}

/** undefined: there is nothing. @throws CommandTimeLimitError */
export async function realPathOf(commands: CommandRunner, path: string): Promise<string | undefined> {
  const result = await commands.run(['readlink', '-e', '--', path], PLAIN);
  const text = result.stdout.toString('utf8').replace(/\n$/, '');
  return result.exitCode === 0 && text !== '' ? text : undefined;
}

/** As the C library packs device numbers into one, see makedev(3). */
export function deviceText(packed: bigint): string {
  const major = ((packed >> 8n) & 0xfffn) | ((packed >> 32n) & ~0xfffn);
  const minor = (packed & 0xffn) | ((packed >> 12n) & ~0xffn & 0xffffffffn);
  return `${String(major)}:${String(minor)}`;
}
