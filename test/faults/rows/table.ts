/** The fault table. */
import { ENGINES } from './engines.ts';
import { FAILOVERS } from './failovers.ts';
import { FREEZES } from './freezes.ts';
import { GUARDS } from './guards.ts';
import { KILLS } from './kills.ts';
import { MACHINES } from './machines.ts';
import { OUTAGES } from './outages.ts';
import { PARTITIONS } from './partitions.ts';
import { REVOCATIONS } from './revocations.ts';
import { FAULT_CLASSES, type FaultRow } from './row.ts';

export const FAULT_TABLE: readonly FaultRow[] = [
  ...KILLS,
  ...OUTAGES,
  ...FREEZES,
  ...PARTITIONS,
  ...GUARDS,
  ...FAILOVERS,
  ...MACHINES,
  ...REVOCATIONS,
  ...ENGINES,
];

export interface Choice {
  readonly only?: readonly string[];
  readonly class?: string;
}

/** @throws Error naming what is no row, or no class */
export function chooseRows(
  { only, class: wanted }: Choice,
  table: readonly FaultRow[] = FAULT_TABLE,
): FaultRow[] {
  const unknown = (only ?? []).filter((name) => table.every((row) => row.name !== name));
  if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(', ')} (--list names them)`);
  if (wanted !== undefined && !FAULT_CLASSES.some((name) => name === wanted)) {
    throw new Error(`no such class: ${wanted} (there are ${FAULT_CLASSES.join(', ')})`);
  }
  return table.filter(
    (row) =>
      (only === undefined || only.includes(row.name)) && (wanted === undefined || row.class === wanted),
  );
}
