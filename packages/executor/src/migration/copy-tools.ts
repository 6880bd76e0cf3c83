/** What a task that migrates acts through: small programs, the copier, and what the kernel says of mounts and files. */
import { readFile } from 'node:fs/promises';
import type { LaunchSpec } from '@mesos-elasticsearch/contract';
import type { GuardDeadline } from '../guard/control-directory.ts';
import { canMakeNamespace } from '../jar/jar-runtime.ts';
import { localCommands, type NodeUser } from '../jar/local-commands.ts';
import { holdersOf } from '../jar/process-table.ts';
import type { CommandRunner } from '../ports.ts';
import type { CopyPlan } from './copy-plan.ts';
import { startCopier, type Copier } from './start-copier.ts';

export interface CopyTools {
  readonly commands: CommandRunner;
  /** Elasticsearch's user where it differs from the executor's own. */
  readonly user: NodeUser;
  /** @throws SetupError when the guard does not come up; nothing runs then. */
  startCopier(spec: LaunchSpec, plan: Omit<CopyPlan, 'statusFile'>, deadline: GuardDeadline): Promise<Copier>;
  /** Type of the file system that is mounted at exactly this path; undefined: none is. */
  fileSystemAt(path: string): Promise<string | undefined>;
  /** Who has a file open below the path, in words. */
  holdersOf(path: string): Promise<readonly string[]>;
}

export function copyTools(options: {
  readonly sandbox: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly program: readonly string[];
  readonly node: { readonly uid: number; readonly gid: number };
}): CopyTools {
  const { sandbox, environment, program, node } = options;
  const user = process.getuid?.() === 0 ? { uid: node.uid, gid: node.gid } : undefined;
  const commands = localCommands(user, environment);
  return {
    ...{ commands, user, holdersOf },
    startCopier: async (spec, plan, deadline) => {
      const ownNamespace = user !== undefined && (await canMakeNamespace(commands));
      return startCopier({ sandbox, environment, program, ownNamespace, spec, plan, deadline });
    },
    fileSystemAt: async (path) => fileSystemIn(await readFile('/proc/self/mountinfo', 'utf8'), path),
  };
}

/** The last mount on a path is the one that is seen. See proc_pid_mountinfo(5). */
export function fileSystemIn(mountinfo: string, path: string): string | undefined {
  const escaped = path.replace(/[ \t\n\\]/g, (character) => {
    return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
  const lines = mountinfo.split('\n').filter((line) => line.split(' ')[4] === escaped);
  return lines.at(-1)?.split(' - ')[1]?.split(' ')[0];
}
