import { decodeLaunchSpec, encodeLaunchSpec } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { MIGRATION, migrationSpec } from '../testing/launch-specs.ts';
import { volumeAt } from './slots.ts';
import { writesBack } from './write-back.ts';

describe('a volume whose driver writes back', () => {
  it.each([
    ['fuse.rclone', true],
    ['fuse.sshfs', false],
    ['ext4', false],
    [undefined, false],
  ])('is told by what is mounted: %s', (fileSystem, expected) => {
    expect(writesBack(fileSystem)).toBe(expected);
  });

  it('has a view: the same remote and the same owner, under another name, and no cache of any spelling', () => {
    const options = {
      ...{ remote: 's3:bucket/x', uid: '1000', 'allow-other': 'true', vfs_cache_mode: 'full' },
      ...{ 'vfs-cache-max-age': '1h', 'vfs-write-back': '5s', 'dir-cache-time': '5m', attr_timeout: '1h' },
    };
    const data = { name: 'elasticsearch1data', driver: 'rclone', options };
    const to = { ...MIGRATION.to, data };
    const spec = decodeLaunchSpec(encodeLaunchSpec(migrationSpec({ migration: { ...MIGRATION, to } })));
    expect(volumeAt(spec, 'view-data')).toEqual({
      ...{ name: `elasticsearch1data-view-${MIGRATION.id.slice(0, 8)}`, driver: 'rclone' },
      options: {
        ...{ remote: 's3:bucket/x', uid: '1000', 'allow-other': 'true' },
        ...{ 'vfs-cache-mode': 'off', 'dir-cache-time': '1s' },
      },
    });
  });
});
