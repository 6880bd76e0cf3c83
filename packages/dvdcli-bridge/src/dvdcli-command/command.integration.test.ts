/** The command as a process, before a plugin that says what it is told: what the original was observed to do. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PLUGIN_DIRECTORIES_VARIABLE } from '../plugin/find-plugin.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';

const scratch = mkdtempSync(join(tmpdir(), 'command-'));
const mountpoint = join(scratch, 'mnt', 'vol1');
const plugins = join(scratch, 'plugins');
let program: string;
let plugin: ScriptedPlugin;
let made = 0;

beforeAll(async () => {
  program = (await buildPrograms(scratch)).dvdcli;
  mkdirSync(mountpoint, { recursive: true });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
beforeEach(async () => {
  made += 1;
  plugin = await startScriptedPlugin(join(plugins, String(made)), 'fake');
  plugin.script('Get', { json: { Volume: { Name: 'vol1', Mountpoint: '' } } });
  plugin.script('Mount', { json: { Mountpoint: mountpoint } });
});
afterEach(() => plugin.stop());

interface Ran {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: readonly string[];
}
async function dvdcli(...argv: string[]): Promise<Ran> {
  const before = plugin.calls.length;
  const { exitCode, stdout, stderr } = await execa(program, argv, {
    stdin: 'ignore',
    reject: false,
    stripFinalNewline: false,
    timeout: 60_000,
    env: { [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory },
  });
  const requests = plugin.calls.slice(before).map(({ method }) => method.replace('VolumeDriver.', ''));
  return { exitCode, stdout, stderr, requests };
}
const NAMED = ['--volumedriver=fake', '--volumename=vol1'];
const bodies = (method: string) =>
  plugin.calls.filter((call) => call.method === `VolumeDriver.${method}`).map(({ body }) => body);
const absent = { json: { Err: 'no such volume' } };
const info = (text: string) => new RegExp(`^time="[-0-9T:]{19}Z" level=info msg=${text} \\n$`);
const PATH_LINE = info(`"${mountpoint}"`);

describe('what is as in the original', () => {
  it('create: one request, nothing on stdout, the name in the log', async () => {
    const ran = await dvdcli('create', ...NAMED, '--volumeopts=size=1', '--volumeopts', 'a=b,c=');
    expect(ran).toMatchObject({ exitCode: 0, stdout: '', requests: ['Plugin.Activate', 'Create'] });
    expect(ran.stderr).toMatch(info('vol1'));
    expect(bodies('Create')).toEqual([{ Name: 'vol1', Opts: { size: '1', a: 'b', c: '' } }]);
  });
  it('create without options sends an empty map, and makes twice what is made twice', async () => {
    await dvdcli('create', ...NAMED);
    await dvdcli('create', ...NAMED);
    expect(bodies('Create')).toEqual([
      { Name: 'vol1', Opts: {} },
      { Name: 'vol1', Opts: {} },
    ]);
  });
  it('mount of a volume that is there: Get and Mount, the path alone on stdout, no mount ID', async () => {
    const ran = await dvdcli('mount', ...NAMED);
    expect(ran).toMatchObject({
      exitCode: 0,
      stdout: `${mountpoint}\n`,
      requests: ['Plugin.Activate', 'Get', 'Mount'],
    });
    expect(ran.stderr).toMatch(PATH_LINE);
    expect(bodies('Mount')).toEqual([{ Name: 'vol1' }]);
  });
  it.each([
    ['is absent', absent],
    ['is not in the answer', { json: {} }],
    ['cannot be asked for (no Get)', { status: 404, text: '404 page not found\n' }],
    ['is absent by an HTTP error', { status: 500, json: { Err: 'volume not found' } }],
  ])('mount of a volume that %s: Get, Create, Mount', async (_, answer) => {
    plugin.script('Get', answer);
    const ran = await dvdcli('mount', ...NAMED, '--volumeopts=size=1');
    expect(ran).toMatchObject({ exitCode: 0, stdout: `${mountpoint}\n` });
    expect(ran.requests).toEqual(['Plugin.Activate', 'Get', 'Create', 'Mount']);
    expect(bodies('Create')).toEqual([{ Name: 'vol1', Opts: { size: '1' } }]);
  });
  it('mount --explicitcreate makes nothing', async () => {
    plugin.script('Get', absent);
    const ran = await dvdcli('mount', ...NAMED, '--explicitcreate');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: ['Plugin.Activate', 'Get'] });
    expect(ran.stderr).toMatch(/ level=error msg="[^\n]*no such volume" volumeName=vol1 \n$/);
  });
  it('unmount: Get and Unmount, not a word', async () => {
    expect(await dvdcli('unmount', ...NAMED)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
      requests: ['Plugin.Activate', 'Get', 'Unmount'],
    });
    expect(bodies('Unmount')).toEqual([{ Name: 'vol1' }]);
  });
  it('path: Get, and Path where Get does not tell it', async () => {
    plugin.script('Path', { json: { Mountpoint: mountpoint } });
    const asked = await dvdcli('path', ...NAMED);
    expect(asked).toMatchObject({ exitCode: 0, stdout: `${mountpoint}\n` });
    expect(asked.stderr).toMatch(PATH_LINE);
    expect(asked.requests).toEqual(['Plugin.Activate', 'Get', 'Path']);
    plugin.script('Get', { json: { Volume: { Name: 'vol1', Mountpoint: '/somewhere' } } });
    const told = await dvdcli('path', ...NAMED);
    expect(told).toMatchObject({ exitCode: 0, stdout: '/somewhere\n', requests: ['Plugin.Activate', 'Get'] });
  });
  it('path of a volume that is not mounted: nothing, exit 0', async () => {
    plugin.script('Path', { json: { Mountpoint: '' } });
    expect(await dvdcli('path', ...NAMED)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });
  it('get: the name as the driver spells it', async () => {
    plugin.script('Get', { json: { Volume: { Name: 'VOL1' } } });
    const ran = await dvdcli('get', ...NAMED);
    expect(ran).toEqual({ exitCode: 0, stdout: 'VOL1\n', stderr: '', requests: ['Plugin.Activate', 'Get'] });
  });
  it('list: one name per line, no volume name needed', async () => {
    plugin.script('List', { json: { Volumes: [{ Name: 'b', Mountpoint: '/x' }, { Name: 'a' }] } });
    const ran = await dvdcli('list', '--volumedriver', 'fake');
    expect(ran).toEqual({ exitCode: 0, stdout: 'b\na\n', stderr: '', requests: ['Plugin.Activate', 'List'] });
    plugin.script('List', { json: { Volumes: null } });
    expect(await dvdcli('list', '--volumedriver', 'fake')).toMatchObject({ exitCode: 0, stdout: '' });
  });
  it('version: six lines, and nobody is asked', async () => {
    const ran = await dvdcli('version');
    const names = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(':')[0]);
    expect(names).toEqual(['Binary', 'SemVer', 'OsArch', 'Branch', 'Commit', 'Formed']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '', requests: [] });
  });
  it('help is asked for in three ways, and shown on stderr where nothing was asked', async () => {
    for (const argv of [['help'], ['-h'], ['mount', '--help']]) {
      expect(await dvdcli(...argv)).toMatchObject({ exitCode: 0, stderr: '', requests: [] });
    }
    const ran = await dvdcli();
    expect(ran).toMatchObject({ exitCode: 0, stdout: '' });
    expect(ran.stderr).toMatch(/^Usage:$/m);
  });
  it('flags stand anywhere, the last of a kind counts, further words do not', async () => {
    const ran = await dvdcli(
      '--volumedriver',
      'other',
      'mount',
      'and',
      '--volumename=vol1',
      'more',
      '--volumedriver=fake',
    );
    expect(ran).toMatchObject({ exitCode: 0, stdout: `${mountpoint}\n` });
  });
  it('a refusal: exit 1, the driver’s words, the volume’s name at Get, Create and Remove only', async () => {
    plugin.script('Mount', { status: 500, json: { Err: 'backend on fire' } });
    expect(await dvdcli('mount', ...NAMED)).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/ level=error msg="VolumeDriver.Mount: backend on fire" \n$/),
    });
    plugin.script('Create', { status: 500, json: { Err: 'full' } });
    expect((await dvdcli('create', ...NAMED)).stderr).toMatch(
      /msg="VolumeDriver.Create: full" volumeName=vol1 \n$/,
    );
  });
  it('no driver name: exit 1 at once', async () => {
    const ran = await dvdcli('mount', '--volumename=vol1');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: [] });
    expect(ran.stderr).toMatch(/ level=info msg="Missing volume driver name" volumeDriver= \n$/);
  });
  it('a plugin that is no volume driver is refused at once', async () => {
    plugin.script('Plugin.Activate', { json: { Implements: ['authz'] } });
    const ran = await dvdcli('mount', ...NAMED);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: ['Plugin.Activate'] });
    expect(ran.stderr).toMatch(/level=info msg="Error looking up volume plugin fake: /);
  });
  it('remove: Get, Remove, nothing; what is absent is an error, as for unmount', async () => {
    plugin.script('Path', { json: { Mountpoint: '' } });
    const ran = await dvdcli('remove', ...NAMED);
    expect(ran).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(ran.requests.filter((method) => method !== 'Path')).toEqual(['Plugin.Activate', 'Get', 'Remove']);
    plugin.script('Get', absent);
    for (const verb of ['remove', 'unmount', 'path', 'get']) {
      expect(await dvdcli(verb, ...NAMED)).toMatchObject({
        exitCode: 1,
        stdout: '',
        requests: ['Plugin.Activate', 'Get'],
      });
    }
  });
});

describe('what the original gets wrong', () => {
  it.each([
    ['an unknown flag', ['mount', ...NAMED, '--force']],
    ['an unknown command', ['mout', ...NAMED]],
    ['a bad boolean', ['mount', ...NAMED, '--explicitcreate=maybe']],
    ['a flag without its value', ['mount', '--volumename=vol1', '--volumedriver']],
    ['a flag of another command', ['unmount', ...NAMED, '--volumeopts=a=b']],
    ['an option without "="', ['mount', ...NAMED, '--volumeopts=size']],
    ['no volume name', ['mount', '--volumedriver=fake']],
    ['an empty volume name', ['mount', '--volumedriver=fake', '--volumename=']],
    ['a name that is a path', ['mount', '--volumedriver=fake', '--volumename=bad/../name']],
    ['a driver that is a path', ['mount', '--volumedriver=../plugins/fake', '--volumename=vol1']],
    ['a time that is none', ['mount', ...NAMED, '--timeout=soon']],
  ])('%s is wrong usage: exit 64 before anybody is asked', async (_, argv) => {
    const ran = await dvdcli(...argv);
    expect(ran).toMatchObject({ exitCode: 64, stdout: '', requests: [] });
    expect(ran.stderr).toMatch(/^time="\S+" level=error msg=.*\n\n[^]*^Usage:$/m);
  });
  it('the flag that mesos-module-dvdi sends is known', async () => {
    plugin.script('Get', absent);
    expect(await dvdcli('mount', ...NAMED, '--explicitCreate=true')).toMatchObject({
      exitCode: 1,
      requests: ['Plugin.Activate', 'Get'],
    });
    expect(await dvdcli('mount', ...NAMED, '--explicitCreate=false')).toMatchObject({ exitCode: 0 });
  });
  it('an option keeps what follows its second "="', async () => {
    await dvdcli('create', ...NAMED, '--volumeopts=c=3=4', '--volumeopts=');
    expect(bodies('Create')).toEqual([{ Name: 'vol1', Opts: { c: '3=4' } }]);
  });
  it.each([
    ['nothing', ''],
    ['a relative path', 'mnt/vol1'],
    ['a path that is not there', '/nowhere/vol1'],
    ['two lines', '/tmp\n/tmp'],
    ['the root', '/'],
    ['a path with a blank at its end', '/tmp '],
  ])('edge case 13: a mountpoint of %s is refused, and unmounted again', async (_, path) => {
    plugin.script('Mount', { json: { Mountpoint: path } });
    const ran = await dvdcli('mount', ...NAMED);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.requests.at(-1)).toBe('Unmount');
    expect(ran.stderr).toMatch(/unmounted again" \n$/);
  });
  it('a driver that names another volume is not followed there', async () => {
    plugin.script('Get', { json: { Volume: { Name: 'other', Mountpoint: '' } } });
    expect(await dvdcli('unmount', ...NAMED)).toMatchObject({
      exitCode: 1,
      requests: ['Plugin.Activate', 'Get'],
    });
  });
  it('edge case 10: a driver without Get unmounts all the same', async () => {
    plugin.script('Get', { status: 404, text: '404 page not found\n' });
    expect(await dvdcli('unmount', ...NAMED)).toMatchObject({
      exitCode: 0,
      requests: ['Plugin.Activate', 'Get', 'Unmount'],
    });
  });
  it('edge case 11: a Get that failed in other words is logged where a volume was created for it', async () => {
    plugin.script('Get', { json: { Err: 'backend timeout' } });
    const ran = await dvdcli('mount', ...NAMED, '--volumeopts=size=1');
    expect(ran).toMatchObject({ exitCode: 0, stdout: `${mountpoint}\n` });
    expect(bodies('Create')).toEqual([{ Name: 'vol1', Opts: { size: '1' } }]);
    expect(ran.stderr).toMatch(/level=warning msg="[^\n]*VolumeDriver.Get said: backend timeout" \n/);
  });
  it('edge case 19: options that were not applied are said to be so', async () => {
    const ran = await dvdcli('mount', ...NAMED, '--volumeopts=size=1');
    expect(ran).toMatchObject({ exitCode: 0, requests: ['Plugin.Activate', 'Get', 'Mount'] });
    expect(ran.stderr).toMatch(
      /level=warning msg="volume vol1 exists; the options given here were not applied/,
    );
  });
  it('two mounts that both found it absent: the slower one goes on', async () => {
    plugin.script('Get', absent, { json: { Volume: { Name: 'vol1' } } });
    plugin.script('Create', { status: 500, json: { Err: 'volume already exists' } });
    const ran = await dvdcli('mount', ...NAMED);
    expect(ran).toMatchObject({ exitCode: 0, stdout: `${mountpoint}\n` });
    expect(ran.requests).toEqual(['Plugin.Activate', 'Get', 'Create', 'Get', 'Mount']);
  });
  it('"already mounted" is believed only where the mount table agrees', async () => {
    plugin.script('Mount', { status: 500, json: { Err: 'volume is already mounted by this id' } });
    plugin.script('Path', { json: { Mountpoint: mountpoint } });
    const refused = await dvdcli('mount', ...NAMED);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/msg="VolumeDriver.Mount: volume is already mounted by this id" \n$/);
    // What is a mount point on every Linux machine.
    plugin.script('Path', { json: { Mountpoint: '/proc' } });
    expect(await dvdcli('mount', ...NAMED)).toMatchObject({ exitCode: 0, stdout: '/proc\n' });
    plugin.script('Get', { json: { Volume: { Name: 'vol1', Status: { Mounts: ['somebody-else'] } } } });
    expect(await dvdcli('mount', ...NAMED)).toMatchObject({ exitCode: 1, stdout: '' });
    expect(bodies('Unmount')).toEqual([]);
  });
  it.each([
    ['the path of Get', { Volume: { Name: 'vol1', Mountpoint: '/proc' } }, ''],
    ['the path of Path', { Volume: { Name: 'vol1' } }, '/proc'],
    ['the IDs of Get', { Volume: { Name: 'vol1', Status: { Mounts: ['x'] } } }, ''],
  ])('edge case 28: nobody is asked to remove what is mounted, by %s', async (_, get, path) => {
    plugin.script('Get', { json: get });
    plugin.script('Path', { json: { Mountpoint: path } });
    const ran = await dvdcli('remove', ...NAMED);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.requests).not.toContain('Remove');
  });
  it('edge case 14: a path where nothing is mounted is not printed when the driver says so elsewhere', async () => {
    plugin.script('Get', {
      json: { Volume: { Name: 'vol1', Mountpoint: '/mnt/x', Status: { Mounts: [] } } },
    });
    expect(await dvdcli('path', ...NAMED)).toMatchObject({ exitCode: 0, stdout: '' });
  });
  it('edge case 4: a plugin that hangs is left after the time limit, and nothing is undone behind its back', async () => {
    plugin.script('Mount', 'hang');
    const started = performance.now();
    const ran = await dvdcli('mount', ...NAMED, '--timeout=1s');
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: ['Plugin.Activate', 'Get', 'Mount'] });
    expect(ran.stderr).toMatch(/Mount was not answered within/);
  });
  it('edge case 1: a plugin that is missing costs 5 s, not 15, and says where it was looked for', async () => {
    const started = performance.now();
    const ran = await dvdcli('mount', '--volumedriver=nosuch', '--volumename=vol1');
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toMatch(
      /level=info msg="Error looking up volume plugin nosuch: plugin not found" volumeDriver=nosuch \n/,
    );
    expect(ran.stderr).toContain(plugin.pluginDirectory);
  });
  it.each(['die', 'half', 'garbage'] as const)(
    'edge case 5: an answer to Mount that is cut (%s) is no success',
    async (answer) => {
      plugin.script('Mount', answer);
      const ran = await dvdcli('mount', ...NAMED);
      expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: ['Plugin.Activate', 'Get', 'Mount'] });
    },
  );
  it('edge case 38: a .json spec is read', async () => {
    const socket = join(plugin.pluginDirectory, 'fake.sock');
    writeFileSync(
      join(plugin.pluginDirectory, 'viajson.json'),
      JSON.stringify({ Name: 'x', Addr: `unix://${socket}` }),
    );
    const ran = await dvdcli('mount', '--volumedriver=viajson', '--volumename=vol1');
    expect(ran).toMatchObject({ exitCode: 0, stdout: `${mountpoint}\n` });
  });
});

describe('what the original has not', () => {
  it('a mount ID, for mount and unmount', async () => {
    await dvdcli('mount', ...NAMED, '--mountid=task-1');
    await dvdcli('unmount', ...NAMED, '--mountid', 'task-1');
    expect([...bodies('Mount'), ...bodies('Unmount')]).toEqual([
      { Name: 'vol1', ID: 'task-1' },
      { Name: 'vol1', ID: 'task-1' },
    ]);
  });
  it('one JSON object on stdout, for what went well and for what did not', async () => {
    const json = async (...argv: string[]): Promise<unknown> =>
      JSON.parse((await dvdcli(...argv, '--volumedriver=fake', '--json')).stdout);
    const named = { driver: 'fake', volume: 'vol1' };
    expect(await json('mount', '--volumename=vol1')).toEqual({
      command: 'mount',
      ...named,
      path: mountpoint,
      created: false,
    });
    plugin.script('List', { json: { Volumes: [{ Name: 'a' }] } });
    expect(await json('list')).toEqual({
      command: 'list',
      driver: 'fake',
      volumes: [{ name: 'a', mountpoint: '' }],
    });
    plugin.script('Mount', 'die');
    expect(await json('mount', '--volumename=vol1')).toMatchObject({
      error: { code: 'driver-unavailable', certain: false },
    });
    plugin.script('Get', absent);
    expect(await json('get', '--volumename=vol1')).toMatchObject({
      error: { code: 'not-found', certain: true },
    });
  });
  it('a doctor, who asks and changes nothing', async () => {
    plugin.script('List', { json: { Volumes: [{ Name: 'a' }] } });
    const ran = await dvdcli('doctor');
    expect(ran).toMatchObject({ exitCode: 0, requests: ['Plugin.Activate', 'List'] });
    expect(ran.stdout).toMatch(/^fine {2}driver fake: answers; 1 volumes \(\d+ ms\)$/m);
    plugin.script('List', { status: 500, json: { Err: 'backend on fire' } });
    const ill = await dvdcli('doctor', ...NAMED, '--json');
    expect(ill.exitCode).toBe(1);
    expect(JSON.stringify(JSON.parse(ill.stdout))).toContain('backend on fire');
  });
  it('a quick start: only what every verb needs is loaded with the program', () => {
    const loaded = [...readFileSync(program, 'utf8').matchAll(/^import .* from "([^"]+)";$/gm)].map(
      ([, name]) => name,
    );
    expect([...new Set(loaded)].sort()).toEqual(['node:fs', 'node:fs/promises', 'node:net', 'node:path']);
  });
});
