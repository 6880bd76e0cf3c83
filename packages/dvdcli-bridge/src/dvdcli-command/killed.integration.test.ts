/** What a kill of the command leaves behind: the table in docs/dvdcli.md. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PLUGIN_DIRECTORIES_VARIABLE } from '../plugin/find-plugin.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { startScriptedPlugin, type ScriptedAnswer, type ScriptedPlugin } from '../testing/scripted-plugin.ts';

const scratch = mkdtempSync(join(tmpdir(), 'killed-'));
const mountpoint = join(scratch, 'mnt', 'vol1');
const ABSENT: ScriptedAnswer = { json: { Err: 'no such volume' } };
const THERE: ScriptedAnswer = { json: { Volume: { Name: 'vol1', Mountpoint: '' } } };
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
  plugin = await startScriptedPlugin(join(scratch, `plugins-${made}`), 'fake');
  plugin.script('Get', THERE);
  plugin.script('Mount', { json: { Mountpoint: mountpoint } });
});
afterEach(() => plugin.stop());

const asked = (): string[] =>
  plugin.calls.map(({ method }) => method.replace(/^(VolumeDriver|Plugin)\./, ''));
function start(verb: string) {
  const child = spawn(process.execPath, [program, verb, '--volumedriver=fake', '--volumename=vol1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], [PLUGIN_DIRECTORIES_VARIABLE]: plugin.pluginDirectory },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString('utf8')));
  return { child, said, closed: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> };
}

describe('a kill', () => {
  const MOMENTS: readonly [string, string, Readonly<Record<string, ScriptedAnswer>>, readonly string[]][] = [
    ['Activate', 'mount', { 'Plugin.Activate': 'hang' }, ['Activate']],
    ['Get', 'mount', { Get: 'hang' }, ['Activate', 'Get']],
    ['Create', 'mount', { Get: ABSENT, Create: 'hang' }, ['Activate', 'Get', 'Create']],
    ['Mount', 'mount', { Mount: 'hang' }, ['Activate', 'Get', 'Mount']],
    ['Path', 'mount', { Mount: { json: {} }, Path: 'hang' }, ['Activate', 'Get', 'Mount', 'Path']],
    ['Unmount', 'unmount', { Unmount: 'hang' }, ['Activate', 'Get', 'Unmount']],
  ];
  it.each(MOMENTS)(
    'during %s of a %s takes nothing back, and prints nothing',
    async (at, verb, answers, before) => {
      for (const [method, answer] of Object.entries(answers)) plugin.script(method, answer);
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const) {
        const first = plugin.calls.length;
        const { child, said, closed } = start(verb);
        await vi.waitFor(() => expect(asked().slice(first).at(-1)).toBe(at), 20_000);
        child.kill(signal);
        expect(await closed).toEqual([null, signal]);
        expect(said).toEqual({ stdout: '', stderr: '' });
        expect(asked().slice(first)).toEqual(before);
      }
    },
  );
  it('while a refused path is taken back leaves it to the driver', async () => {
    plugin.script('Mount', { json: { Mountpoint: 'relative' } });
    plugin.script('Unmount', 'hang');
    const { child, said, closed } = start('mount');
    await vi.waitFor(() => expect(asked().at(-1)).toBe('Unmount'), 20_000);
    child.kill('SIGTERM');
    expect(await closed).toEqual([null, 'SIGTERM']);
    expect(said).toEqual({ stdout: '', stderr: '' });
  });
  it('is no reason for the next mount or unmount to fail', async () => {
    plugin.script('Get', ABSENT, THERE);
    plugin.script('Mount', 'hang', { json: { Mountpoint: mountpoint } });
    const killed = start('mount');
    await vi.waitFor(() => expect(asked().at(-1)).toBe('Mount'), 20_000);
    killed.child.kill('SIGKILL');
    await killed.closed;
    const again = start('mount');
    expect(await again.closed).toEqual([0, null]);
    expect(again.said.stdout).toBe(`${mountpoint}\n`);
    expect(await start('unmount').closed).toEqual([0, null]);
  });
});
