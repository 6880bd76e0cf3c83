/** The command as a process in an environment that is ill: whoever reads its output has gone, the driver's path is none. */
import { execFileSync, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PLUGIN_DIRECTORIES_VARIABLE } from '../plugin/find-plugin.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';

const scratch = mkdtempSync(join(tmpdir(), 'robustness-'));
const mountpoint = join(scratch, 'mnt', 'vol1');
const NAMED = ['--volumedriver=fake', '--volumename=vol1'];
let program: string;
let plugin: ScriptedPlugin;
let full: number;
let made = 0;

beforeAll(async () => {
  program = (await buildPrograms(scratch)).dvdcli;
  mkdirSync(mountpoint, { recursive: true });
  full = openSync('/dev/full', 'w');
});
afterAll(() => {
  closeSync(full);
  rmSync(scratch, { recursive: true, force: true });
});
beforeEach(async () => {
  made += 1;
  plugin = await startScriptedPlugin(join(scratch, `plugins-${made}`), 'fake');
  plugin.script('Get', { json: { Volume: { Name: 'vol1', Mountpoint: '' } } });
  plugin.script('Mount', { json: { Mountpoint: mountpoint } });
});
afterEach(() => plugin.stop());

interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: readonly string[];
}
/** `gone`: nobody reads there any more; `full`: a disk without room. */
type Output = 'read' | 'gone' | 'full';
function dvdcli(argv: readonly string[], stdout: Output = 'read', stderr: Output = 'read'): Promise<Ran> {
  const before = plugin.calls.length;
  const stdio: StdioOptions = [
    'ignore',
    stdout === 'full' ? full : 'pipe',
    stderr === 'full' ? full : 'pipe',
  ];
  const child = spawn(process.execPath, [program, ...argv], {
    stdio,
    env: { PATH: process.env['PATH'], [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const texts = { stdout: '', stderr: '' };
  for (const [name, output] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    if (output === 'gone') child[name]?.destroy();
    else child[name]?.on('data', (chunk: Buffer) => (texts[name] += chunk.toString('utf8')));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      const requests = plugin.calls.slice(before).map(({ method }) => method.replace('VolumeDriver.', ''));
      resolve({ exitCode, ...texts, requests });
    });
  });
}
const MOUNTED = ['Plugin.Activate', 'Get', 'Mount'];
const UNDONE = ['Plugin.Activate', 'Unmount'];

describe.each(['gone', 'full'] as const)('whose log is %s', (stderr) => {
  it('a mount prints its path and succeeds all the same', async () => {
    const ran = await dvdcli(['mount', ...NAMED, '--volumeopts=a=b'], 'read', stderr);
    expect(ran).toMatchObject({ exitCode: 0, stdout: `${mountpoint}\n`, requests: MOUNTED });
  });
  it('a failure and wrong usage keep their exit codes', async () => {
    plugin.script('Mount', { json: { Err: 'no' } });
    expect(await dvdcli(['mount', ...NAMED], 'read', stderr)).toMatchObject({ exitCode: 1, stdout: '' });
    expect(await dvdcli(['mount', ...NAMED, '--force'], 'read', stderr)).toMatchObject({ exitCode: 64 });
  });
});

describe.each(['gone', 'full'] as const)('whose output is %s', (stdout) => {
  it('a mount says in the log where it is, fails, and is not taken back: somebody else may use it', async () => {
    const ran = await dvdcli(['mount', ...NAMED], stdout);
    expect(ran).toMatchObject({ exitCode: 1, requests: MOUNTED });
    expect(ran.stderr).toMatch(/level=error msg="the output could not be written \(E\w+\)[^\n]*" /);
    expect(ran.stderr).toContain(`is mounted at ${mountpoint}`);
  });
  it('a mount with --json does the same', async () => {
    const ran = await dvdcli(['mount', ...NAMED, '--json'], stdout);
    expect(ran).toMatchObject({ exitCode: 1, requests: MOUNTED });
    expect(ran.stderr).toContain(`is mounted at ${mountpoint}`);
  });
  it('a list fails, and an unmount, which prints nothing, succeeds', async () => {
    plugin.script('List', { json: { Volumes: [{ Name: 'a' }] } });
    expect(await dvdcli(['list', '--volumedriver=fake'], stdout)).toMatchObject({ exitCode: 1 });
    expect(await dvdcli(['unmount', ...NAMED], stdout)).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('edge case 13: a mountpoint that the file system refuses to look at', () => {
  it.each([
    ['a name that is too long', () => `/tmp/${'x'.repeat(300)}`],
    ['a path that is too long', () => '/tmp/x'.repeat(1_000)],
    ['a path longer than any argument', () => '/tmp/x'.repeat(50_000)],
    ['a path below a file', () => join(scratch, 'file', 'below')],
    ['a path below a file of another file system', () => '/proc/version/below'],
    ['a long name in another file system', () => `/proc/${'x'.repeat(300)}`],
  ])('is refused in words, and unmounted again: %s', async (_, path) => {
    writeFileSync(join(scratch, 'file'), '');
    plugin.script('Mount', { json: { Mountpoint: path() } });
    const ran = await dvdcli(['mount', ...NAMED]);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: [...MOUNTED, ...UNDONE] });
    expect(ran.stderr).toMatch(/msg="the driver gave the mountpoint [^\n]*; unmounted again" \n$/);
    // Nobody reads a log line of 300 kB.
    expect(ran.stderr.length).toBeLessThan(2_000);
  });
});

describe('an empty mountpoint', () => {
  it('is asked for again, because some drivers say where only when asked', async () => {
    plugin.script('Mount', { json: {} });
    plugin.script('Path', { json: { Mountpoint: mountpoint } });
    const ran = await dvdcli(['mount', ...NAMED]);
    expect(ran).toMatchObject({ exitCode: 0, stdout: `${mountpoint}\n`, requests: [...MOUNTED, 'Path'] });
  });
  it.each([
    ['is empty too', { json: { Mountpoint: '' } }],
    ['is refused', { status: 500, json: { Err: 'no idea' } }],
    ['is not known as a verb', { status: 404, text: '404 page not found\n' }],
  ])('edge case 13: is refused and unmounted again where the answer %s', async (_, answer) => {
    plugin.script('Mount', { json: { Mountpoint: '' } });
    plugin.script('Path', answer);
    const ran = await dvdcli(['mount', ...NAMED]);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: [...MOUNTED, 'Path', ...UNDONE] });
    expect(ran.stderr).toContain('the driver gave no mountpoint');
  });
});

describe('a plugin directory with odd entries', () => {
  it('holds nobody up: what is no regular file is no plugin file', async () => {
    execFileSync('mkfifo', ['pipe.spec', 'pipe.json'], { cwd: plugin.pluginDirectory });
    const ran = await dvdcli(['mount', '--volumedriver=pipe', '--volumename=vol1', '--timeout=1s']);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: [] });
    expect(ran.stderr).toContain('plugin not found');
  });
  it('is to the doctor what it is to a mount: only what is a plugin file names a driver', async () => {
    const directory = plugin.pluginDirectory;
    execFileSync('mkfifo', ['pipe.spec'], { cwd: directory });
    for (const name of ['fake.spec.bak', 'README', 'plain.sock', '.spec'])
      writeFileSync(join(directory, name), 'unix:///nowhere.sock');
    for (const name of ['empty', 'dir.json', 'a'.repeat(64), 'deep']) mkdirSync(join(directory, name));
    writeFileSync(join(directory, 'deep', 'deep.spec'), `unix://${join(directory, 'fake.sock')}`);
    symlinkSync('loop', join(directory, 'loop'));
    plugin.script('List', { json: { Volumes: [] } });
    const ran = await dvdcli(['doctor', '--json']);
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      findings: [
        { about: `plugin directory ${directory}`, says: 'deep, fake' },
        { about: 'driver deep', state: 'fine' },
        { about: 'driver fake', state: 'fine' },
      ],
    });
  });
});

describe('wrong usage with --json', () => {
  it.each([
    ['an unknown flag before it', ['mount', ...NAMED, '--force', '--json']],
    ['an unknown flag after it', ['mount', '--json', ...NAMED, '--force']],
    ['a bad value', ['mount', ...NAMED, '--json=true', '--timeout=soon']],
    ['no command', ['--json']],
    ['no name', ['mount', '--volumedriver=fake', '--json']],
  ])('is one JSON object too: %s', async (_, argv) => {
    const ran = await dvdcli(argv);
    expect(ran).toMatchObject({ exitCode: 64, requests: [] });
    expect(JSON.parse(ran.stdout)).toEqual({
      error: { code: 'invalid', message: expect.any(String) as string, certain: true },
    });
  });
  it('is none where it was not asked for', async () => {
    for (const json of ['--json=false', '--jsonx', '--json=maybe'])
      expect(await dvdcli(['mount', ...NAMED, '--force', json])).toMatchObject({ exitCode: 64, stdout: '' });
  });
});
