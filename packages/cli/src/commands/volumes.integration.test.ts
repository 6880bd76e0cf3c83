/** The verbs against hostdir in a process of its own, and against a plugin that says what it is told to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MARKER_FILE } from '@mesos-elasticsearch/contract';
import { startHostdirPlugin, type RunningPlugin } from '@mesos-elasticsearch/dvdcli-bridge';
import { buildPrograms, startScriptedPlugin } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { inChild } from '../volumes/child-work.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { volumesCommand } from './volumes.ts';

const home = mkdtempSync(join(tmpdir(), 'volumes-cli-'));
const plugins = join(home, 'plugins');
const NOWHERE = ['--docker-host', `unix://${home}/no-docker.sock`];
let plugin: RunningPlugin;

beforeAll(async () => {
  const { hostdir } = await buildPrograms(home);
  plugin = await startHostdirPlugin({
    program: hostdir,
    store: join(home, 'store'),
    instance: 'here',
    pluginDirectory: plugins,
  });
});
afterAll(async () => {
  await plugin.stop();
  rmSync(home, { recursive: true, force: true });
});

async function run(driver: string, ...words: string[]) {
  let text = '';
  const to = { write: (more: string) => (text += more), nowMs: () => 0 };
  const command = volumesCommand(to, {
    VOLUME_PLUGIN_DIRECTORIES: plugins,
    MOUNT_LEDGER_DIRECTORY: join(home, 'ledger'),
  });
  const docker = words.includes('--docker-host') ? [] : NOWHERE;
  const reach = words[0] === 'capabilities' ? [] : [...docker, '--driver', driver];
  const failure = await command.parseAsync([...words, ...reach], { from: 'user' }).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  const code = failure === undefined ? EXIT.done : exitCodeOf(failure);
  return { text: text.trimEnd(), code, error: failure?.message ?? '' };
}
const hostdir = (...words: string[]) => run('hostdir', ...words);

describe('a volume from making to removing', () => {
  it('is made once, mounted for a consumer, and removed', async () => {
    expect(await hostdir('create', 'vol1', '--options', 'at={volume}')).toMatchObject({
      text: 'made volume vol1',
    });
    expect((await hostdir('create', 'vol1', '--options', 'at=x')).text).toMatch(
      /there already; the options were not/,
    );
    const path = (await hostdir('mount', 'vol1', '--consumer', 'me')).text;
    expect(existsSync(path)).toBe(true);
    expect(JSON.parse((await hostdir('ls', '--json')).text)).toEqual([
      { name: 'vol1', driver: 'hostdir', mountpoint: path, here: 'directory' },
    ]);
    expect(await hostdir('rm', 'vol1', '--yes-delete', 'vol1')).toMatchObject({
      code: EXIT.failed,
      error: expect.stringMatching(
        /mounted[^]*volumes unmount vol1 --driver hostdir --path plugin-socket .*--consumer/,
      ),
    });
    expect((await hostdir('unmount', 'vol1', '--consumer', 'me')).code).toBe(EXIT.done);
    expect((await hostdir('unmount', 'vol1', '--consumer', 'me')).code).toBe(EXIT.done);
    expect((await hostdir('rm', 'vol1')).text).toBe('removed volume vol1');
    expect((await hostdir('rm', 'vol1')).text).toBe('there is no volume vol1');
    expect(existsSync(path)).toBe(false);
  });

  it('shows its marker, and stays until its name is typed once more', async () => {
    await hostdir('create', 'vol2');
    const path = (await hostdir('mount', 'vol2')).text;
    const marker = {
      format: 1,
      clusterIdentity: '0c34eb18-9e42-4a0b-a9bb-46f3ab30f0c4',
      frameworkName: 'es',
      clusterName: 'logs',
      nodeId: 3,
      role: 'data',
      epoch: 7,
      volumeIdentity: '9ae55a52-7d92-4a43-8e0c-7e5c8b7b1c11',
    };
    writeFileSync(join(path, MARKER_FILE), JSON.stringify(marker));
    expect((await hostdir('inspect', 'vol2')).text).toMatch(
      /marker: .*node 3 of framework es, cluster logs.*epoch 7/,
    );
    await hostdir('unmount', 'vol2');
    expect((await hostdir('rm', 'vol2')).error).toMatch(
      /belongs to node 3 of framework es[^]*--yes-delete vol2/,
    );
    expect(existsSync(path)).toBe(true);
    expect((await hostdir('rm', 'vol2', '--yes-delete', 'vol2')).code).toBe(EXIT.done);
    expect(existsSync(path)).toBe(false);
  });

  it("that is named as a node's is mounted and removed on its name only", async () => {
    await hostdir('create', 'es1data');
    expect(await hostdir('mount', 'es1data')).toMatchObject({ code: EXIT.usage, text: '' });
    expect(await hostdir('rm', 'es1data')).toMatchObject({ code: EXIT.failed });
    expect((await hostdir('mount', 'es1data', '--yes-mount', 'es1data')).code).toBe(EXIT.done);
    await hostdir('unmount', 'es1data');
    expect((await hostdir('rm', 'es1data', '--yes-delete', 'es1data')).code).toBe(EXIT.done);
  });

  it('is not removed while a process works in it', async () => {
    await hostdir('create', 'vol3');
    const path = (await hostdir('mount', 'vol3')).text;
    const user = spawn('sleep', ['60'], { cwd: path, stdio: 'ignore' });
    try {
      await once(user, 'spawn');
      expect((await hostdir('inspect', 'vol3')).text).toMatch(`sleep (pid ${user.pid}) works in ${path}`);
      expect((await hostdir('unmount', 'vol3')).error).toMatch(`it is in use: sleep (pid ${user.pid})`);
      const refused = await hostdir('rm', 'vol3', '--yes-delete', 'vol3');
      expect(refused.error).toMatch(`it is in use: sleep (pid ${user.pid})`);
    } finally {
      user.kill('SIGKILL');
      await once(user, 'exit');
    }
    await hostdir('unmount', 'vol3');
    expect((await hostdir('rm', 'vol3')).code).toBe(EXIT.done);
  });
});

describe('what goes wrong', () => {
  it.each([
    ['a driver that is not there', ['ls'], EXIT.failed, /no plugin of this name in .*plugins/],
    ['a name that no path can carry', ['inspect', 'a/b'], EXIT.usage, /not a volume name/],
    ['an option without "="', ['create', 'vol', '--options', 'size'], EXIT.usage, /key=value/],
    [
      'a mount by the Engine',
      ['mount', 'vol', '--path', 'engine'],
      EXIT.usage,
      /wanted --path plugin-socket/,
    ],
  ])('is %s', async (_, words, code, error) => {
    expect(await run('nosuch', ...words, '--timeout', '1')).toMatchObject({
      code,
      error: expect.stringMatching(error),
    });
  });

  it('is unknown when the driver does not answer: exit 75, and how to find out', async () => {
    const scripted = await startScriptedPlugin(plugins, 'odd');
    scripted.script('Get', { json: { Volume: { Name: 'vol', Mountpoint: '' } } });
    scripted.script('Mount', 'hang');
    try {
      expect(await run('odd', 'mount', 'vol', '--timeout', '0.3')).toMatchObject({
        code: EXIT.unknown,
        text: '',
        error: expect.stringMatching(
          /may have happened.*volumes inspect vol --driver odd --path plugin-socket/,
        ),
      });
    } finally {
      await scripted.stop();
    }
  });

  it('is a question that nobody answers: nothing was changed, and that is said', async () => {
    const scripted = await startScriptedPlugin(plugins, 'mute');
    scripted.script('Get', 'hang');
    scripted.script('List', 'hang');
    try {
      for (const words of [['ls'], ['inspect', 'vol'], ['rm', 'vol'], ['unmount', 'vol']]) {
        // 1.005 s are 1004.9999999999999 ms, which no timer takes.
        expect(await run('mute', ...words, '--timeout', '1.005')).toMatchObject({
          code: EXIT.failed,
          error: expect.stringMatching(/Nothing was changed; ask again/),
        });
      }
    } finally {
      await scripted.stop();
    }
  });

  it.each(['0.0004', '1.005'])('is not a limit of a part of a millisecond (%s s)', async (timeout) => {
    const deaf = createServer().listen(join(home, `deaf${timeout}.sock`));
    await once(deaf, 'listening');
    try {
      const words = ['ls', '--path', 'engine', '--timeout', timeout];
      const { error } = await run('local', ...words, '--docker-host', `unix://${home}/deaf${timeout}.sock`);
      expect(error).toMatch(/within \d+ ms/);
    } finally {
      deaf.close();
    }
  });

  it('never asks a driver that may revoke to mount, or one that counts by name to unmount what is used', async () => {
    const scripted = await startScriptedPlugin(plugins, 'rexray');
    const path = join(home, 'rexray-vol');
    scripted.script('Get', { json: { Volume: { Name: 'vol', Mountpoint: path } } });
    const user = spawn('sleep', ['60'], { cwd: home, stdio: 'ignore' });
    try {
      await once(user, 'spawn');
      expect((await run('rexray', 'rm', 'vol')).error).toMatch(/nobody has seen that no cluster owns it/);
      scripted.script('Get', { json: { Volume: { Name: 'vol', Mountpoint: home } } });
      expect((await run('rexray', 'unmount', 'vol')).error).toMatch(/cannot tell its users apart.*sleep/);
      const asked = scripted.calls.map(({ method }) => method);
      expect(asked.filter((method) => /Mount|Unmount|Remove/.test(method))).toEqual([]);
    } finally {
      user.kill('SIGKILL');
      await once(user, 'exit');
      await scripted.stop();
    }
  });
});

describe('capabilities', () => {
  it('are printed, for one driver too', async () => {
    expect((await run('', 'capabilities', '--driver', 'local')).text).toMatch(/^driver local\n/);
    expect(JSON.parse((await run('', 'capabilities', '--json')).text)).toMatchObject({
      paths: { engine: { attachment: { value: 'container-mount' } } },
    });
  });
});

describe('work in a child', () => {
  it('ends at its limit, whatever the file system does', async () => {
    expect(await inChild('for (;;) fs.statSync("/")', [], 300)).toEqual({ kind: 'no-answer' });
  });
  it('gives values and errors', async () => {
    expect(await inChild('return args', ['a b'], 10_000)).toEqual({ kind: 'answered', value: ['a b'] });
    const failed = await inChild('fs.readFileSync(args[0])', ['/nowhere'], 10_000);
    expect(failed).toEqual({ kind: 'failed', why: expect.stringMatching(/^ENOENT/) });
  });
});
