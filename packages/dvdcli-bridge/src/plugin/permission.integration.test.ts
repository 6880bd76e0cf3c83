/** What a user is told who may not use a plugin, seen through the `dvdcli` command run as another user. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPrograms } from '../testing/bundles.ts';
import { startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';

const NOBODY = 65534;
const unavailable = process.getuid?.() === 0 ? undefined : 'only root can become another user';
const title = unavailable === undefined ? 'another user' : `another user (skipped: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(title, () => {
  let home: string;
  let dvdcli: string;
  let plugin: ScriptedPlugin;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'permission-'));
    chmodSync(home, 0o755);
    ({ dvdcli } = await buildPrograms(home));
    plugin = await startScriptedPlugin(join(home, 'closed'), 'x');
    chmodSync(join(home, 'closed'), 0o700);
  });
  afterAll(async () => {
    await plugin.stop();
    rmSync(home, { recursive: true, force: true });
  });

  function list(directory: string): { code: number | null; says: string; tookMs: number } {
    const started = performance.now();
    const run = spawnSync(process.execPath, [dvdcli, 'list', '--volumedriver=x'], {
      env: { VOLUME_PLUGIN_DIRECTORIES: directory },
      uid: NOBODY,
      gid: NOBODY,
      cwd: '/',
      encoding: 'utf8',
    });
    return { code: run.status, says: run.stderr, tookMs: performance.now() - started };
  }

  it('edge case 3: is told that the plugin directory may not be read, at once', () => {
    const { code, says, tookMs } = list(join(home, 'closed'));
    expect(code).toBe(1);
    expect(says).toContain(`the plugin directory ${join(home, 'closed')} may not be read by this user`);
    // A directory does not change its mode by waiting; a missing plugin is tried for 5 s.
    expect(tookMs).toBeLessThan(4_000);
  });
  it('edge case 3: is told which file may not be read', () => {
    const directory = join(home, 'etc');
    mkdirSync(directory);
    writeFileSync(join(directory, 'x.spec'), 'unix:///x.sock', { mode: 0o600 });
    const { code, says } = list(directory);
    expect(code).toBe(1);
    expect(says).toContain(`${join(directory, 'x.spec')} may not be read by this user`);
  });
  it('edge case 3: is told that the socket may not be used, at once', async () => {
    const directory = join(home, 'run');
    const closed = await startScriptedPlugin(directory, 'x');
    chmodSync(join(directory, 'x.sock'), 0o600);
    const { code, says, tookMs } = list(directory);
    await closed.stop();
    expect(code).toBe(1);
    expect(says).toContain('EACCES');
    expect(tookMs).toBeLessThan(4_000);
  });
});
