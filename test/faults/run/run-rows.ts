/** Many rows, on as few clusters as they need. */
import { Undo } from '@mesos-elasticsearch/cli';
import type { ClusterKind, FaultRow } from '../rows/row.ts';
import { openField, type Field, type FieldOptions } from './field.ts';
import type { RowResult } from './result.ts';
import { runRow } from './run-row.ts';

export interface RunOptions extends Omit<FieldOptions, 'undo'> {
  readonly onResult: (result: RowResult) => void;
}

interface Open {
  readonly kind: ClusterKind;
  readonly field: Field;
  readonly undo: Undo;
  /** Aborted with the whole run, or when a part of this cluster has ended by itself. */
  readonly interrupt: AbortController;
}

/**
 * A row that leaves its cluster broken costs the next one a new cluster, not its run.
 * @returns what could not be undone, in words
 */
export async function runRows(rows: readonly FaultRow[], options: RunOptions): Promise<string[]> {
  const { signal } = options.interrupt;
  const left: string[] = [];
  let open: Open | undefined;
  const close = async () => {
    if (open !== undefined) left.push(...(await open.undo.run(() => undefined)));
    open = undefined;
  };
  try {
    for (const [turn, row] of rows.entries()) {
      signal.throwIfAborted();
      if (open !== undefined && open.kind !== row.cluster) await close();
      try {
        open ??= await openFor(row, options, left);
        options.onResult(await runRow(open.field, row, turn));
      } catch (error) {
        if (signal.aborted) throw error;
        const why: unknown = open?.interrupt.signal.reason;
        options.onResult(brokenOff(row, why instanceof Error ? why : (error as Error)));
        await close();
      }
    }
  } finally {
    await close();
  }
  return left;
}

async function openFor(row: FaultRow, options: RunOptions, left: string[]): Promise<Open> {
  const undo = new Undo();
  const interrupt = new AbortController();
  const { signal } = options.interrupt;
  signal.addEventListener('abort', () => interrupt.abort(signal.reason), { signal: interrupt.signal });
  options.tell(`a cluster for ${row.name} and what follows`);
  try {
    const field = await openField(row.cluster, { ...options, undo, interrupt });
    return { kind: row.cluster, field, undo, interrupt };
  } catch (error) {
    left.push(...(await undo.run(() => undefined)));
    throw error;
  }
}

function brokenOff(row: FaultRow, error: Error): RowResult {
  const nothing = { acknowledged: 0, found: 0 };
  const misses = [`broke off: ${error.message}`];
  const unknown = { recoverySeconds: undefined, split: undefined, hosts: [] };
  return { row, misses, ...unknown, documents: nothing, overlaps: 0, longestGapMs: 0 };
}
