import { stat } from 'node:fs/promises';
import { isAbsolute, normalize } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export type MountpointVerdict =
  | { readonly kind: 'fine'; readonly path: string }
  | { readonly kind: 'bad'; readonly why: string }
  /** A dead network or FUSE file system can keep a stat waiting for ever. */
  | { readonly kind: 'no-answer' };

/**
 * An empty mountpoint is the dangerous one: Docker binds its own bundle directory in its place, writable.
 * @param limitMs how long the file system may take to answer
 */
export async function checkMountpoint(path: string, limitMs = 10_000): Promise<MountpointVerdict> {
  if (path === '') return { kind: 'bad', why: 'the driver gave no mountpoint' };
  const said = `the driver gave the mountpoint ${JSON.stringify(path)}`;
  if (!isAbsolute(path)) return { kind: 'bad', why: `${said}, which is not absolute` };
  if (/[\0\n]/.test(path)) return { kind: 'bad', why: `${said}, which no path can contain` };
  const clean = normalize(path).replace(/(.)\/+$/, '$1');
  if (clean === '/') return { kind: 'bad', why: `${said}, which is the host's root` };
  const limit = new AbortController();
  const answer = await Promise.race([
    stat(clean).then(
      (found): MountpointVerdict =>
        found.isDirectory()
          ? { kind: 'fine', path: clean }
          : { kind: 'bad', why: `${said}, which is not a directory` },
      (error: unknown): MountpointVerdict => ({
        kind: 'bad',
        why: `${said}, which cannot be used (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      }),
    ),
    wait(limitMs, { kind: 'no-answer' } as const, { signal: limit.signal }).catch(
      () => ({ kind: 'no-answer' }) as const,
    ),
  ]);
  limit.abort();
  return answer;
}
