/** Killing a set of processes that may fork while it is being killed. */
import { setTimeout as delay } from 'node:timers/promises';
import { readProcess } from './process-table.ts';

const GONE_DEADLINE_MS = 10_000;
const POLL_MS = 10;

export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Stops all that `select` finds, until a look finds nobody new. Returns everyone it stopped. */
export function stopAll(select: () => Set<number>): Set<number> {
  const stopped = new Set<number>();
  for (;;) {
    const fresh = [...select()].filter((pid) => !stopped.has(pid) && pid !== process.pid);
    if (fresh.length === 0) return stopped;
    for (const pid of fresh) {
      signal(pid, 'SIGSTOP');
      stopped.add(pid);
    }
  }
}

async function gone(pids: ReadonlySet<number>): Promise<void> {
  const deadline = Date.now() + GONE_DEADLINE_MS;
  while ([...pids].some((pid) => readProcess(pid) !== undefined)) {
    if (Date.now() > deadline) {
      throw new Error(`processes do not die: ${[...pids].filter((pid) => readProcess(pid)).join(', ')}`);
    }
    await delay(POLL_MS);
  }
}

/**
 * First everyone is stopped, so that nobody forks away or reacts to another's death, then all are killed.
 * Resolves with the pids when the last of them is gone.
 */
export async function killFamily(select: () => Set<number>): Promise<Set<number>> {
  const killed = new Set<number>();
  for (;;) {
    const stopped = stopAll(select);
    if (stopped.size === 0) return killed;
    for (const pid of stopped) {
      signal(pid, 'SIGKILL');
      killed.add(pid);
    }
    await gone(stopped);
  }
}
