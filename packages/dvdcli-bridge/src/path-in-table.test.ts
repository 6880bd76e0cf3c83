import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMountTable } from './mount-table.ts';
import { pathInTable } from './path-in-table.ts';

let home: string;
const table = (...lines: string[]) =>
  parseMountTable(['22 1 8:1 / / rw - ext4 /dev/sda1 rw', ...lines].join('\n'));
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'path-in-table-')));
  mkdirSync(join(home, 'real/volumes'), { recursive: true });
  symlinkSync('real', join(home, 'relative'));
  symlinkSync(join(home, 'relative/volumes'), join(home, 'absolute'));
  symlinkSync('round', join(home, 'round'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('a path as the mount table has it', () => {
  it.each([
    ['real/volumes/es1data', 'real/volumes/es1data'],
    ['relative/volumes/es1data', 'real/volumes/es1data'],
    ['absolute/es1data', 'real/volumes/es1data'],
    ['real/../relative/volumes/missing/es1data', 'real/volumes/missing/es1data'],
    ['round/es1data', 'round/es1data'],
    // The last part may be the volume itself.
    ['absolute', 'absolute'],
  ])('follows the links above it: %s', (said, real) => {
    expect(pathInTable(table(), `${home}/${said}`)).toBe(`${home}/${real}`);
  });

  it('looks at nothing that lies where looking may hang', () => {
    const mounted = table(`30 22 0:50 / ${home}/real rw - fuse.rclone x rw`);
    symlinkSync('volumes', join(home, 'real/link'));
    expect(pathInTable(mounted, `${home}/relative/link/es1data`)).toBe(`${home}/real/link/es1data`);
    const disk = table(`30 22 252:0 / ${home}/real rw - ext4 /dev/vdb rw`);
    const path = `${home}/relative/link/data`;
    expect(pathInTable(disk, path)).toBe(`${home}/real/volumes/data`);
    expect(pathInTable(disk, path, 'real')).toBe(`${home}/real/link/data`);
  });
});
