/** A slice of what `npm run fuzz` does, from a new seed each time; it is printed, and a fault names its stream. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildPrograms } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { fuzzInProcess } from './in-process.ts';
import { fuzzCommand } from './whole-command.ts';
import { fuzzProgram } from './whole-program.ts';

const seed = Date.now() % 1_000_000_007;
const scratch = mkdtempSync(join(tmpdir(), 'fuzz-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe(`fuzzed with seed ${seed}`, () => {
  it('no parser throws, hangs or says that something was done which was not: 50,000 inputs', () => {
    expect(fuzzInProcess(seed, 50_000)).toEqual([]);
  });
  it('the command ends with 0, 1 or 64 and prints nothing wrong, whatever a plugin says: 50 runs', async () => {
    const { dvdcli } = await buildPrograms(scratch);
    expect(await fuzzCommand(dvdcli, join(scratch, 'command'), seed, 50)).toEqual([]);
  });
  it('the dvdcli path attaches nothing that was not mounted, whatever a program prints: 50 runs', async () => {
    expect(await fuzzProgram(join(scratch, 'program'), seed, 50)).toEqual([]);
  });
});
