import { readFileSync, readdirSync } from 'node:fs';

/** In the environment of every run, and so of every process below it: how a process that left the group is known. */
export const RUN_VARIABLE = 'DVDCLI_RUN';

const ROUNDS = 5;

/**
 * Kills a run: its process group, and whatever /proc shows to carry the run's mark, also when it has a session of its
 * own or its parent is gone. Killed again until a look finds none, for what is killed last may have forked first.
 */
export function killTree(pid: number | undefined, run: string): void {
  if (pid !== undefined) kill(-pid);
  for (let round = 0; round < ROUNDS; round += 1) {
    const left = processesOf(run);
    if (left.length === 0) return;
    for (const each of left) kill(each);
  }
}

/** Live processes of this run. Those whose environment may not be read are not ours to kill either. */
export function processesOf(run: string): readonly number[] {
  const mark = `${RUN_VARIABLE}=${run}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && environmentOf(pid).split('\0').includes(mark));
}

/** Empty for a process that has ended, zombies included. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}
