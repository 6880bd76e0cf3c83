/**
 * The wall between two machines. Here all of them share one kernel, so the next executor of a node sees the processes
 * that an earlier one left on another machine, and would end them; in life it cannot. What a row leaves behind to meet
 * its successor is therefore made nameless first: the mark by which it would be found is overwritten in its memory.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

const MARK = Buffer.from('MESOS_ELASTICSEARCH_NODE=');
/** Fields 50 and 51 of proc_pid_stat(5), counted from the state. */
const ENV_START = 47;

/** @throws Error naming the process that cannot be written to */
export function hideFromOtherMachines(pids: readonly number[]): void {
  for (const pid of pids) {
    const { start, length } = environmentArea(pid);
    const memory = openSync(`/proc/${pid}/mem`, 'r+');
    try {
      const area = Buffer.alloc(length);
      readSync(memory, area, 0, length, start);
      for (let at = area.indexOf(MARK); at >= 0; at = area.indexOf(MARK, at + 1)) {
        if (at === 0 || area[at - 1] === 0) writeSync(memory, 'X', start + at);
      }
    } finally {
      closeSync(memory);
    }
    if (readFileSync(`/proc/${pid}/environ`).includes(Buffer.concat([Buffer.from([0]), MARK]))) {
      throw new Error(`process ${pid} can still be found by its mark`);
    }
  }
}

function environmentArea(pid: number): { start: number; length: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [start = 0, end = 0] = fields.slice(ENV_START, ENV_START + 2).map(Number);
  if (start === 0 || end <= start) throw new Error(`process ${pid} shows no environment`);
  return { start, length: end - start };
}
