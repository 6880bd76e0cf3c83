/** An operator's hands on volumes that a node of this host holds: the node keeps them, whatever is typed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import {
  mountIdOf,
  openMountLedger,
  pluginSocketVolumes,
  recorded,
  recordKey,
  startHostdirPlugin,
  type ConsumerId,
  type RunningPlugin,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import {
  buildPrograms,
  startRexrayLikePlugin,
  startScriptedPlugin,
  type RexrayLikePlugin,
} from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { volumesCommand } from './volumes.ts';

const home = mkdtempSync(join(tmpdir(), 'held-'));
const plugins = join(home, 'plugins');
const ledger = join(home, 'ledger');
const TASK = 'elasticsearch.node1.e4' as ConsumerId;
let plugin: RunningPlugin;
let rexray: RexrayLikePlugin;
/** As the executor of this host reaches them. */
let executor: Volumes;

beforeAll(async () => {
  const { hostdir } = await buildPrograms(home);
  const where = { store: join(home, 'store'), pluginDirectory: plugins };
  plugin = await startHostdirPlugin({ program: hostdir, instance: 'here', ...where });
  rexray = await startRexrayLikePlugin({ directory: join(home, 'rexray'), pluginDirectory: plugins });
  const sockets = pluginSocketVolumes({ directories: [plugins], mountTable: () => rexray.mountTable() });
  executor = recorded(sockets, openMountLedger({ directory: ledger, mountTable: () => rexray.mountTable() }));
});
afterAll(async () => {
  await rexray.stop();
  await plugin.stop();
  rmSync(home, { recursive: true, force: true });
});

async function run(driver: string, ...words: string[]) {
  let text = '';
  const to = { write: (more: string) => (text += more), nowMs: () => 0 };
  const environment = { VOLUME_PLUGIN_DIRECTORIES: plugins, MOUNT_LEDGER_DIRECTORY: ledger };
  const nowhere = ['--docker-host', `unix://${home}/no-docker.sock`];
  const failure = await volumesCommand(to, environment)
    .parseAsync([...words, ...nowhere, '--driver', driver], { from: 'user' })
    .then(
      () => undefined,
      (error: unknown) => error as Error,
    );
  const code = failure === undefined ? EXIT.done : exitCodeOf(failure);
  return { text: text.trimEnd(), code, error: failure?.message ?? '' };
}

async function heldByTheNode(driver: string, name: string) {
  const volume = { driver, name: volumeName(name), options: {} };
  await executor.ensure(volume);
  expect(await executor.attach(volume, TASK)).toMatchObject({ kind: 'done' });
  return volume;
}
async function mountIdsOf(driver: string, name: string): Promise<unknown> {
  const found = await executor.inspect({ driver, name: volumeName(name) });
  return found.kind === 'done' ? found.value?.status?.['Mounts'] : found;
}

describe('a volume that a node of this host holds', () => {
  it('is not unmounted in the name of its task', async () => {
    const volume = await heldByTheNode('hostdir', 'held1data');
    expect(await run('hostdir', 'unmount', 'held1data', '--consumer', TASK)).toMatchObject({
      code: EXIT.failed,
      error: expect.stringMatching(/not unmounted: .*has it: .*mount ledger \(attached[^]*executor lets go/),
    });
    expect(await mountIdsOf('hostdir', 'held1data')).toEqual([mountIdOf(TASK)]);
    await executor.detach(volume, TASK);
    expect((await run('hostdir', 'unmount', 'held1data', '--consumer', TASK)).code).toBe(EXIT.done);
  });

  it('is mounted beside it on its name only, whatever it is called, and keeps its mount', async () => {
    const volume = await heldByTheNode('hostdir', 'scratch');
    expect(await run('hostdir', 'mount', 'scratch')).toMatchObject({
      code: EXIT.usage,
      error: expect.stringMatching(/in use here: .*mount ledger.*\n.*--yes-mount scratch/),
    });
    expect((await run('hostdir', 'mount', 'scratch', '--yes-mount', 'scratch')).code).toBe(EXIT.done);
    expect((await run('hostdir', 'unmount', 'scratch')).code).toBe(EXIT.done);
    expect(await mountIdsOf('hostdir', 'scratch')).toEqual([mountIdOf(TASK)]);
    await executor.detach(volume, TASK);
  });

  it('is neither mounted nor unmounted nor removed where the driver cannot tell users apart', async () => {
    const volume = await heldByTheNode('rexray', 'held2data');
    const before = rexray.calls.length;
    const yes = ['--yes-mount', 'held2data'];
    for (const words of [['mount', ...yes], ['unmount'], ['rm', '--yes-delete', 'held2data']]) {
      const [verb = '', ...more] = words;
      expect(await run('rexray', verb, 'held2data', ...more)).toMatchObject({
        code: EXIT.failed,
        error: expect.stringMatching(/in use: .*mount ledger/),
      });
    }
    const asked = rexray.calls.slice(before).map(({ method }) => method.replace('VolumeDriver.', ''));
    expect(asked.filter((verb) => /^(?:Mount|Unmount|Remove)$/.test(verb))).toEqual([]);
    await executor.detach(volume, TASK);
  });

  it('is not touched under a name that differs in case only', async () => {
    const volume = await heldByTheNode('rexray', 'held3data');
    for (const verb of ['mount', 'unmount', 'rm']) {
      expect(await run('rexray', verb, 'Held3DATA')).toMatchObject({
        code: EXIT.usage,
        error: expect.stringMatching(/as it is spelt there, held3data/),
      });
    }
    expect(rexray.removedWhileMounted).toEqual([]);
    await executor.detach(volume, TASK);
  });

  it('is not removed while a record of it cannot be read', async () => {
    const volume = { driver: 'hostdir', name: volumeName('held4data') };
    await run('hostdir', 'create', 'held4data');
    const record = join(ledger, `${recordKey(volume)}.json`);
    writeFileSync(record, '');
    for (const words of [['unmount'], ['rm', '--yes-delete', 'held4data']]) {
      const [verb = '', ...more] = words;
      expect(await run('hostdir', verb, 'held4data', ...more)).toMatchObject({
        code: EXIT.failed,
        error: expect.stringContaining(`${record} of the mount ledger names, which cannot be read`),
      });
    }
    rmSync(record);
    expect((await run('hostdir', 'rm', 'held4data', '--yes-delete', 'held4data')).code).toBe(EXIT.done);
  });
});

describe('a volume that is in use and not on record', () => {
  it('is not unmounted when that is its last mount', async () => {
    await run('hostdir', 'create', 'vol1');
    const path = (await run('hostdir', 'mount', 'vol1', '--consumer', 'a')).text;
    const user = spawn('sleep', ['60'], { cwd: path, stdio: 'ignore' });
    try {
      await once(user, 'spawn');
      expect((await run('hostdir', 'mount', 'vol1', '--consumer', 'b')).code).toBe(EXIT.done);
      expect((await run('hostdir', 'unmount', 'vol1', '--consumer', 'b')).code).toBe(EXIT.done);
      expect(await run('hostdir', 'unmount', 'vol1', '--consumer', 'a')).toMatchObject({
        code: EXIT.failed,
        error: expect.stringContaining(`it is in use: sleep (pid ${user.pid})`),
      });
    } finally {
      user.kill('SIGKILL');
      await once(user, 'exit');
    }
    expect((await run('hostdir', 'unmount', 'vol1', '--consumer', 'a')).code).toBe(EXIT.done);
  });

  const unavailable = process.getuid?.() === 0 ? '' : ' (skipped: mounting needs root)';
  it.skipIf(unavailable !== '')(`is found by its name in the mount table${unavailable}`, async () => {
    const mount = join(home, 'mounts', 'vol2');
    mkdirSync(mount, { recursive: true });
    expect(spawnSync('mount', ['-t', 'tmpfs', 'none', mount]).status).toBe(0);
    mkdirSync(join(mount, 'data'));
    const silent = await startScriptedPlugin(plugins, 'silent');
    silent.script('Get', { json: { Volume: { Name: 'vol2', Mountpoint: '' } } });
    silent.script('List', { json: { Volumes: [{ Name: 'vol2', Mountpoint: '' }] } });
    const user = spawn('sleep', ['60'], { cwd: join(mount, 'data'), stdio: 'ignore' });
    try {
      await once(user, 'spawn');
      expect((await run('silent', 'ls')).text).toMatch(/^vol2 +mount +-$/m);
      expect((await run('silent', 'inspect', 'vol2')).text).toMatch(`mounted here:   ${mount} (tmpfs`);
      for (const words of [['unmount'], ['mount', '--yes-mount', 'vol2'], ['rm', '--yes-delete', 'vol2']]) {
        const [verb = '', ...more] = words;
        expect((await run('silent', verb, 'vol2', ...more)).error).toContain(`sleep (pid ${user.pid})`);
      }
      const asked = silent.calls.map(({ method }) => method);
      expect(asked.filter((method) => /\.(?:Mount|Unmount|Remove)$/.test(method))).toEqual([]);
    } finally {
      user.kill('SIGKILL');
      await once(user, 'exit');
      await silent.stop();
      expect(spawnSync('umount', [mount]).status).toBe(0);
    }
    expect(existsSync(join(mount, 'data'))).toBe(false);
  });
});
