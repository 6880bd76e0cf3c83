/** Migrations that are cut off in the middle: see `MigrationWorld` for what is real here. */
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { COPY_MARKER_FILE, epoch, MARKER_FILE, nodeId } from '@mesos-elasticsearch/contract';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleExecutor, bundleHostdir } from '../testing/bundles.ts';
import { at, finished, MigrationWorld } from '../testing/migration-world.ts';
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

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 25) {
    if (await condition()) return;
    await delay(25);
  }
  throw new Error(`never happened: ${what}`);
}

describe('a copy that is interrupted', () => {
  /** Large enough for a copier to be met at work: its blocks are all data. */
  const enlarge = () => {
    for (let part = 0; part < 6; part += 1) {
      writeFileSync(
        world.inStore('hostdir', 'data', `nodes/0/large-${String(part)}`),
        Buffer.alloc(64 * 1024 * 1024, part + 1),
      );
    }
  };
  const atWork = () =>
    until('the copy is at work', () => existsSync(world.inStore('other', 'data', 'nodes/0/large-0')));
  const stopCopiers = async () => {
    const pids = await world.copiers();
    expect(pids).not.toEqual([]);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
  };

  it('by KILL: is let go where it was, and goes on in the next epoch', async () => {
    await world.lived(at('hostdir'), 3);
    enlarge();
    const executor = await world.migrate(4);
    await atWork();
    expect(world.stillAttached()).toHaveLength(4);
    executor.kill();
    expect((await executor.status('TASK_KILLED')).message).toBe(
      'killed on request; the copy goes on where it was',
    );
    await executor.exited;
    expect(await world.copiers()).toEqual([]);
    expect(existsSync(world.inStore('other', 'data', COPY_MARKER_FILE))).toBe(true);
    expect(existsSync(world.inStore('other', 'data', MARKER_FILE))).toBe(false);
    expect(world.stillAttached()).toEqual([]);
    await finished(await world.migrate(5));
    expect(treeOf(world.inStore('other', 'data'))).toEqual(treeOf(world.inStore('hostdir', 'data')));
  });

  it('by the death of its executor: the guard ends the copier at the deadline, and the next task resumes', async () => {
    await world.lived(at('hostdir'), 3);
    enlarge();
    const executor = await world.migrate(4, { durationMs: 6_000 });
    await atWork();
    executor.process.kill('SIGKILL');
    await stopCopiers();
    // It cannot end by itself, and nobody but the guard is left to do it.
    await until('the copier is gone', async () => (await world.copiers()).length === 0);
    const next = await world.migrate(5, { spec: { formerConsumers: ['elasticsearch-1.4'] } });
    await finished(next);
    expect(treeOf(world.inStore('other', 'data'))).toEqual(treeOf(world.inStore('hostdir', 'data')));
    expect(world.stillAttached()).toEqual([]);
  });

  it('by the death of its executor: the next task on that agent ends the copier before it attaches', async () => {
    await world.lived(at('hostdir'), 3);
    enlarge();
    const executor = await world.migrate(4);
    await atWork();
    executor.process.kill('SIGKILL');
    await stopCopiers();
    await finished(await world.migrate(5, { spec: { formerConsumers: ['elasticsearch-1.4'] } }));
    expect(await world.copiers()).toEqual([]);
    expect(treeOf(world.inStore('other', 'data'))).toEqual(treeOf(world.inStore('hostdir', 'data')));
  });

  it('by a freeze of its executor: the guard ends the copier meanwhile, and thawed it has lost', async () => {
    await world.lived(at('hostdir'), 3);
    enlarge();
    const executor = await world.migrate(4, { durationMs: 6_000 });
    await atWork();
    executor.process.kill('SIGSTOP');
    await stopCopiers();
    await until('the copier is gone', async () => (await world.copiers()).length === 0);
    executor.process.kill('SIGCONT');
    const { message } = await executor.status('TASK_FAILED');
    expect(message).toMatch(/could not be renewed in time|the copy was ended: killed deadline/);
    await executor.exited;
    expect(world.stillAttached()).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    `by a volume that is full${process.getuid?.() === 0 ? '' : ' (skipped: needs root)'}: says so, and goes on where there is room`,
    async () => {
      await world.lived(at('hostdir'), 3);
      const store = join(world.root, 'small');
      await mkdir(store);
      await execa('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=755', 'tmpfs', store]);
      try {
        await world.startHostdir('small');
        const executor = await world.migrate(4, { to: at('small') });
        expect((await executor.status('TASK_FAILED')).message).toContain(
          'volume elasticsearch1data of driver small (new-data) is full (ENOSPC)',
        );
        await executor.exited;
        expect(world.stillAttached()).toEqual([]);
        await execa('mount', ['-o', 'remount,size=16m', store]);
        await finished(await world.migrate(5, { to: at('small') }));
        expect(treeOf(world.inStore('small', 'data'))).toEqual(treeOf(world.inStore('hostdir', 'data')));
        await world.plugins.pop()?.stop();
      } finally {
        await execa('umount', ['-l', store]);
      }
    },
  );

  it('by the loss of its lease: it ends, and says so', async () => {
    await world.lived(at('hostdir'), 3);
    enlarge();
    const executor = await world.migrate(4, { durationMs: 6_000 });
    await atWork();
    await world.leases.closeEpoch(nodeId(1), epoch(4));
    expect((await executor.status('TASK_FAILED')).message).toContain('was closed by the scheduler');
    await executor.exited;
    expect(await world.copiers()).toEqual([]);
    expect(existsSync(world.inStore('other', 'data', COPY_MARKER_FILE))).toBe(true);
  });
});
