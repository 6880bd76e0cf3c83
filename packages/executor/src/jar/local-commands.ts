/** Programs on this machine, as the executor's user or as Elasticsearch's. */
import type { LookAt } from '@mesos-elasticsearch/dvdcli-bridge';
import { CommandTimeLimitError, type CommandRunner } from '../ports.ts';
import { runBounded } from './bounded-program.ts';

const DEFAULT_LIMIT_MS = 30_000;
const LOOK_LIMIT_MS = 8_000;

/** Numeric ids that Elasticsearch runs as; undefined where the executor is not root and stays who it is. */
export type NodeUser = { readonly uid: number; readonly gid: number } | undefined;

/** argv prefix that drops to Elasticsearch's user, all groups and capabilities included. */
export function asUser(user: NodeUser): readonly string[] {
  if (!user) return [];
  return ['setpriv', '--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups', '--'];
}

export function localCommands(user: NodeUser, environment: Readonly<Record<string, string>>): CommandRunner {
  return {
    run: async (argv, options) => {
      const { exitCode, stdout, stderr, shortMessage } = await runBounded({
        argv: [...(options.as === 'node' ? asUser(user) : []), ...argv],
        limitMs: options.limitMs ?? DEFAULT_LIMIT_MS,
        environment: { ...environment, ...options.environment },
        input: options.input,
      });
      const words = shortMessage === undefined ? stderr : `${stderr} ${shortMessage}`.trim();
      return { exitCode: exitCode ?? 128, stdout, stderr: words };
    },
  };
}

/** What is at a path that a driver gave: asked by a program, for the file system there may hang. */
export function lookByProgram(
  environment: Readonly<Record<string, string>>,
  limitMs = LOOK_LIMIT_MS,
): LookAt {
  const commands = localCommands(undefined, { ...environment, LC_ALL: 'C' });
  return async (path) => {
    try {
      const argv = ['stat', '--dereference', '--format=%F', '--', path];
      const result = await commands.run(argv, { as: 'administrator', limitMs });
      if (result.exitCode !== 0) throw new Error(result.stderr);
      return result.stdout.toString('utf8').trim() === 'directory' ? 'directory' : 'something-else';
    } catch (error) {
      if (error instanceof CommandTimeLimitError) return 'no-answer';
      throw error;
    }
  };
}
