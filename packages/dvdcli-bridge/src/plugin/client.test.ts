/** Every verb of the protocol, its limits, and what is tried again. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../outcome.ts';
import { startScriptedPlugin, type ScriptedAnswer, type ScriptedPlugin } from '../testing/scripted-plugin.ts';
import { volumePlugin, type PluginTimeLimits, type VolumePlugin } from './client.ts';

let home: string;
let scripted: ScriptedPlugin;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'client-'));
  scripted = await startScriptedPlugin(home, 'x');
});
afterEach(async () => {
  await scripted.stop();
  rmSync(home, { recursive: true, force: true });
});

const LONG: PluginTimeLimits = {
  reachMs: 300,
  createMs: 20_000,
  mountMs: 20_000,
  unmountMs: 20_000,
  removeMs: 20_000,
  otherMs: 20_000,
};
const open = (limits: Partial<PluginTimeLimits> = {}): VolumePlugin =>
  volumePlugin({ driver: 'x', directories: [home], timeLimits: { ...LONG, ...limits } });
const says = (outcome: Outcome<unknown>): string =>
  outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}`;
const asked = (): string[] => scripted.calls.map(({ method }) => method.replace('VolumeDriver.', ''));

type Ask = (plugin: VolumePlugin) => Promise<Outcome<unknown>>;
const VERBS: Readonly<Record<string, { ask: Ask; limit: keyof PluginTimeLimits; changes: boolean }>> = {
  Create: { ask: (plugin) => plugin.create('v1', { size: '1' }), limit: 'createMs', changes: true },
  Remove: { ask: (plugin) => plugin.remove('v1'), limit: 'removeMs', changes: true },
  Mount: { ask: (plugin) => plugin.mount('v1', 'id'), limit: 'mountMs', changes: true },
  Unmount: { ask: (plugin) => plugin.unmount('v1', 'id'), limit: 'unmountMs', changes: true },
  Path: { ask: (plugin) => plugin.path('v1'), limit: 'otherMs', changes: false },
  Get: { ask: (plugin) => plugin.get('v1'), limit: 'otherMs', changes: false },
  List: { ask: (plugin) => plugin.list(), limit: 'otherMs', changes: false },
  Capabilities: { ask: (plugin) => plugin.capabilities(), limit: 'otherMs', changes: false },
};

describe.each(Object.entries(VERBS))('%s', (verb, { ask, limit, changes }) => {
  it(`has a limit of its own, ${limit}, after which nobody knows`, async () => {
    scripted.script(verb, 'hang');
    const plugin = open({ [limit]: 100 });
    expect(says(await ask(plugin))).toBe('unknown time-limit');
    expect(asked()).toEqual(['Plugin.Activate', verb]);
  });
  it(changes ? 'is not repeated after its connection broke' : 'is repeated: it changes nothing', async () => {
    scripted.script(verb, 'die', { json: { Mountpoint: '/mnt' } });
    expect(says(await ask(open()))).toBe(changes ? 'unknown driver-unavailable' : 'done');
    expect(asked().filter((name) => name === verb)).toHaveLength(changes ? 1 : 2);
  });
  it('is repeated while nobody listens, for then nothing was sent', async () => {
    const plugin = open();
    await plugin.list();
    await scripted.stop();
    const later = ask(plugin);
    scripted = await startScriptedPlugin(home, 'x');
    scripted.script(verb, { json: { Mountpoint: '/mnt' } });
    expect(says(await later)).toBe('done');
    expect(asked()).toEqual(['Plugin.Activate', verb]);
  });
  it('certainly did not happen where nobody comes to listen', async () => {
    const plugin = open();
    await plugin.list();
    renameSync(join(home, 'x.sock'), join(home, 'y.sock'));
    expect(says(await ask(plugin))).toBe('not-done driver-not-found');
  });
  it('ends with the operation that it is part of', async () => {
    scripted.script(verb, 'hang');
    const plugin = open();
    expect(says(await ask(plugin.within(AbortSignal.timeout(100))))).toBe('unknown time-limit');
    const over = await ask(plugin.within(AbortSignal.abort()));
    expect(says(over)).toBe('not-done time-limit');
    expect(over.kind !== 'done' && over.error.message).toContain('time limit of the whole operation');
    expect(asked().filter((name) => name === verb)).toHaveLength(1);
  });
});

describe('the scope of a driver', () => {
  it.each<[ScriptedAnswer, string]>([
    [{ json: { Capabilities: { Scope: 'global' } } }, 'global'],
    [{ json: { capabilities: { scope: 'GLOBAL' } } }, 'global'],
    [{ json: { Capabilities: { Scope: 'local' } } }, 'local'],
    [{ json: { Capabilities: { Scope: 'galactic' } } }, 'local'],
    [{ json: { Capabilities: { Scope: 7 } } }, 'local'],
    [{ json: { Capabilities: null } }, 'local'],
    [{ json: {} }, 'local'],
    [{ json: { Err: 'not implemented' } }, 'local'],
    [{ status: 404, text: '404 page not found' }, 'local'],
    [{ status: 500, json: { Err: 'ill' } }, 'local'],
    ['garbage', 'local'],
  ])('%j means %s', async (answer, scope) => {
    scripted.script('Capabilities', answer);
    expect(await open().capabilities()).toEqual({ kind: 'done', value: scope });
  });
});

describe('a Mount that gives no mountpoint', () => {
  it.each([{ json: {} }, { json: { Mountpoint: '' } }, { json: { Mountpoint: null } }])(
    '%j: Path is asked',
    async (answer) => {
      scripted.script('Mount', answer);
      scripted.script('Path', { json: { Mountpoint: '/mnt/v1' } });
      expect(await open().mount('v1', 'id')).toEqual({ kind: 'done', value: '/mnt/v1' });
    },
  );
  it.each<ScriptedAnswer>([{ json: {} }, { json: { Err: 'no' } }, { status: 404, text: 'no' }, 'garbage'])(
    'stays without one where Path says %j',
    async (answer) => {
      scripted.script('Path', answer);
      expect(await open().mount('v1', 'id')).toEqual({ kind: 'done', value: '' });
    },
  );
});

describe('a volume’s Status', () => {
  it.each([
    [{ Disk: 'sda', Mounts: ['id'] }, { Disk: 'sda', Mounts: ['id'] }, ['id']],
    [{ Mounts: 'many' }, { Mounts: 'many' }, undefined],
    ['text', undefined, undefined],
    [null, undefined, undefined],
  ])('%j is given as it is, where it is one', async (said, status, mounts) => {
    scripted.script('Get', { json: { Volume: { Name: 'v1', Status: said } } });
    const got = await open().get('v1');
    expect(got).toMatchObject({ kind: 'done', value: { kind: 'present' } });
    expect(got.kind === 'done' && got.value.kind === 'present' && got.value.volume).toEqual({
      name: 'v1',
      mountpoint: '',
      mounts,
      status,
    });
  });
});

describe('the life of a plugin', () => {
  it('is told from the next by its socket, and the handshake is made anew', async () => {
    const plugin = open();
    expect(plugin.incarnation()).toBeUndefined();
    await plugin.list();
    const first = plugin.incarnation();
    await plugin.list();
    expect(plugin.incarnation()).toBe(first);
    expect(asked()).toEqual(['Plugin.Activate', 'List', 'List']);
    await scripted.stop();
    scripted = await startScriptedPlugin(home, 'x');
    await plugin.list();
    expect(plugin.incarnation()).not.toBe(first);
    expect(asked()).toEqual(['Plugin.Activate', 'List']);
  });
});
