/** What /proc says about processes: who is left of a guarded run, and who has files open below a directory. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** One letter of /proc/PID/stat; Z: dead, all its files closed, waiting for its parent. */
  readonly state: string;
  readonly name: string;
}

/** Processes come and go while one reads; those that are gone, or not ours to read, are left out. */
export async function processes(): Promise<readonly ProcessEntry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  const entries = await Promise.all(
    pids.map(async (pid) => parseStat(await readOrEmpty(`/proc/${pid}/stat`))),
  );
  return entries.filter((entry) => entry !== undefined);
}

/** The name stands in parentheses and may itself contain blanks and parentheses. */
function parseStat(text: string): ProcessEntry | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < 0) return undefined;
  const [state, parent, , session] = text.slice(close + 2).split(' ');
  if (state === undefined || parent === undefined || session === undefined) return undefined;
  return {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    state,
    parent: Number(parent),
    session: Number(session),
  };
}

/**
 * Live processes of one guarded run: of its session, or with its token in their environment (a process that
 * made its own session keeps that). The session matters because a dying process loses its environment before
 * it has closed its files.
 */
export async function survivorsOf(run: { session: number; token: string }): Promise<readonly ProcessEntry[]> {
  const alive = (await processes()).filter(({ state, pid }) => state !== 'Z' && pid !== process.pid);
  const marked = await Promise.all(
    alive.map(async (entry) => {
      if (entry.session === run.session) return entry;
      return (await readOrEmpty(`/proc/${String(entry.pid)}/environ`)).includes(run.token)
        ? entry
        : undefined;
    }),
  );
  return marked.filter((entry) => entry !== undefined);
}

/** Who has a file open, a working directory or a mapping below `directory`, as `name (pid N)`. */
export async function holdersOf(directory: string): Promise<readonly string[]> {
  const all = await processes();
  const found = await Promise.all(
    all.map(async (entry) =>
      (await holds(entry.pid, directory)) ? `${entry.name} (pid ${String(entry.pid)})` : '',
    ),
  );
  return found.filter((text) => text !== '');
}

async function holds(pid: number, directory: string): Promise<boolean> {
  const folder = `/proc/${String(pid)}`;
  const below = (path: string) => path === directory || path.startsWith(`${directory}/`);
  const links = await Promise.all(['cwd', 'root', 'exe'].map((name) => linkOrEmpty(join(folder, name))));
  if (links.some(below)) return true;
  const descriptors = await readdir(join(folder, 'fd')).catch(() => []);
  const files = await Promise.all(descriptors.map((fd) => linkOrEmpty(join(folder, 'fd', fd))));
  if (files.some(below)) return true;
  return (await readOrEmpty(join(folder, 'maps'))).includes(` ${directory}/`);
}

/** Live processes other than this one that have the variable in their environment, with its value. */
export async function processesWith(
  variable: string,
): Promise<readonly { readonly entry: ProcessEntry; readonly value: string }[]> {
  const alive = (await processes()).filter(({ state, pid }) => state !== 'Z' && pid !== process.pid);
  const found = await Promise.all(
    alive.map(async (entry) => {
      const value = (await environmentOf(entry.pid)).get(variable);
      return value === undefined ? undefined : { entry, value };
    }),
  );
  return found.filter((each) => each !== undefined);
}

/** The environment a process was started with; empty for one that is gone or not ours to read. */
async function environmentOf(pid: number): Promise<ReadonlyMap<string, string>> {
  const text = await readOrEmpty(`/proc/${String(pid)}/environ`);
  const pairs = text.split('\0').map((pair): [string, string] => {
    const cut = pair.indexOf('=');
    return cut < 0 ? [pair, ''] : [pair.slice(0, cut), pair.slice(cut + 1)];
  });
  return new Map(pairs);
}

const readOrEmpty = (path: string) => readFile(path, 'utf8').catch(() => '');
const linkOrEmpty = (path: string) => readlink(path).catch(() => '');
