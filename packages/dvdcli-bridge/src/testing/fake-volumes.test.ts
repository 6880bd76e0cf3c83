import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import type { ConsumerId } from '../volumes.ts';
import { fakeStore, fakeVolumes } from './fake-volumes.ts';
import { volumesContract } from './volumes-contract.ts';

volumesContract('the in-memory double', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fake-'));
  const store = fakeStore();
  const volumes = fakeVolumes({ directory, store });
  return {
    volumes,
    restarted: () => fakeVolumes({ directory, store }),
    elsewhere: fakeVolumes({ directory, store, machine: 'machine2' }),
    driver: 'fake',
    optionsFor: () => ({}),
    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
});

describe('faults on demand', () => {
  it('tells an attach that happened late from one that did not happen', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fake-'));
    const volumes = fakeVolumes({ directory });
    const volume = { name: volumeName('es1data'), driver: 'fake', options: {} };
    await volumes.ensure(volume);
    volumes.failNext('attach', 'unknown', 'late');
    const task = 'task' as ConsumerId;
    expect((await volumes.attach(volume, task)).kind).toBe('unknown');
    expect(volumes.store.events).toEqual([]);
    expect((await volumes.attach(volume, task)).kind).toBe('unknown');
    expect(volumes.store.events).toHaveLength(1);
    expect((await volumes.attach(volume, task)).kind).toBe('done');
    rmSync(directory, { recursive: true, force: true });
  });
});
