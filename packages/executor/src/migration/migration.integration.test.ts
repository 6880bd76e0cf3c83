/** Whole migrations, from one driver to another and back: see `MigrationWorld` for what is real here. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  COPY_MARKER_FILE,
  epoch,
  MARKER_FILE,
  nodeId,
  VOLUME_ROLES,
  type MigrationReport,
  type VolumeRole,
} from '@mesos-elasticsearch/contract';
import { rcloneVolumeOptions, startRclonePlugin } from '@mesos-elasticsearch/dvdcli-bridge';
import { rcloneUnavailable } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleExecutor, bundleHostdir } from '../testing/bundles.ts';
import {
  at,
  finished,
  markerAt,
  MigrationWorld,
  NODE_UID,
  stagesOf,
  type Places,
} from '../testing/migration-world.ts';
import { addPeculiar, treeOf } from '../testing/volume-tree.ts';

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

const dataOf = (report: MigrationReport) => report.volumes.find(({ role }) => role === 'data');

describe('from one hostdir store to another', () => {
  it('copies, verifies, marks, and lets everything go', async () => {
    await world.lived(at('hostdir'), 3);
    addPeculiar(world.inStore('hostdir', 'data'), NODE_UID);
    const executor = await world.migrate(4);
    const report = await finished(executor);
    expect(report).toMatchObject({ nodeId: 1, epoch: 4, stage: 'verified' });
    const data = dataOf(report);
    expect(data?.bytesTotal).toBeGreaterThan(60_000_000);
    expect(data).toMatchObject({ bytesCopied: data?.bytesTotal, bytesVerified: data?.bytesTotal });
    expect(stagesOf(executor)).toEqual(['attaching', 'copying', 'flushing', 'verifying', 'verified']);
    for (const role of VOLUME_ROLES) {
      const [from, to] = [world.inStore('hostdir', role), world.inStore('other', role)];
      expect(treeOf(to)).toEqual(treeOf(from));
      expect(markerAt(from)).toMatchObject({ epoch: 4, role });
      expect(markerAt(to)).toMatchObject({ epoch: 4, role, nodeId: 1 });
      expect(markerAt(to).volumeIdentity).not.toBe(markerAt(from).volumeIdentity);
      expect(existsSync(join(to, COPY_MARKER_FILE))).toBe(false);
    }
    expect(await world.leases.read(nodeId(1), epoch(4))).toMatchObject({ state: 'given-back' });
    expect(world.stillAttached()).toEqual([]);
  });

  it('says it again when nobody heard that it had finished', async () => {
    await world.lived(at('hostdir'), 3);
    await finished(await world.migrate(4));
    const report = await finished(await world.migrate(5));
    expect(report.stage).toBe('verified');
    expect(markerAt(world.inStore('other', 'data'))).toMatchObject({ epoch: 5 });
  });

  it('goes back over the former volumes only where that was ordered', async () => {
    await world.lived(at('hostdir'), 3);
    await finished(await world.migrate(4));
    // The node ran on the new ones in epoch 5.
    for (const role of VOLUME_ROLES) {
      const marker = { ...markerAt(world.inStore('other', role)), epoch: 5 };
      writeFileSync(world.inStore('other', role, MARKER_FILE), JSON.stringify(marker));
    }
    writeFileSync(world.inStore('other', 'data', 'nodes/0/written-since'), 'new');
    const back = { from: at('other'), to: at('hostdir') };
    const refused = await world.migrate(6, back);
    expect((await refused.status('TASK_FAILED')).message).toContain('it has older data of this node');
    await refused.exited;
    await finished(await world.migrate(7, { ...back, overwriteFormer: true }));
    expect(treeOf(world.inStore('hostdir', 'data'))).toEqual(treeOf(world.inStore('other', 'data')));
    expect(readFileSync(world.inStore('hostdir', 'data', 'nodes/0/written-since'), 'utf8')).toBe('new');
  });

  it('refuses what is not ours, leaves it as it is, and lets everything go', async () => {
    await world.lived(at('hostdir'), 3);
    await world.lived(at('other'), 9);
    const before = treeOf(world.inStore('other', 'data'));
    const executor = await world.migrate(4);
    expect((await executor.status('TASK_FAILED')).message).toContain('newer than ours (4)');
    await executor.exited;
    expect(treeOf(world.inStore('other', 'data'))).toEqual(before);
    expect(markerAt(world.inStore('hostdir', 'data'))).toMatchObject({ epoch: 3 });
    expect(world.stillAttached()).toEqual([]);
  });

  it('refuses one store under two names', async () => {
    await world.lived(at('hostdir'), 3);
    const executor = await world.migrate(4, { to: { ...at('other'), data: at('hostdir').data } });
    expect((await executor.status('TASK_FAILED')).message).toContain('to itself');
    await executor.exited;
  });
});

const noRclone = rcloneUnavailable() ?? (process.getuid?.() === 0 ? undefined : 'needs root');
describe.skipIf(noRclone !== undefined)(
  `from hostdir to rclone and back${noRclone === undefined ? '' : ` (skipped: ${noRclone})`}`,
  () => {
    const remote = (role: VolumeRole) => join(world.root, 'remote', role);
    const atRclone = (): Places => {
      const options = (role: VolumeRole) =>
        rcloneVolumeOptions({ directory: remote(role), uid: NODE_UID, gid: NODE_UID, writeBackMs: 3_000 });
      return {
        config: { name: 'elasticsearch1config', driver: 'rclone', options: options('config') },
        data: { name: 'elasticsearch1data', driver: 'rclone', options: options('data') },
      };
    };
    beforeEach(async () => {
      for (const role of VOLUME_ROLES) await mkdir(remote(role), { recursive: true });
      world.plugins.push(
        await startRclonePlugin({
          directory: join(world.root, 'rclone'),
          pluginDirectory: join(world.root, 'plugins'),
        }),
      );
    });

    it('has reached the remote when it says that it is verified, and comes back', async () => {
      await world.lived(at('hostdir'), 3);
      const report = await finished(await world.migrate(4, { to: atRclone() }));
      expect(treeOf(remote('data'), 'content')).toEqual(treeOf(world.inStore('hostdir', 'data'), 'content'));
      expect(markerAt(remote('data'))).toMatchObject({ epoch: 4 });
      expect(existsSync(join(remote('data'), COPY_MARKER_FILE))).toBe(false);
      const kept = dataOf(report)?.notKept ?? [];
      expect(kept.map((what) => what.split(' ')[0])).toEqual(expect.arrayContaining(['modes', 'times']));
      expect(await world.volumes.list('rclone')).toMatchObject({ kind: 'done', value: { length: 2 } });
      await rm(join(world.root, 'hostdir'), { recursive: true });
      await world.plugins[0]!.stop();
      await world.startHostdir('hostdir');
      await finished(await world.migrate(5, { from: atRclone(), to: at('hostdir') }));
      expect(treeOf(world.inStore('hostdir', 'data'), 'content')).toEqual(treeOf(remote('data'), 'content'));
      expect(world.stillAttached()).toEqual([]);
    });

    it('says what rclone cannot hold, before anything runs on it', async () => {
      await world.lived(at('hostdir'), 3);
      addPeculiar(world.inStore('hostdir', 'data'), NODE_UID);
      const executor = await world.migrate(4, { to: atRclone() });
      expect((await executor.status('TASK_FAILED')).message).toMatch(
        /the copy to volume elasticsearch1data of driver rclone \(new-data\) fails \(at current\).*symlink/,
      );
      await executor.exited;
      expect(world.stillAttached()).toEqual([]);
    });
  },
);
