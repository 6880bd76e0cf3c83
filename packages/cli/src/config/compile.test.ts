import { describe, expect, it } from 'vitest';
import { compileOptions } from './compile.ts';
import { loadSettings } from './load.ts';

const NO_FILES = {
  secret: undefined,
  elasticsearchSettings: undefined,
  keystore: {},
  zookeeperCredentials: undefined,
  elasticsearchAccess: {},
};

function compiled(flags: Record<string, string>) {
  const enough = { master: 'm1:5050', stateDirectory: '/state', externalVolumeDriver: 'rexray' };
  const loaded = loadSettings({ flags: new Map(Object.entries({ ...enough, ...flags })), environment: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return compileOptions(loaded.settings, NO_FILES, {
    hostName: 'here',
    executorBundle: '/executor.mjs',
    masters: ['http://m1:5050'],
  });
}

describe('the driver that volumes are to be moved to', () => {
  const move = (flags: Record<string, string>, driver: string, options: Record<string, string> = {}) =>
    compiled(flags).driverFaults?.({ driver, options }).join('\n');

  it('is looked at as the one that the cluster is started with', () => {
    expect(move({}, 'rexray', { size: '10' })).toBe('');
    expect(move({}, 'acme', { anything: 'goes' })).toBe('');
    expect(move({}, 'rexray', { overwriteFS: 'true' })).toMatch(/formats a volume that has data/);
    expect(move({}, 'rclone', { remote: 'store:{volume}' })).toMatch(/vfs-cache-mode is missing/);
  });

  it('must revoke where a node is taken over on the word that its driver does', () => {
    const word = { suspectPolicy: 'preempt', driverRevokes: 'true' };
    expect(move(word, 'acme')).toBe('');
    expect(move(word, 'hostdir')).toMatch(/driverRevokes/);
  });
});
