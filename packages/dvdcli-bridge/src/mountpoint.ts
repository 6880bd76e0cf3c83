import { stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { judgeMountpointPath } from './mountpoint-path.ts';

export type MountpointVerdict =
  | { readonly kind: 'fine'; readonly path: string }
  | { readonly kind: 'bad'; readonly why: string }
  /** A dead network or FUSE file system can keep a stat waiting for ever. */
  | { readonly kind: 'no-answer' };

/**
 * What is at a path, following links; `no-answer`: the file system did not say in time. Rejects with the file system's error.
 * Node's own call occupies one of few threads for as long as a dead file system keeps it waiting, so a process that must
 * go on gives one that asks through a child.
 */
export type LookAt = (path: string) => Promise<'directory' | 'something-else' | 'no-answer'>;

const lookInProcess: LookAt = async (path) =>
  (await stat(path)).isDirectory() ? 'directory' : 'something-else';

/**
 * @param limitMs how long the file system may take to answer
 */
export async function checkMountpoint(
  path: string,
  lookAt: LookAt = lookInProcess,
  limitMs = 10_000,
): Promise<MountpointVerdict> {
  const judged = judgeMountpointPath(path);
  if (judged.kind === 'bad') return judged;
  const { path: clean, said } = judged;
  const limit = new AbortController();
  const answer = await Promise.race([
    lookAt(clean).then(
      (found): MountpointVerdict => {
        if (found === 'no-answer') return { kind: 'no-answer' };
        return found === 'directory'
          ? { kind: 'fine', path: clean }
          : { kind: 'bad', why: `${said}, which is not a directory` };
      },
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
