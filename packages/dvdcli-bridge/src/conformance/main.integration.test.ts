/** The command as a plugin's author runs it: against a driver that is fine, one that lies, and none. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHostdirPlugin, type RunningPlugin } from '../hostdir/start.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { startScriptedEngine, type ScriptedEngine } from '../testing/scripted-engine.ts';
import { startPluginServer, startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';

const home = mkdtempSync(join(tmpdir(), 'conformance-'));
const program = join(home, 'volume-conformance.mjs');
const store = join(home, 'store');
const plugins: RunningPlugin[] = [];

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL('./main.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);const __dirname='.';",
    },
    loader: { '.node': 'empty', '.proto': 'text' },
    external: ['cpu-features'],
    logLevel: 'warning',
  });
  const programs = await buildPrograms(home);
  for (const instance of ['here', 'elsewhere']) {
    const pluginDirectory = join(home, instance);
    plugins.push(await startHostdirPlugin({ program: programs.hostdir, store, instance, pluginDirectory }));
  }
});
afterAll(async () => {
  for (const plugin of plugins) await plugin.stop();
  rmSync(home, { recursive: true, force: true });
});

function conformance(directory: string, ...argv: string[]) {
  return conformanceWith({ VOLUME_PLUGIN_DIRECTORIES: join(home, directory) }, ...argv);
}
function conformanceWith(env: Readonly<Record<string, string>>, ...argv: string[]) {
  return execa(process.execPath, [program, ...argv], { reject: false, env });
}

describe('volume-conformance', () => {
  it('passes a driver that keeps its promises, and leaves nothing behind', async () => {
    const { exitCode, stdout } = await conformance(
      'here',
      ...['--driver', 'hostdir', '--options', 'size=1,at={volume}', '--elsewhere', join(home, 'elsewhere')],
    );
    expect(stdout).toMatch(/^TAP version 13\n1\.\.\d+\n/);
    expect(stdout).not.toMatch(/^not ok/m);
    expect(stdout).toMatch(/^ok \d+ - sharing: it refuses a volume that another machine has attached[^#]*$/m);
    expect(stdout).toMatch(/# SKIP this path gives a host path/);
    expect(exitCode).toBe(0);
    expect(readdirSync(join(store, 'volumes'))).toEqual([]);
  });

  it('fails a driver that forgets what it made, with its words', async () => {
    const liar = await startScriptedPlugin(join(home, 'liar'), 'liar');
    liar.script('Get', { status: 500, json: { Err: 'volume not found' } });
    liar.script('List', { json: { Volumes: [] } });
    try {
      const { exitCode, stdout } = await conformance('liar', '--driver', 'liar', '--timeout', '2');
      expect(stdout).toMatch(
        /^not ok 1 - catalogue: it makes an absent volume once.*\n {2}---\n {2}message: ".*said that it made the volume, and says that there is none/m,
      );
      expect(exitCode).toBe(1);
    } finally {
      await liar.stop();
    }
  });

  describe('of a managed plugin', () => {
    const id = 'c3'.repeat(32);
    const directory = join(home, 'managed');
    let plugin: ScriptedPlugin;
    let engine: ScriptedEngine;
    beforeAll(async () => {
      plugin = await startScriptedPlugin(join(directory, id), 'm');
      plugin.script('List', { json: { Volumes: [] } });
      plugin.script('Create', { json: { Err: 'found' } });
      engine = await startScriptedEngine(join(home, 'engine.sock'), {
        ...{ name: 'vendor/m:1', id, socket: 'm.sock', root: join(home, 'docker'), propagatedMount: '/mnt' },
      });
    });
    afterAll(() => Promise.all([plugin.stop(), engine.stop()]));

    it.each([
      ['DOCKER_HOST', { DOCKER_HOST: `unix://${home}/engine.sock` }, []],
      ['--docker-socket', { DOCKER_HOST: '' }, ['--docker-socket', join(home, 'engine.sock')]],
    ])('asks the Engine that %s names where it is', async (_, env, flags) => {
      const { stdout } = await conformanceWith(
        { VOLUME_PLUGIN_DIRECTORIES: directory, ...env },
        ...['--driver', 'vendor/m:1', '--timeout', '5', ...flags],
      );
      expect(stdout).not.toMatch(/Bail out/);
      expect(stdout).toMatch(/message: ".*found/);
    });
    it('says that it is disabled, and how that is changed', async () => {
      const socket = join(home, 'disabled.sock');
      const about = { name: 'vendor/off:1', id, socket: 'm.sock', root: home, propagatedMount: '/mnt' };
      const other = await startScriptedEngine(socket, { ...about, disabled: true });
      const env = { VOLUME_PLUGIN_DIRECTORIES: directory, DOCKER_HOST: `unix://${socket}` };
      const { stdout, exitCode } = await conformanceWith(env, '--driver', 'vendor/off:1');
      await other.stop();
      expect(stdout).toMatch(/^Bail out! .*docker plugin enable vendor\/off:1/m);
      expect(exitCode).toBe(1);
    });
    it('asks none of an address that makes no sense, and says so', async () => {
      const env = { VOLUME_PLUGIN_DIRECTORIES: directory, DOCKER_HOST: 'nonsense' };
      const { stdout, stderr, exitCode } = await conformanceWith(env, '--driver', 'vendor/m:1');
      expect(stdout).toMatch(/^Bail out! driver vendor\/m:1: /m);
      expect(stderr).toMatch(/no Docker Engine is asked for managed plugins: the address "nonsense"/);
      expect(exitCode).toBe(1);
    });
  });

  it('bails out where the driver does not answer at all, and does not wait for each check', async () => {
    const mute = await startScriptedPlugin(join(home, 'mute'), 'mute');
    mute.script('List', 'hang');
    try {
      const { exitCode, stdout } = await conformance('mute', '--driver', 'mute', '--timeout', '1.005');
      expect(stdout).toMatch(/^TAP version 13\n1\.\.\d+\nBail out! driver mute: .*within 1005 ms.*$/);
      expect(exitCode).toBe(1);
    } finally {
      await mute.stop();
    }
  });

  it('fails a driver that takes the mount from one consumer when another lets go', async () => {
    const hasty = await startHasty(join(home, 'hasty'));
    try {
      const { exitCode, stdout } = await conformance('hasty', '--driver', 'hasty');
      expect(stdout).toMatch(/^not ok \d+ - sharing: it keeps one consumer attached.*\n.*\n.*ENOENT/m);
      expect(stdout.match(/^not ok/gm)).toHaveLength(1);
      expect(exitCode).toBe(1);
    } finally {
      await hasty.stop();
    }
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('interrupted by %s leaves nothing behind', async (signal) => {
    const running = conformance('here', '--driver', 'hostdir');
    running.stdout.on('data', (text: Buffer) => {
      if (text.includes('ok 8 ')) running.kill(signal);
    });
    const { exitCode, stdout, stderr } = await running;
    expect(stderr).toMatch(/^interrupted: clearing up after this check/);
    expect(stdout).toMatch(/\nBail out! interrupted\n# passed \d+, failed 0, skipped \d+$/);
    expect(exitCode).toBe(1);
    expect(readdirSync(join(store, 'volumes'))).toEqual([]);
  });

  it('says that there is no driver', async () => {
    const { exitCode, stdout } = await conformance('here', '--driver', 'nosuch');
    expect(stdout).toMatch(/^Bail out! driver nosuch: no plugin of this name/m);
    expect(exitCode).toBe(1);
  });

  it.each([
    [[]],
    [['--driver', 'x', '--path', 'fuse']],
    [['--driver', 'x', '--options', 'a']],
    [['--force']],
  ])('shows its usage for %j', async (argv) => {
    const { exitCode, stderr } = await conformance('here', ...argv);
    expect(stderr).toMatch(/^volume-conformance: .*\n\nvolume-conformance: does/);
    expect(exitCode).toBe(64);
  });
});

/** Lists who mounts, and empties the volume at every Unmount that is not the last, as an unmount under others shows it. */
async function startHasty(directory: string) {
  const volumes = new Map<string, Set<string>>();
  const pathOf = (name: string) => join(directory, 'volumes', name);
  return startPluginServer(directory, 'hasty', ({ method, body: { Name: name = '', ID: id = '' } }) => {
    const ids = volumes.get(name);
    const shown = (each: string, mounts: Set<string>) => ({
      ...{ Name: each, Mountpoint: mounts.size > 0 ? pathOf(each) : '', Status: { Mounts: [...mounts] } },
    });
    switch (method.replace('VolumeDriver.', '')) {
      case 'Plugin.Activate':
        return { json: { Implements: ['VolumeDriver'] } };
      case 'Create':
        volumes.set(name, ids ?? new Set());
        mkdirSync(pathOf(name), { recursive: true });
        return { json: {} };
      case 'List':
        return { json: { Volumes: [...volumes].map(([each, mounts]) => shown(each, mounts)) } };
      case 'Get':
        return { json: ids === undefined ? { Err: `${name} not found` } : { Volume: shown(name, ids) } };
      case 'Mount':
        ids?.add(id);
        return { json: { Mountpoint: pathOf(name) } };
      case 'Unmount':
        ids?.delete(id);
        if ((ids?.size ?? 0) > 0) rmSync(join(pathOf(name), 'document'), { force: true });
        return { json: {} };
      case 'Remove':
        volumes.delete(name);
        rmSync(pathOf(name), { recursive: true, force: true });
        return { json: {} };
      default:
        return { json: { Mountpoint: (ids?.size ?? 0) > 0 ? pathOf(name) : '' } };
    }
  });
}
