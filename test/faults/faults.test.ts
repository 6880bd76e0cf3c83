/** One row of each class of the fault table, on one warm cluster. `npm run faults` runs them all. */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Undo } from '@mesos-elasticsearch/cli';
import { bundleForNode } from '@mesos-elasticsearch/local/testing';
import { COMMAND } from '../e2e/demo-run.ts';
import { FAULT_TABLE } from './rows/table.ts';
import { openField, type Field } from './run/field.ts';
import { runRow } from './run/run-row.ts';
import { whyNotHere } from './run/requirements.ts';

const why = await whyNotHere(COMMAND);
const chosen = FAULT_TABLE.filter(({ always }) => always);

describe.skipIf(why !== undefined)(`the fault table${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  const undo = new Undo();
  let field: Field;

  beforeAll(async () => {
    const auditorProgram = await bundleForNode(
      fileURLToPath(new URL('./auditor/main.ts', import.meta.url)),
      'auditor.mjs',
    );
    undo.add('the bundle', () => rm(dirname(auditorProgram), { recursive: true }));
    const interrupt = new AbortController();
    field = await openField('plain', {
      command: COMMAND,
      auditorProgram,
      undo,
      interrupt,
      tell: () => undefined,
    });
  });
  afterAll(async () => {
    expect(await undo.run(() => undefined)).toEqual([]);
  });

  it.each(chosen.map((row, turn) => [row.name, row, turn] as const))('%s', async (_, row, turn) => {
    const result = await runRow(field, row, turn);
    expect(result.misses).toEqual([]);
    expect(result.documents.found).toBe(result.documents.acknowledged);
    expect(result.documents.acknowledged).toBeGreaterThan(0);
  });
});
