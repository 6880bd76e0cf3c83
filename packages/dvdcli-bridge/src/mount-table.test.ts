import { describe, expect, it } from 'vitest';
import {
  isMountPoint,
  locateInFileSystem,
  mountThatCarries,
  parseMountTable,
  placesInFileSystems,
  topMountAt,
} from './mount-table.ts';

const TABLE = parseMountTable(
  [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '40 22 8:1 /store/volumes/a1/data /data rw,relatime - ext4 /dev/sda1 rw',
    '41 22 0:60 / /mnt/with\\040blank ro,nosuid - fuse.rclone :local:/x rw,user_id=0',
    '42 22 8:2 / /disk rw - ext4 /dev/sdb ro,errors=remount-ro',
    '43 40 0:61 / /data rw - tmpfs none rw',
    'nonsense',
    '',
  ].join('\n'),
);

describe('the mount table', () => {
  it('is read with blanks, roots and what is read-only, here or as a whole', () => {
    expect(TABLE.map(({ mountPoint, root, readOnly }) => [mountPoint, root, readOnly])).toEqual([
      ['/', '/', undefined],
      ['/data', '/store/volumes/a1/data', undefined],
      ['/mnt/with blank', '/', true],
      ['/disk', '/', true],
      ['/data', '/', undefined],
    ]);
  });

  it('knows what lies on top', () => {
    expect(topMountAt(TABLE, '/data')).toMatchObject({ device: '0:61', fileSystem: 'tmpfs' });
    expect(topMountAt(TABLE, '/nothing')).toBeUndefined();
    expect(locateInFileSystem(TABLE, '/store/volumes')).toEqual({ device: '8:1', path: '/store/volumes' });
  });

  it('does not see through a mount that was made later over a directory above', () => {
    const table = parseMountTable(
      [
        '22 1 8:1 / / rw - ext4 /dev/sda1 rw',
        '30 22 0:50 / /mnt/volume rw - fuse x rw',
        '31 22 0:60 / /mnt rw - tmpfs x rw',
      ].join('\n'),
    );
    expect(topMountAt(table, '/mnt/volume')).toBeUndefined();
    expect(isMountPoint(table, '/mnt/volume')).toBe(true);
    expect(locateInFileSystem(table, '/mnt/volume/x')).toEqual({ device: '0:60', path: '/volume/x' });
    expect(placesInFileSystems(table, '/mnt/volume')).toEqual([
      { device: '0:50', path: '/' },
      { device: '0:60', path: '/volume' },
    ]);
  });

  it('sees a mount below another one that was made over the same directory', () => {
    const table = parseMountTable(
      [
        '22 1 8:1 / / rw - ext4 /dev/sda1 rw',
        '30 22 0:50 / /mnt rw - fuse x rw',
        '31 30 0:60 / /mnt rw - tmpfs x rw',
        '32 31 0:70 / /mnt/below rw - fuse x rw',
      ].join('\n'),
    );
    expect(mountThatCarries(table, '/mnt/below/x')?.device).toBe('0:70');
    expect(mountThatCarries(table, '/mnt/beside')?.device).toBe('0:60');
  });
});
