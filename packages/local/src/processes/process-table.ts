/** What runs on this machine, by /proc (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Ticks since boot; with the pid it names a process for good. */
  readonly startTime: string;
}

function parseStat(stat: string): ProcessEntry | undefined {
  // The command's name is in parentheses and may itself contain any of them.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const startTime = fields[19];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return {
    pid: Number.parseInt(stat, 10),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTime,
  };
}

/** Undefined if there is no such process, or only its zombie. */
export function readProcess(pid: number): ProcessEntry | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Zombies are left out: they hold nothing any more. */
export function readProcessTable(): Map<number, ProcessEntry> {
  const table = new Map<number, ProcessEntry>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readProcess(Number(name));
    if (entry !== undefined) table.set(entry.pid, entry);
  }
  return table;
}

/** True if one of the process's initial environment variables starts with `prefix`; false if unreadable. */
export function environmentHas(pid: number, prefix: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    return environment.startsWith(prefix) || environment.includes(`\0${prefix}`);
  } catch {
    return false;
  }
}

/** The given processes, all their descendants (other PID namespaces included), and who shares their sessions. */
export function familyOf(table: ReadonlyMap<number, ProcessEntry>, roots: Iterable<number>): Set<number> {
  const family = new Set<number>([...roots].filter((pid) => table.has(pid)));
  // A session counts if its leader is in the family: a process started by hand from a terminal drags nobody in.
  const sessions = () => new Set([...family].filter((pid) => table.get(pid)?.session === pid));
  let before = -1;
  while (family.size !== before) {
    before = family.size;
    const led = sessions();
    for (const entry of table.values()) {
      if (family.has(entry.parent) || led.has(entry.session)) family.add(entry.pid);
    }
  }
  return family;
}
