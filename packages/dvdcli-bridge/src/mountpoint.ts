import { stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { judgeMountpointPath } from './mountpoint-path.ts';

export type MountpointVerdict =
  | { readonly kind: 'fine'; readonly path: string }
  | { readonly kind: 'bad'; readonly why: string }
  /** A dead network or FUSE file system can keep a stat waiting for ever. */
  | { readonly kind: 'no-answer' };

/** @param limitMs how long the file system may take to answer */
export async function checkMountpoint(path: string, limitMs = 10_000): Promise<MountpointVerdict> {
  const judged = judgeMountpointPath(path);
  if (judged.kind === 'bad') return judged;
  const { path: clean, said } = judged;
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
