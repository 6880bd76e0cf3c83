/**
 * Elasticsearch as a process under the guard. As root the guard is the first process of a PID namespace of its
 * own, so that "gone" means: the namespace is empty. Elsewhere it leads a session and process group of its own,
 * and "gone" means: neither a process of that session nor one with the run's token is left.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { lastWord, type ControlDirectory } from '../guard/control-directory.ts';
import { SetupError } from '../ports.ts';
import { looksHere, type ProcessLooks } from './look.ts';
import { processes } from './process-table.ts';

const START_LIMIT_MS = 10_000;
const POLL_MS = 50;
/** How long the guard gets to obey an order to kill before it is killed itself. */
const ORDER_LIMIT_MS = 2_000;

const OWN_NAMESPACE = [
  'unshare',
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child=SIGKILL',
  '--propagation',
  'slave',
  '--',
] as const;

export interface GuardedProcess {
  /** Resolves with how it ended when not one process is left. */
  readonly gone: Promise<string>;
  kill(): Promise<void>;
}

export interface GuardedRun {
  readonly control: ControlDirectory;
  /** The command line of Elasticsearch. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ownNamespace: boolean;
  readonly workDirectory: string;
  /** Takes stdout and stderr of Elasticsearch and the guard. */
  readonly consoleFile: string;
  readonly looks?: ProcessLooks;
}

/** @throws SetupError when the guard does not come up; nothing runs then. */
export async function startGuarded(run: GuardedRun): Promise<GuardedProcess> {
  const token = randomUUID();
  const child = spawnGuard(run, token);
  const pid = child.pid;
  if (pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw new SetupError(`the guard cannot be started: ${error.message}`);
  }
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const gone = endOf(run, exited, { session: pid, token });
  const kill = () => killGuarded(run, pid, gone);
  const up = await Promise.race([waitsForGo(run.control), gone.then((how) => how)]);
  if (up === true) return { gone, kill };
  await kill();
  await gone;
  throw new SetupError(`the guard did not come up: ${up === false ? 'no sign of it in time' : up}`);
}

function spawnGuard(run: GuardedRun, token: string): ChildProcess {
  const prefix: readonly string[] = run.ownNamespace ? OWN_NAMESPACE : [];
  const [program = '/bin/sh', ...rest] = [...prefix, '/bin/sh', run.control.script, ...run.argv];
  const output = openSync(run.consoleFile, 'a');
  try {
    return spawn(program, rest, {
      cwd: run.workDirectory,
      env: { ...run.environment, CONTROL: run.control.path, MESOS_ELASTICSEARCH_RUN: token },
      // A session of its own: a signal to the executor's group is not one to Elasticsearch.
      detached: true,
      stdio: ['ignore', output, output],
    });
  } finally {
    closeSync(output);
  }
}

async function waitsForGo(control: ControlDirectory): Promise<boolean> {
  for (let waited = 0; waited < START_LIMIT_MS; waited += POLL_MS) {
    if ((await control.state()) !== undefined) return true;
    await delay(POLL_MS);
  }
  return false;
}

async function endOf(
  run: GuardedRun,
  exited: Promise<[number | null, NodeJS.Signals | null]>,
  who: { session: number; token: string },
): Promise<string> {
  const [code, signal] = await exited;
  // The namespace's end kills all in it, but only the guard's own exit says that this is over; where
  // `unshare` was killed instead, or there is no namespace, the rest is looked for and killed here.
  for (;;) {
    // Not known is not "none".
    const left = await (run.looks ?? looksHere).survivorsOf(who).catch(() => undefined);
    if (left?.length === 0) break;
    for (const { pid } of left ?? []) sendKill(pid);
    await delay(POLL_MS);
  }
  const said = await lastWord(run.control);
  return said ?? (signal === null ? `exit code ${String(code)}` : `signal ${signal}`);
}

async function killGuarded(run: GuardedRun, pid: number, gone: Promise<string>): Promise<void> {
  await run.control.kill().catch(() => undefined);
  const obeyed = await Promise.race([gone.then(() => true), delay(ORDER_LIMIT_MS, false, { ref: false })]);
  if (obeyed) return;
  // Frozen or stuck. Killing the namespace's first process empties it, and `unshare` ends after that; killing
  // `unshare` first would leave nobody to say so.
  const guards = run.ownNamespace ? (await processes()).filter(({ parent }) => parent === pid) : [];
  for (const guard of guards) sendKill(guard.pid);
  if (guards.length === 0) sendKill(pid);
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone, which is what was wanted.
  }
}
