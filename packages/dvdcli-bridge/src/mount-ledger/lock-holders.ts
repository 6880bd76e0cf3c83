import { readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { processStat } from '../hostdir/processes.ts';

/**
 * Who has the flock(2) on a file, in words, as far as /proc shows it: `flock (pid 12, stopped) of node (pid 10)`. Empty
 * where nobody is seen: the holder may be another user's, or in a PID namespace of its own.
 */
export function lockHolders(path: string): readonly string[] {
  const file = orUndefined(() => realpathSync(path));
  if (file === undefined) return [];
  const holders = readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .map(Number)
    .filter((pid) => orUndefined(() => hasLock(pid, file)) === true);
  // What a holder has started (the keeper's `cat`) has the same lock by the same descriptor.
  const first = holders.filter((pid) => !holders.includes(processStat(pid)?.parent ?? 0));
  return first.map((pid) => {
    const parent = processStat(pid)?.parent ?? 0;
    const stopped = holders.filter((each) => each !== pid && isStopped(each));
    return [
      nameOf(pid),
      ...stopped.map((each) => `with ${nameOf(each)}`),
      // The agent's init, or nobody in this namespace, says nothing.
      ...(parent > 1 ? [`of ${nameOf(parent)}`] : []),
    ].join(' ');
  });
}

/** Every descriptor of an open file shows the lock that was taken by it; one that waits for the lock shows none. */
function hasLock(pid: number, file: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some(
    (descriptor) =>
      orUndefined(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`)) === file &&
      /^lock:.*\bFLOCK\b/m.test(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8')),
  );
}

function isStopped(pid: number): boolean {
  return /^[Tt]$/.test(processStat(pid)?.state ?? '');
}

function nameOf(pid: number): string {
  const name = orUndefined(() => processStat(pid)?.name) ?? 'a process';
  return `${name} (pid ${pid}${isStopped(pid) ? ', stopped: kill -CONT lets it go on' : ''})`;
}

/** It has ended meanwhile, or is none of ours to look at. */
function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
