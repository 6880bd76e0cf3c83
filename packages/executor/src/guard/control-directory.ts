/** The executor's side of the guard's control directory (the guard's side is described in guard.sh). */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guardScript } from './guard-script.ts';

/** Whole seconds of /proc/uptime, or `never` under a policy that does not fence. */
export type GuardDeadline = number | 'never';

export interface ControlDirectory {
  readonly path: string;
  /** The guard's program, beside the control files. */
  readonly script: string;
  extend(deadline: GuardDeadline): Promise<void>;
  go(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** What the guard last said; undefined before it said anything. */
  state(): Promise<string | undefined>;
}

/**
 * Makes `<parent>/guard` with the script in it. `owner` is set where the guard runs as somebody else (in a
 * container it runs as Elasticsearch's user, and must be able to write its state).
 */
export async function createControlDirectory(
  parent: string,
  options: { deadline: GuardDeadline; writableByAll: boolean },
): Promise<ControlDirectory> {
  const path = join(parent, 'guard', 'control');
  const script = join(parent, 'guard', 'guard.sh');
  await mkdir(path, { recursive: true });
  await writeFile(script, guardScript, { mode: 0o555 });
  if (options.writableByAll) await chmod(path, 0o777);
  const put = async (name: string, text: string) => {
    const temporary = join(path, `${name}.new`);
    await writeFile(temporary, text);
    await rename(temporary, join(path, name));
  };
  await put('deadline', `${String(options.deadline)}\n`);
  return {
    path,
    script,
    extend: (deadline) => put('deadline', `${String(deadline)}\n`),
    go: () => put('go', ''),
    stop: () => put('stop', ''),
    kill: () => put('kill', ''),
    state: async () => {
      try {
        const text = (await readFile(join(path, 'state'), 'utf8')).trim();
        return text === '' ? undefined : text;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

/** The guard's last word on how it ended; undefined where it was killed before it could say one. */
export async function lastWord(control: ControlDirectory): Promise<string | undefined> {
  const said = await control.state().catch(() => undefined);
  return said === 'waiting' || said === 'running' ? undefined : said;
}
