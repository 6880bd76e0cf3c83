/** Programs on this machine, as the executor's user or as Elasticsearch's. */
import { execa } from 'execa';
import { CommandTimeLimitError, type CommandRunner } from '../ports.ts';

const DEFAULT_LIMIT_MS = 30_000;

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
      const [program, ...rest] = [...(options.as === 'node' ? asUser(user) : []), ...argv];
      if (program === undefined) throw new TypeError('no program given');
      const limitMs = options.limitMs ?? DEFAULT_LIMIT_MS;
      const result = await execa(program, rest, {
        reject: false,
        timeout: limitMs,
        killSignal: 'SIGKILL',
        encoding: 'buffer',
        stripFinalNewline: false,
        extendEnv: false,
        env: { ...environment, ...options.environment },
        ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
      });
      if (result.timedOut) {
        throw new CommandTimeLimitError(`${argv.join(' ')} did not end within ${String(limitMs)} ms`);
      }
      const stderr = Buffer.from(result.stderr).toString('utf8').trim();
      return {
        exitCode: result.exitCode ?? 128,
        stdout: Buffer.from(result.stdout),
        stderr: result.exitCode === undefined ? `${stderr} ${result.shortMessage}`.trim() : stderr,
      };
    },
  };
}
