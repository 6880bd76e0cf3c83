/** kill -9 of the executor around each write that says what a volume is: see `MigrationWorld` for what is real here. */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { COPY_MARKER_FILE, MARKER_FILE, VOLUME_ROLES } from '@mesos-elasticsearch/contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleExecutor, bundleHostdir } from '../testing/bundles.ts';
import { at, finished, markerAt, MigrationWorld, stagesOf } from '../testing/migration-world.ts';
import { treeOf } from '../testing/volume-tree.ts';

let programs: { executor: string; hostdir: string };
let world: MigrationWorld;
beforeAll(async () => {
  programs = { executor: await bundleExecutor(), hostdir: await bundleHostdir() };
});
beforeEach(async () => {
  world = await MigrationWorld.start(programs);
});
afterEach(() => world.stop());
afterAll(async () => {
  for (const program of Object.values(programs)) await rm(dirname(program), { recursive: true, force: true });
});

const WITHIN_MS = 30_000;
const oldMarker = (role: 'config' | 'data') => {
  try {
    return readFileSync(world.inStore('hostdir', role, MARKER_FILE), 'utf8');
  } catch {
    return '';
  }
};
const has = (role: 'config' | 'data', file: string) => existsSync(world.inStore('other', role, file));
const isWhole = (role: 'config' | 'data') => has(role, MARKER_FILE) && !has(role, COPY_MARKER_FILE);

describe('an executor that is killed', () => {
  it.each([
    ['when the first old volume is claimed', () => oldMarker('config').includes('"epoch":4')],
    ['when the first copy is marked', () => has('config', COPY_MARKER_FILE)],
    ['when the first copy has both markers', () => has('config', MARKER_FILE)],
    ['when the first copy is whole, and the second is not', () => isWhole('config')],
    ['when both copies are whole', () => isWhole('config') && isWhole('data')],
    ['when the first old volume says where its data is', () => oldMarker('config').includes('movedTo')],
  ])('%s leaves what the next task makes whole', async (_, moment) => {
    await world.lived(at('hostdir'), 3);
    const before = treeOf(world.inStore('hostdir', 'data'));
    const executor = await world.migrate(4);
    const began = performance.now();
    while (!moment()) {
      await nextTurn();
      if (performance.now() - began > WITHIN_MS)
        throw new Error(`never came: ${stagesOf(executor).join(', ')}`);
    }
    executor.process.kill('SIGKILL');
    expect(treeOf(world.inStore('hostdir', 'data'))).toEqual(before);
    // At no time is there content that nothing says anything about.
    for (const role of VOLUME_ROLES) {
      const bare = existsSync(world.inStore('other', role, 'nodes'));
      if (bare) expect(has(role, MARKER_FILE) || has(role, COPY_MARKER_FILE)).toBe(true);
    }
    await finished(await world.migrate(5, { spec: { formerConsumers: ['elasticsearch-1.4'] } }));
    for (const role of VOLUME_ROLES) {
      expect(isWhole(role)).toBe(true);
      expect(markerAt(world.inStore('other', role))).toMatchObject({ epoch: 5, role });
      expect(markerAt(world.inStore('hostdir', role))).toMatchObject({
        epoch: 5,
        movedTo: { driver: 'other' },
      });
      expect(treeOf(world.inStore('other', role))).toEqual(treeOf(world.inStore('hostdir', role)));
    }
    expect(treeOf(world.inStore('hostdir', 'data'))).toEqual(before);
    expect(world.stillAttached()).toEqual([]);
  });
});
