/**
 * The hostile driver through the built command, each call a process of its own. All of it takes minutes: here each
 * misbehaviour at one verb, another one with every seed; HOSTILE=all runs every one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';
import { PLUGIN_DIRECTORIES_VARIABLE } from '../plugin/find-plugin.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { MISBEHAVIOURS } from '../testing/hostile-plugin.ts';
import { HOSTILE_VERBS, hostileSuite } from '../testing/hostile-suite.ts';
import { dvdcliVolumes } from './volumes.ts';

/** A process must have started and ended by then on a busy machine; a driver that hangs costs it at every call. */
const LIMIT_MS = 1_500;

vi.setConfig({ testTimeout: 180_000 });
const scratch = mkdtempSync(join(tmpdir(), 'hostile-dvdcli-'));
const { dvdcli: program } = await buildPrograms(scratch);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The command asks for no capabilities. */
const VERBS = HOSTILE_VERBS.filter((verb) => verb !== 'Capabilities');
const seed = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 1_000);
const all = process.env['HOSTILE'] === 'all';
const wanted = all ? VERBS.length : 1;
const first = Math.floor(seed / VERBS.length) % 2;
const BOTH = ['lists who mounts', 'does not'] as const;
const faults = MISBEHAVIOURS.flatMap((how, row) =>
  VERBS.filter((_, index) => (index + row + seed) % VERBS.length < wanted).map((verb) => ({ verb, how })),
);

hostileSuite(`dvdcli (HOSTILE_SEED=${seed})`, {
  open: (directory, plugin) =>
    dvdcliVolumes({
      program,
      env: { [PLUGIN_DIRECTORIES_VARIABLE]: directory },
      timeLimits: { mountMs: LIMIT_MS, createMs: LIMIT_MS, otherMs: LIMIT_MS },
      mountTable: () => plugin().mountTable(),
      otherMountTables: () => [],
    }),
  mountId: '',
  longestMs: 60_000,
  faults,
  drivers: all ? BOTH : BOTH.slice(first, first + 1),
  rounds: 1,
  // The command does not tell who mounts, so any driver may be one whose volumes are plain directories.
  invisible: ({ verb, how, what }) => verb === 'Mount' && how === 'pretend' && what.startsWith('attach'),
});
