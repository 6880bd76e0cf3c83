/**
 * The table of differences in docs/dvdcli.md, both columns: ours, and the original's as the program plays it that the
 * tests use in its place; where DVDCLI names a real one, that too.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PLUGIN_DIRECTORIES_VARIABLE } from '../plugin/find-plugin.ts';
import { programInPath } from '../testing/availability.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { startScriptedEngine } from '../testing/scripted-engine.ts';
import { startScriptedPlugin, type ScriptedAnswer, type ScriptedPlugin } from '../testing/scripted-plugin.ts';

const DRIVER = `differences${process.pid}`;
const DOCKER_PLUGINS = '/run/docker/plugins';
const NAMED = [`--volumedriver=${DRIVER}`, '--volumename=vol1'];
const GET: ScriptedAnswer = { json: { Volume: { Name: 'vol1', Mountpoint: '' } } };
const ABSENT: ScriptedAnswer = { json: { Err: 'no such volume' } };

interface Row {
  /** As in the table's first column. */
  readonly row: string;
  readonly argv: readonly string[];
  readonly answers?: Readonly<Record<string, ScriptedAnswer>>;
  /** Exit code and standard output. */
  readonly original: readonly [number, string];
  readonly ours: readonly [number, string];
}
const ROWS: readonly Row[] = [
  { row: 'unknown flag', argv: ['mount', ...NAMED, '--force'], original: [0, ''], ours: [64, ''] },
  { row: 'unknown flag', argv: ['mout', ...NAMED], original: [0, ''], ours: [64, ''] },
  {
    row: '`--explicitCreate[=true]`',
    argv: ['mount', ...NAMED, '--explicitCreate=true'],
    original: [0, ''],
    ours: [0, '/tmp\n'],
  },
  {
    row: 'option without `=`',
    argv: ['create', ...NAMED, '--volumeopts=size'],
    original: [2, ''],
    ours: [64, ''],
  },
  { row: 'empty option', argv: ['create', ...NAMED, '--volumeopts='], original: [2, ''], ours: [0, ''] },
  {
    row: 'no or empty `--volumename`',
    argv: ['create', `--volumedriver=${DRIVER}`],
    original: [0, ''],
    ours: [64, ''],
  },
  {
    row: 'empty, relative or missing mountpoint',
    argv: ['mount', ...NAMED],
    answers: { Mount: { json: { Mountpoint: '' } } },
    original: [0, '\n'],
    ours: [1, ''],
  },
  {
    row: 'second mount, "already mounted"',
    argv: ['mount', ...NAMED],
    answers: {
      Mount: { status: 500, json: { Err: 'volume is already mounted by this id' } },
      Path: { json: { Mountpoint: '/proc' } },
    },
    original: [1, ''],
    ours: [0, '/proc\n'],
  },
  {
    row: 'Get names another volume',
    argv: ['unmount', ...NAMED],
    answers: { Get: { json: { Volume: { Name: 'other' } } } },
    original: [0, ''],
    ours: [1, ''],
  },
  {
    row: 'driver without Get',
    argv: ['unmount', ...NAMED],
    answers: { Get: { status: 404, text: '404 page not found\n' } },
    original: [1, ''],
    ours: [0, ''],
  },
  {
    row: 'driver without Get',
    argv: ['remove', ...NAMED],
    answers: { Get: { status: 404, text: '404 page not found\n' }, Path: { json: { Mountpoint: '' } } },
    original: [1, ''],
    ours: [0, ''],
  },
  {
    row: 'names outside the rules below',
    argv: ['get', `--volumedriver=${DRIVER}`, '--volumename=x'],
    answers: { Get: { json: { Volume: { Name: 'x', Mountpoint: '' } } } },
    original: [0, 'x\n'],
    ours: [64, ''],
  },
  {
    row: '`path` where the driver lists no mount',
    argv: ['path', ...NAMED],
    answers: { Get: { json: { Volume: { Name: 'vol1', Mountpoint: '/mnt/x', Status: { Mounts: [] } } } } },
    original: [0, '/mnt/x\n'],
    ours: [0, ''],
  },
  {
    row: '`remove` of a mounted volume',
    argv: ['remove', ...NAMED],
    answers: { Get: { json: { Volume: { Name: 'vol1', Mountpoint: '/proc' } } } },
    original: [0, ''],
    ours: [1, ''],
  },
  // What is the same for both, so that the rows above are about what they say.
  { row: '', argv: ['mount', ...NAMED], original: [0, '/tmp\n'], ours: [0, '/tmp\n'] },
  {
    row: '',
    argv: ['mount', ...NAMED, '--explicitcreate'],
    answers: { Get: ABSENT },
    original: [1, ''],
    ours: [1, ''],
  },
];

const scratch = mkdtempSync(join(tmpdir(), 'differences-'));
const programs = { ours: '', original: '' };
const real = process.env['DVDCLI'] ?? '';
let plugin: ScriptedPlugin;
let made = 0;
beforeAll(async () => {
  const built = await buildPrograms(scratch);
  Object.assign(programs, { ours: built.dvdcli, original: built.originalDvdcli });
});
beforeEach(async () => {
  made += 1;
  plugin = await startScriptedPlugin(join(scratch, String(made)), DRIVER);
});
afterEach(async () => {
  await plugin.stop();
  if (real !== '') rmSync(join(DOCKER_PLUGINS, `${DRIVER}.sock`), { force: true });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function run(program: string, { argv, answers }: Row): Promise<readonly [number | undefined, string]> {
  plugin.script('Get', GET);
  plugin.script('Mount', { json: { Mountpoint: '/tmp' } });
  for (const [verb, answer] of Object.entries(answers ?? {})) plugin.script(verb, answer);
  const env = { [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory };
  const ran = await execa(program, argv, { stdin: 'ignore', reject: false, stripFinalNewline: false, env });
  return [ran.exitCode, ran.stdout];
}
/** Our command with these arguments before the plugin, in this environment; its exit code and both outputs. */
function ours(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory, ...environment };
  return execa(programs.ours, argv, { stdin: 'ignore', reject: false, stripFinalNewline: false, env });
}
const title = ({ row, argv }: Row): string => `${row}: ${argv.join(' ').replaceAll(DRIVER, 'D')}`;
const TITLED = ROWS.map((row) => ({ ...row, title: title(row) }));
const noReal = real === '' ? ' (skipped: DVDCLI names no original dvdcli)' : '';

const script = programInPath('script');
const noScript = script === undefined ? ' (skipped: no script command)' : '';

describe('a difference', () => {
  it.each(TITLED)('is in the table: $title', ({ row }) => {
    const table = readFileSync(new URL('../../../../docs/dvdcli.md', import.meta.url), 'utf8');
    expect(table).toContain(row);
  });
  it.each(TITLED)('is so with ours: $title', async (row) => {
    expect(await run(programs.ours, row)).toEqual(row.ours);
  });
  it.each(TITLED)('is so with the program in the original’s place: $title', async (row) => {
    expect(await run(programs.original, row)).toEqual(row.original);
  });
  describe.skipIf(real === '')(`and so with the original${noReal}`, () => {
    it.each(TITLED)('$title', async (row) => {
      mkdirSync(DOCKER_PLUGINS, { recursive: true });
      symlinkSync(join(plugin.pluginDirectory, `${DRIVER}.sock`), join(DOCKER_PLUGINS, `${DRIVER}.sock`));
      expect(await run(real, row)).toEqual(row.original);
    });
  });
});

describe('a difference in what ours says', () => {
  it.each([200, 500])('error texts have the same form with HTTP status %d', async (status) => {
    plugin.script('Get', GET);
    plugin.script('Mount', { status, json: { Err: 'no room' } });
    const ran = await ours(['mount', ...NAMED]);
    expect(ran.stderr).toMatch(/^time="\S+" level=error msg="VolumeDriver\.Mount: no room" \n$/);
  });
  it('a driver that cannot be looked up is said in the original’s line, and in one with what to do', async () => {
    plugin.script('Plugin.Activate', { json: { Implements: ['NetworkDriver'] } });
    const { exitCode, stderr } = await ours(['mount', ...NAMED]);
    expect(exitCode).toBe(1);
    expect(stderr.split('\n').map((line) => line.replace(/^time="[^"]*" /, ''))).toEqual([
      expect.stringMatching(
        `^level=info msg="Error looking up volume plugin ${DRIVER}: .*" volumeDriver=${DRIVER} $`,
      ),
      expect.stringMatching(`^level=error msg=".*does not implement VolumeDriver" volumeDriver=${DRIVER} $`),
      '',
    ]);
  });
  it.skipIf(script === undefined)(
    `on a terminal the log has the form that it has in a file${noScript}`,
    async () => {
      plugin.script('Get', GET);
      plugin.script('Mount', { json: { Mountpoint: '/tmp' } });
      const argv = ['mount', ...NAMED].join(' ');
      const { stdout } = await execa('script', ['-qec', `${programs.ours} ${argv}`, '/dev/null'], {
        stdin: 'ignore',
        env: { [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory },
      });
      expect(stdout).toMatch(/^\/tmp\r?\ntime="\S+" level=info msg="\/tmp" \r?$/);
    },
  );
  it('a managed plugin is found through the Engine, and its path is the host’s', async () => {
    const id = 'e5'.repeat(32);
    const root = join(scratch, 'docker');
    const path = join(root, 'plugins', id, 'propagated-mount', 'vol1');
    mkdirSync(path, { recursive: true });
    const directory = join(scratch, 'managed');
    const managed = await startScriptedPlugin(join(directory, id), 'm');
    managed.script('Get', GET);
    managed.script('Mount', { json: { Mountpoint: '/mnt/vol1' } });
    const socket = join(scratch, 'engine.sock');
    const about = { name: 'vendor/m:1', id, socket: 'm.sock', root, propagatedMount: '/mnt' };
    const engine = await startScriptedEngine(socket, about);
    const environment = { [PLUGIN_DIRECTORIES_VARIABLE]: directory, DOCKER_HOST: `unix://${socket}` };
    const ran = await ours(['mount', '--volumedriver=vendor/m:1', '--volumename=vol1'], environment);
    await Promise.all([managed.stop(), engine.stop()]);
    expect(ran).toMatchObject({ exitCode: 0, stdout: `${path}\n` });
  });
});
