/** The command as a process in an environment that is ill: whoever reads its output has gone, the driver's path is none. */
import { execFileSync, spawn, spawnSync, type StdioOptions } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PLUGIN_DIRECTORIES_VARIABLE } from '../plugin/find-plugin.ts';
import { programInPath } from '../testing/availability.ts';
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
function dvdcli(
  argv: readonly string[],
  stdout: Output = 'read',
  stderr: Output = 'read',
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const before = plugin.calls.length;
  const stdio: StdioOptions = [
    'ignore',
    stdout === 'full' ? full : 'pipe',
    stderr === 'full' ? full : 'pipe',
  ];
  const child = spawn(process.execPath, [program, ...argv], {
    stdio,
    env: {
      PATH: process.env['PATH'],
      [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory,
      ...environment,
    },
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
  it('holds nobody up by a certificate that is a pipe', async () => {
    const directory = plugin.pluginDirectory;
    execFileSync('mkfifo', ['ca.pem'], { cwd: directory });
    const tls = { Addr: 'https://127.0.0.1:1', TLSConfig: { CAFile: join(directory, 'ca.pem') } };
    writeFileSync(join(directory, 'tls.json'), JSON.stringify(tls));
    const ran = await dvdcli(['mount', '--volumedriver=tls', '--volumename=vol1', '--timeout=1s']);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toContain(`${directory}/ca.pem is no regular file`);
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

describe('what is far too long', () => {
  const long = 'x'.repeat(100_000);
  it.each([
    ['the words of a driver', ['mount', ...NAMED], 1],
    ['a flag', ['mount', ...NAMED, `--${long}`], 64],
    ['a name', ['mount', '--volumedriver=fake', `--volumename=${long}`], 64],
    ['an option', ['mount', ...NAMED, `--volumeopts=${long}`], 64],
  ])('is cut in the log and in --json: %s', async (_, argv, exitCode) => {
    plugin.script('Mount', { status: 500, json: { Err: `full: ${long}` } });
    const ran = await dvdcli([...argv, '--json']);
    expect(ran).toMatchObject({ exitCode });
    expect(ran.stderr).toMatch(/x… \(\d+ more characters\)/);
    expect(ran.stderr.length).toBeLessThan(20_000);
    const { error } = JSON.parse(ran.stdout) as { error: { message: string } };
    expect(error.message).toMatch(/x… \(\d+ more characters\)/);
  });
  it('is sent whole where it is a value of an option', async () => {
    plugin.script('Get', { json: { Err: 'no such volume' } });
    expect(await dvdcli(['mount', ...NAMED, `--volumeopts=a=${long}`])).toMatchObject({ exitCode: 0 });
    expect(plugin.calls.find(({ method }) => method.endsWith('Create'))?.body.Opts).toEqual({ a: long });
  });
  it('is refused where it is the path of a socket, of which the system would use the beginning', async () => {
    const deep = join(scratch, 'd'.repeat(120));
    mkdirSync(deep, { recursive: true });
    renameSync(join(plugin.pluginDirectory, 'fake.sock'), join(deep, 'fake.sock'));
    writeFileSync(join(deep, 'spec.spec'), `unix://${deep}/fake.sock`);
    for (const name of ['fake', 'spec']) {
      const argv = ['mount', `--volumedriver=${name}`, '--volumename=vol1'];
      const ran = await dvdcli(argv, 'read', 'read', { [PLUGIN_DIRECTORIES_VARIABLE]: deep });
      expect(ran).toMatchObject({ exitCode: 1, stdout: '', requests: [] });
      expect(ran.stderr).toContain('no socket can be reached by a path of more than 107 bytes');
    }
  });
});

it('an option that is no text is refused: it would reach the driver as another one', async () => {
  const script = `exec "$0" "$1" create ${NAMED.join(' ')} --volumeopts="$(printf 'k=\\377')"`;
  const ran = spawnSync('sh', ['-c', script, process.execPath, program], {
    env: { PATH: process.env['PATH'], [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory },
    encoding: 'utf8',
  });
  expect(ran).toMatchObject({ status: 64, stdout: '' });
  expect(ran.stderr).toContain('is not valid UTF-8');
});

it('a plugin directory that cannot be read is said to the doctor with the reason', async () => {
  const loop = join(scratch, 'loop');
  symlinkSync(loop, loop);
  const directories = `${loop}:${program}:${plugin.pluginDirectory}`;
  plugin.script('List', { json: { Volumes: [] } });
  const ran = await dvdcli(['doctor'], 'read', 'read', { [PLUGIN_DIRECTORIES_VARIABLE]: directories });
  expect(ran.exitCode).toBe(1);
  expect(ran.stdout).toContain(`bad   plugin directory ${loop}: cannot be read (ELOOP)\n`);
  expect(ran.stdout).toContain(`bad   plugin directory ${program}: cannot be read (ENOTDIR)\n`);
  expect(ran.stdout).toContain('fine  driver fake: answers');
});

it('an address of an Engine that makes no sense is said once, and stops nothing', async () => {
  plugin.script('Mount', { json: { Mountpoint: 'relative' } });
  const ran = await dvdcli(['mount', ...NAMED], 'read', 'read', { DOCKER_HOST: 'nonsense' });
  expect(ran).toMatchObject({ exitCode: 1, requests: [...MOUNTED, ...UNDONE] });
  expect(ran.stderr.match(/no Docker Engine is asked for managed plugins/g)).toHaveLength(1);
});

const canUnshare = process.getuid?.() === 0 && programInPath('unshare') !== undefined;
const noUnshare = canUnshare ? '' : ' (skipped: takes root and unshare)';
describe.skipIf(!canUnshare)(`without a mount table${noUnshare}`, () => {
  const bare = (...argv: string[]) => {
    const script = `mount --make-rprivate / && umount -l /proc && exec "$@"`;
    return execa('unshare', ['-m', 'sh', '-c', script, 'sh', process.execPath, program, ...argv, ...NAMED], {
      reject: false,
      stdin: 'ignore',
      env: { [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory },
    });
  };
  it('nothing is removed, for it may be mounted, and a path is printed', async () => {
    plugin.script('Path', { json: { Mountpoint: '/mnt/x' } });
    const removed = await bare('remove');
    expect(removed).toMatchObject({ exitCode: 1, stdout: '' });
    expect(removed.stderr).toContain('the mount table cannot be read');
    expect(plugin.calls.map(({ method }) => method)).not.toContain('VolumeDriver.Remove');
    expect(await bare('path')).toMatchObject({ exitCode: 0, stdout: '/mnt/x' });
    expect((await bare('doctor')).stdout).toMatch(/has the path \/mnt\/x; the mount table cannot be read/);
  });
});
