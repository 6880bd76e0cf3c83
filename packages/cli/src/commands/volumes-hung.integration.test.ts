/** A FUSE file system that hangs for real, its program stopped: the command ends all the same, with its exit code. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  rcloneUnavailable,
  startScriptedPlugin,
  type ScriptedPlugin,
} from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { bundleCommand } from '../testing/bundle-command.ts';
import { EXIT } from './exit-code.ts';

const unavailable = rcloneUnavailable();
const home = mkdtempSync(join(tmpdir(), 'hung-'));
const mountpoint = join(home, 'mount');
const running: { fuse?: ChildProcess; plugin?: ScriptedPlugin } = {};
let command: string;

beforeAll(async () => {
  if (unavailable !== undefined) return;
  command = await bundleCommand(home);
  const remote = join(home, 'remote');
  for (const directory of [remote, mountpoint]) mkdirSync(directory);
  writeFileSync(join(remote, 'document'), 'there');
  running.fuse = spawn('rclone', ['mount', `:local:${remote}`, mountpoint, '--config', '/dev/null'], {
    stdio: 'ignore',
  });
  await vi.waitFor(() => expect(existsSync(join(mountpoint, 'document'))).toBe(true), 10_000);
  running.plugin = await startScriptedPlugin(join(home, 'plugins'), 'frozen');
  running.plugin.script('Get', { json: { Volume: { Name: 'vol', Mountpoint: mountpoint } } });
  running.plugin.script('Mount', { json: { Mountpoint: mountpoint } });
  running.fuse.kill('SIGSTOP');
});
afterAll(async () => {
  const { fuse, plugin } = running;
  await plugin?.stop();
  if (fuse !== undefined) {
    const ended = once(fuse, 'exit');
    fuse.kill('SIGCONT');
    fuse.kill('SIGTERM');
    await ended;
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(home);
  }
  rmSync(home, { recursive: true, force: true });
});

const title = unavailable === undefined ? '' : ` (skipped: ${unavailable})`;
describe.skipIf(unavailable !== undefined)(`a file system that hangs${title}`, () => {
  const run = (...words: string[]) =>
    execa(process.execPath, [command, 'volumes', ...words, '--driver', 'frozen'], {
      reject: false,
      env: { VOLUME_PLUGIN_DIRECTORIES: join(home, 'plugins'), DOCKER_HOST: `unix://${home}/none.sock` },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });

  it('is not taken for mounted, and does not keep the command from ending', async () => {
    const { exitCode, stdout, stderr } = await run('mount', 'vol');
    expect(stderr).toMatch(/does not answer[^]*may have happened/);
    expect([exitCode, stdout]).toEqual([EXIT.unknown, '']);
  });

  it('has a marker that nobody can see', async () => {
    const { exitCode, stdout } = await run('inspect', 'vol');
    expect(stdout).toMatch(/mounted here: .*fuse\.rclone/);
    expect(stdout).toMatch(/marker: .*not seen: the file system at .* does not answer/);
    expect(exitCode).toBe(EXIT.done);
  });
});
