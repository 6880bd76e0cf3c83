/** One row of each class of the fault table, on warm clusters. `npm run faults` runs them all. */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Undo } from '@mesos-elasticsearch/cli';
import { bundleForNode } from '@mesos-elasticsearch/local/testing';
import { COMMAND } from '../e2e/demo-run.ts';
import { FAULT_CLASSES, type ClusterKind } from './rows/row.ts';
import { FAULT_TABLE } from './rows/table.ts';
import { openField, type Field } from './run/field.ts';
import { runRow } from './run/run-row.ts';
import { whyNotHere } from './run/requirements.ts';

const why = await whyNotHere(COMMAND);
const KINDS: readonly ClusterKind[] = ['plain', 'revocable'];
const chosen = FAULT_TABLE.filter(({ always }) => always);

let auditorProgram: string;
beforeAll(async () => {
  auditorProgram = await bundleForNode(
    fileURLToPath(new URL('./auditor/main.ts', import.meta.url)),
    'auditor.mjs',
  );
});
afterAll(() => rm(dirname(auditorProgram), { recursive: true }));

it('has a row of each class', () => {
  expect([...new Set(chosen.map((row) => row.class))].sort()).toEqual([...FAULT_CLASSES].sort());
});

describe.skipIf(why !== undefined)(`the fault table${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  describe.each(KINDS)('on the %s cluster', (kind) => {
    const undo = new Undo();
    let field: Field;

    beforeAll(async () => {
      const interrupt = new AbortController();
      const tell = () => undefined;
      field = await openField(kind, { command: COMMAND, auditorProgram, undo, interrupt, tell });
    });
    afterAll(async () => {
      expect(await undo.run(() => undefined)).toEqual([]);
    });

    const rows = chosen.filter(({ cluster }) => cluster === kind);
    it.each(rows.map((row, turn) => [row.name, row, turn] as const))('%s', async (_, row, turn) => {
      const result = await runRow(field, row, turn);
      expect(result.misses).toEqual([]);
      expect(result.documents.found).toBe(result.documents.acknowledged);
      expect(result.documents.acknowledged).toBeGreaterThan(0);
    });
  });
});
