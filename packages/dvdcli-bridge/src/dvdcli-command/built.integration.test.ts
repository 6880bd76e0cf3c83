/** The file that is installed, as `npm run build` makes it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const BUILT = fileURLToPath(new URL('../../dist/dvdcli.mjs', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'built-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('the built command, in place of the original,', () => {
  const directory = (type: string | undefined): string => {
    const path = mkdtempSync(join(home, 'bin-'));
    if (type !== undefined) writeFileSync(join(path, 'package.json'), JSON.stringify({ type }));
    return path;
  };
  const version = (program: string): string => execFileSync(program, ['version'], { encoding: 'utf8' });

  it.each([undefined, 'module', 'commonjs'])('runs as a copy beside a package.json of type %s', (type) => {
    for (const name of ['dvdcli', 'dvdcli.mjs', 'dvdcli.cjs', 'dvdcli.js']) {
      const program = join(directory(type), name);
      copyFileSync(BUILT, program);
      expect(version(program)).toContain(`Binary: ${program}\n`);
    }
  });

  it('runs by a link', () => {
    const program = join(directory(undefined), 'dvdcli');
    symlinkSync(BUILT, program);
    expect(version(program)).toContain(`Binary: ${program}\n`);
  });
});
