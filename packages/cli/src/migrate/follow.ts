/** Follows a migration until it has come to an end. It goes on without this, whatever becomes of whoever looks. */
import { ApiError } from '../nodes/request.ts';
import type { MigrationApi, ShownMigration } from './migration-api.ts';
import { turnText } from './show.ts';

export interface Following {
  readonly api: Pick<MigrationApi, 'look'>;
  readonly write: (text: string) => void;
  /** Resolves after a while, or at once when nobody looks any more. */
  readonly pause: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** left: nobody looks any more. */
export type Ended = 'done' | 'paused' | 'left';

/** Each line once: what is said twice in a row is no news. A scheduler that does not answer is asked again. */
export async function follow({ api, write, pause, signal }: Following): Promise<Ended> {
  let told = '';
  const tell = (text: string): void => {
    if (text !== told) write(`${text}\n`);
    told = text;
  };
  while (!signal.aborted) {
    try {
      const migration = await api.look();
      const state = migration.ordered?.state;
      if (migration.pending === undefined && (state === 'done' || state === 'paused')) {
        tell(`${state}: ${migration.ordered?.why ?? ''}`);
        return state;
      }
      tell(progressText(migration));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      tell(`${error.message}; the migration does not need this command: it is asked again`);
    }
    await pause();
  }
  return 'left';
}

function progressText({ nodes, nodesToMove, waitsFor }: ShownMigration): string {
  const turn = nodes.find(({ stage }) => stage !== undefined);
  if (turn !== undefined) return `node ${turn.nodeId}: ${turnText(turn)}`;
  const [wait] = waitsFor;
  if (wait !== undefined) return `waits: ${wait.rule}: ${wait.reason}`;
  return `${nodesToMove.length} nodes are still to be moved`;
}
