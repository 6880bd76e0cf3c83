/**
 * Looks at other processes whose own memory has to be read for it (`environ`, `maps`): that waits while such a process hangs
 * in a volume. So the executor asks a child of its own program, `executor.mjs look`, which it may give up on.
 */
import { isOrphanMark, NODE_MARK_VARIABLE, type LaunchSpec } from '@mesos-elasticsearch/contract';
import { procVolumeUsers } from '@mesos-elasticsearch/dvdcli-bridge';
import { runBounded } from './bounded-program.ts';
import { environmentOf, holdersOf, processes, survivorsOf, type ProcessEntry } from './process-table.ts';

export type MarkedNode = Pick<LaunchSpec, 'clusterIdentity' | 'nodeId' | 'epoch'>;

export interface ProcessLooks {
  /** See process-table.ts. */
  holdersOf(directory: string): Promise<readonly string[]>;
  survivorsOf(run: { session: number; token: string }): Promise<readonly ProcessEntry[]>;
  /** Live processes of an earlier epoch of the node, by their mark. */
  orphansOf(node: MarkedNode): Promise<readonly ProcessEntry[]>;
  /** See VolumeUsers of the bridge. */
  marked(mark: string): Promise<string | undefined>;
  below(hostPath: string): Promise<string | undefined>;
}

/** In this very process: for the child, and where nothing hangs. */
export const looksHere: ProcessLooks = {
  holdersOf,
  survivorsOf,
  orphansOf,
  marked: (mark) => procVolumeUsers().marked(mark),
  below: (hostPath) => procVolumeUsers().below(hostPath),
};

async function orphansOf(node: MarkedNode): Promise<readonly ProcessEntry[]> {
  const alive = (await processes()).filter(({ state, pid }) => state !== 'Z' && pid !== process.pid);
  const marked = await Promise.all(
    alive.map(async (entry) => {
      const mark = (await environmentOf(entry.pid)).get(NODE_MARK_VARIABLE);
      return mark !== undefined && isOrphanMark(mark, node) ? entry : undefined;
    }),
  );
  return marked.filter((entry) => entry !== undefined);
}

export const LOOK_COMMAND = 'look';
const LOOK_LIMIT_MS = 15_000;

type Look = keyof ProcessLooks;
interface Question {
  readonly look: Look;
  readonly about: never;
}

/** @param program of the executor, as argv. Every look rejects with CommandTimeLimitError when it takes too long. */
export function looksByProgram(
  program: readonly string[],
  environment: Readonly<Record<string, string>>,
  limitMs = LOOK_LIMIT_MS,
): ProcessLooks {
  const ask = async <T>(look: Look, about: unknown): Promise<T> => {
    const argv = [...program, LOOK_COMMAND];
    const result = await runBounded({ argv, limitMs, environment, input: JSON.stringify({ look, about }) });
    if (result.exitCode !== 0)
      throw new Error(`processes cannot be looked at: ${result.stderr || (result.shortMessage ?? '')}`);
    return (JSON.parse(result.stdout.toString('utf8')) as { answer?: T }).answer as T;
  };
  return {
    holdersOf: (directory) => ask('holdersOf', directory),
    survivorsOf: (run) => ask('survivorsOf', run),
    orphansOf: ({ clusterIdentity, nodeId, epoch }) => ask('orphansOf', { clusterIdentity, nodeId, epoch }),
    marked: (mark) => ask('marked', mark),
    below: (hostPath) => ask('below', hostPath),
  };
}

/** The child's side. @param text of the question, as it came by standard input */
export async function answerLook(text: string): Promise<string> {
  const { look, about } = JSON.parse(text) as Question;
  return JSON.stringify({ answer: await looksHere[look](about) });
}
