/** A driver that has one mount of a volume, whoever asks, and does not tell who did: two processes with one mount ledger. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import { pluginSocketVolumes } from '../plugin-socket/volumes.ts';
import { startRexrayLikePlugin, type RexrayLikePlugin } from '../testing/rexray-like-plugin.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { openMountLedger } from './ledger.ts';
import { recorded } from './recorded.ts';
import { recover } from './recover.ts';

const spec: VolumeSpec = { name: volumeName('es1data'), driver: 'rexray', options: {} };
const [one, two] = ['node.1', 'node.2'] as unknown as [ConsumerId, ConsumerId];

describe.each([
  ['counts by name', false],
  ['takes every Unmount for a real one', true],
])('a driver that %s', (_, ignoreUsedCount) => {
  let home: string;
  let plugin: RexrayLikePlugin;
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'one-mount-'));
    plugin = await startRexrayLikePlugin({ directory: home, pluginDirectory: home, ignoreUsedCount });
  });
  afterEach(async () => {
    await plugin.stop();
    rmSync(home, { recursive: true });
  });

  const driver = (): Volumes =>
    pluginSocketVolumes({ directories: [home], mountTable: () => plugin.mountTable() });
  const ledger = () =>
    openMountLedger({
      directory: join(home, 'ledger'),
      mountTable: () => plugin.mountTable(),
      lock: () => Promise.resolve({ assertHeld: () => undefined, release: () => Promise.resolve() }),
    });
  /** As another process has it: nothing is remembered but what is on record. */
  const process = (): Volumes => recorded(driver(), ledger());
  const isMounted = (): boolean =>
    plugin.mountTable().some(({ mountPoint }) => mountPoint.endsWith(`/volumes/${spec.name}`));

  it('does not lose it to a process that goes, and has it unmounted by the last one', async () => {
    const [first, second] = [process(), process()];
    await first.ensure(spec);
    await first.attach(spec, one);
    await second.attach(spec, two);
    expect(await first.detach(spec, one)).toMatchObject({ kind: 'done' });
    expect(isMounted()).toBe(true);
    // One that was thawed after its use had been undone asks again.
    expect(await first.detach(spec, one)).toMatchObject({ kind: 'done' });
    expect(isMounted()).toBe(true);
    expect(await second.detach(spec, two)).toMatchObject({ kind: 'done' });
    expect([isMounted(), ledger().keys()]).toEqual([false, []]);
  });

  it('does not lose it to the recovery of one that is gone', async () => {
    const first = process();
    await first.ensure(spec);
    await first.attach(spec, one);
    await process().attach(spec, two);
    const users = {
      marked: () => Promise.resolve(undefined),
      below: () => Promise.resolve(undefined),
      owner: () => 'gone' as const,
    };
    const forbids = ({ consumer }: { consumer: string }) => (consumer === one ? undefined : 'it runs');
    const report = await recover(ledger(), { volumesFor: driver, users, forbids });
    expect(report.letGo).toMatchObject([{ consumer: one }]);
    expect(isMounted()).toBe(true);
    expect(await process().detach(spec, two)).toMatchObject({ kind: 'done' });
    expect(isMounted()).toBe(false);
  });
});
