/** /proc, read as it is. Whatever is gone meanwhile answers undefined or nothing. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly startTicks: string;
}

export interface OpenFile {
  readonly path: string;
  readonly writing: boolean;
}

const PF_KTHREAD = 0x00200000;

export function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Undefined for kernel threads and zombies too: they have no files. */
export function factsOf(pid: number): ProcessFacts | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  // The command's name is in parentheses and may itself contain any of them.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, , session] = fields;
  const startTicks = fields[19];
  if (startTicks === undefined || state === 'X' || (Number(fields[6]) & PF_KTHREAD) !== 0) return undefined;
  if (state === 'Z' && entriesOf(`/proc/${pid}/task`).length < 2) return undefined;
  return { pid, parent: Number(parent), session: Number(session), startTicks };
}

/** Open descriptors. The link's own mode says for what: see proc_pid_fd(5). */
export function openFiles(pid: number, wanted: (path: string) => boolean): OpenFile[] {
  const directory = `/proc/${pid}/fd`;
  return entriesOf(directory).flatMap((name) => {
    const path = linkOf(`${directory}/${name}`);
    if (!path?.startsWith('/') || !wanted(path)) return [];
    try {
      return [{ path, writing: (lstatSync(`${directory}/${name}`).mode & 0o200) !== 0 }];
    } catch {
      return [];
    }
  });
}

/** Mapped files; only a shared mapping that may be written reaches the file. */
export function mappedFiles(pid: number, wanted: (path: string) => boolean): OpenFile[] {
  return textOf(`/proc/${pid}/maps`)
    .split('\n')
    .flatMap((line) => {
      const start = line.indexOf('/');
      if (start < 0) return [];
      const path = line.slice(start);
      if (!wanted(path)) return [];
      return [{ path, writing: /^\S+ .w.s/.test(line) }];
    });
}

export function environmentOf(pid: number, name: string): string | undefined {
  const pair = textOf(`/proc/${pid}/environ`)
    .split('\0')
    .find((each) => each.startsWith(`${name}=`));
  return pair?.slice(name.length + 1);
}

/** The program and the end of its arguments: what a JVM runs stands last. */
export function commandOf(pid: number): string {
  const whole = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return whole.length <= 300 ? whole : `${whole.slice(0, 100)} … ${whole.slice(-190)}`;
}

export function namespaceOf(pid: number, kind: 'pid' | 'mnt'): string | undefined {
  return linkOf(`/proc/${pid}/ns/${kind}`);
}

export function mountinfoOf(pid: number | 'self'): string {
  return textOf(`/proc/${pid}/mountinfo`);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
