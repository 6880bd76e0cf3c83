/** The processes of one node, found from outside. */
import { readdirSync, readFileSync } from 'node:fs';

export type NodePart = 'executor' | 'guard' | 'elasticsearch';

interface Found {
  readonly pid: number;
  readonly parent: number;
  readonly argv: readonly string[];
}

/**
 * Every process of one Mesos task, by the sandbox that the agent put into its environment.
 * @param taskId as in the path of the sandbox
 */
export function processesOf(taskId: string): Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const directory = pairs(`/proc/${name}/environ`).find((pair) => pair.startsWith('MESOS_DIRECTORY='));
      if (directory?.includes(`/executors/${taskId}/`) !== true) return [];
      const stat = read(`/proc/${name}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      return [{ pid: Number(name), parent, argv: pairs(`/proc/${name}/cmdline`) }];
    });
}

/** SIGSTOP to all of them, those included that they start meanwhile. @returns who is stopped */
export function freezeAll(taskId: string): number[] {
  const stopped = new Set<number>();
  for (;;) {
    const fresh = processesOf(taskId).filter(({ pid }) => !stopped.has(pid));
    if (fresh.length === 0) return [...stopped];
    for (const { pid } of fresh) if (signal(pid, 'SIGSTOP')) stopped.add(pid);
  }
}

export function thawAll(taskId: string): void {
  for (const { pid } of processesOf(taskId)) signal(pid, 'SIGCONT');
}

/** @returns false when it is gone */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error when there is not exactly one, naming those there are */
export function pidOf(taskId: string, part: NodePart): number {
  const all = processesOf(taskId);
  const found = all.filter((one) => partOf(one) === part);
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return only.pid;
  const list = all.map(({ pid, argv }) => `${pid} ${argv.slice(0, 3).join(' ')}`).join('\n  ');
  throw new Error(`${found.length} processes of ${taskId} are its ${part}, wanted one of:\n  ${list}`);
}

export function isThere(taskId: string, part: NodePart): boolean {
  return processesOf(taskId).some((one) => partOf(one) === part);
}

function partOf({ argv }: Found): NodePart | undefined {
  const [program = '', first = ''] = argv;
  if (program.endsWith('/java') && argv.some((word) => word.includes('.bootstrap.Elasticsearch'))) {
    return 'elasticsearch';
  }
  if (program === '/bin/sh' && first.endsWith('/guard.sh')) return 'guard';
  return argv.slice(0, 3).some((word) => /executor[^/]*\.mjs$/.test(word)) ? 'executor' : undefined;
}

function pairs(path: string): string[] {
  return read(path)
    .split('\0')
    .filter((word) => word !== '');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
