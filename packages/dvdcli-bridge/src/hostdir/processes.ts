import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessIdentity } from './core/attachment.ts';

/** What /proc/PID/stat says, see proc_pid_stat(5). */
export interface ProcessStat {
  readonly name: string;
  /** One letter: R, S, D, T, Z, X… */
  readonly state: string;
  readonly kernelThread: boolean;
  readonly startTicks: number;
  /** Its pid; 0 where it is of another namespace. */
  readonly parent: number;
}

const PF_KTHREAD = 0x00200000;

/** The name stands in parentheses and may itself contain blanks and parentheses. */
export function parseProcessStat(text: string): ProcessStat {
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const [state] = fields;
  const flags = Number(fields[6]);
  const startTicks = Number(fields[19]);
  if (close < 0 || state === undefined || !Number.isFinite(startTicks))
    throw new Error(`not a process stat line: ${text}`);
  return {
    name: text.slice(text.indexOf('(') + 1, close),
    state,
    kernelThread: (flags & PF_KTHREAD) !== 0,
    startTicks,
    parent: Number(fields[1]),
  };
}

/** `undefined`: no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The process ended, or ended while it was being looked at. */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}

export function currentProcess(): ProcessIdentity {
  const stat = processStat(process.pid);
  if (stat === undefined) throw new Error('/proc does not show this process; mount proc at /proc');
  return {
    pid: process.pid,
    startTicks: stat.startTicks,
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    host: hostname(),
    machineId: readMachineId(),
    pidNamespace: readlinkSync('/proc/self/ns/pid'),
  };
}

function readMachineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    return '';
  }
}

/**
 * The thread that shows what the process has open, mapped and in its environment: the first one, or another where that has
 * ended. `undefined`: all have. @throws the file system's error where the process is gone
 */
export function liveThread(pid: number, { state }: Pick<ProcessStat, 'state'>): number | undefined {
  if (state !== 'Z' && state !== 'X') return pid;
  return readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .find((thread) => thread !== pid);
}

/**
 * Whether that very process still runs, on the machine and in the namespace of the caller. Stopped and frozen
 * count as running. A zombie does not, unless only its first thread has ended.
 */
export function processRuns(identity: ProcessIdentity): boolean {
  const stat = processStat(identity.pid);
  if (stat?.startTicks !== identity.startTicks) return false;
  if (stat.state !== 'Z' && stat.state !== 'X') return true;
  try {
    return readdirSync(`/proc/${identity.pid}/task`).length > 1;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

export function ticksSinceBoot(): number {
  const seconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  // USER_HZ: the kernel reports times to programs in hundredths on every platform Node runs on.
  return Math.floor(seconds * 100);
}
