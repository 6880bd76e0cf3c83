/** What came of one row. */
import type { FaultRow } from '../rows/row.ts';
import type { Split } from './timeline.ts';

export interface RowResult {
  readonly row: Pick<FaultRow, 'name' | 'class' | 'victim' | 'fault' | 'holds' | 'outcome' | 'boundMs'>;
  /** What did not hold; empty: all did. */
  readonly misses: readonly string[];
  /** From the fault, or from its end where nothing had to move, to a whole cluster. */
  readonly recoverySeconds: number | undefined;
  readonly split: Split | undefined;
  /** Hosts of the harmed node's holders, the first one included; one entry: it never moved. */
  readonly hosts: readonly string[];
  readonly documents: { readonly acknowledged: number; readonly found: number };
  readonly overlaps: number;
  /** The auditor's longest time between two looks so far: an overlap shorter than this may have been missed. */
  readonly longestGapMs: number;
}
