/** A driver that mounts, and whose file system then hangs: the command has to end all the same. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isMountPoint, readMountTable } from '../mount-table.ts';
import { PLUGIN_DIRECTORIES_VARIABLE } from '../plugin/find-plugin.ts';
import { rcloneUnavailable } from '../testing/availability.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';

const unavailable = rcloneUnavailable();
const title = 'a mountpoint on a file system that hangs';

describe.skipIf(unavailable !== undefined)(
  unavailable === undefined ? title : `${title} (skipped: ${unavailable})`,
  () => {
    const scratch = mkdtempSync(join(tmpdir(), 'hung-'));
    const mountpoint = join(scratch, 'mountpoint');
    let server: ReturnType<typeof startRclone>;
    let plugin: ScriptedPlugin;

    beforeEach(async () => {
      for (const directory of ['remote', 'mountpoint']) mkdirSync(join(scratch, directory));
      server = startRclone(join(scratch, 'remote'), mountpoint);
      await vi.waitFor(() => expect(isMountPoint(readMountTable(), mountpoint)).toBe(true), 20_000);
      plugin = await startScriptedPlugin(join(scratch, 'plugins'), 'hung');
      plugin.script('Get', { json: { Volume: { Name: 'vol1', Mountpoint: '' } } });
      plugin.script('Mount', { json: { Mountpoint: mountpoint } });
    });
    afterEach(async () => {
      await plugin.stop();
      server.kill('SIGCONT');
      await execa('fusermount3', ['-u', '-z', mountpoint], { reject: false });
      server.kill('SIGKILL');
      await server;
      rmSync(scratch, { recursive: true, force: true });
    });

    it('is waited for within the time limit, and not taken for mounted', async () => {
      const { dvdcli } = await buildPrograms(scratch);
      const mount = () =>
        execa(dvdcli, ['mount', '--volumedriver=hung', '--volumename=vol1', '--timeout=2s'], {
          stdin: 'ignore',
          reject: false,
          timeout: 30_000,
          killSignal: 'SIGKILL',
          env: { [PLUGIN_DIRECTORIES_VARIABLE]: join(scratch, 'plugins') },
        });
      expect(await mount()).toMatchObject({ exitCode: 0, stdout: mountpoint });
      server.kill('SIGSTOP');
      const hung = await mount();
      expect(hung).toMatchObject({ exitCode: 1, stdout: '', timedOut: false });
      expect(hung.stderr).toContain('does not answer');
      // It may come back, and somebody may use it by then: what was mounted is left as it is.
      expect(plugin.calls.map(({ method }) => method)).not.toContain('VolumeDriver.Unmount');
    });
  },
);

/** Without caches, so that every look at it is a question to this process. */
function startRclone(remote: string, mountpoint: string) {
  const flags = ['--attr-timeout', '0s', '--dir-cache-time', '0s', '--config', '/dev/null'];
  return execa('rclone', ['mount', remote, mountpoint, ...flags], { reject: false, stdio: 'ignore' });
}
