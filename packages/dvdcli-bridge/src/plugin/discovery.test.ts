/** Where plugins are looked for, and in which order. What can go wrong there: edge-cases.test.ts. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome, VolumeError } from '../outcome.ts';
import { startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';
import { volumePlugin, type VolumePlugin } from './client.ts';

let home: string;
let running: ScriptedPlugin[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'discovery-'));
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((plugin) => plugin.stop()));
  rmSync(home, { recursive: true, force: true });
});

const inHome = (...names: string[]): string => join(home, ...names);
/** A plugin that lists one volume, `name`. */
async function start(directory: string, name: string): Promise<ScriptedPlugin> {
  const plugin = await startScriptedPlugin(directory, name);
  plugin.script('List', { json: { Volumes: [{ Name: `${name}-volume` }] } });
  running.push(plugin);
  return plugin;
}
const open = (driver: string, reachMs = 100, directories = [inHome('run'), inHome('etc')]): VolumePlugin =>
  volumePlugin({ driver, directories, timeLimits: { reachMs, otherMs: 1_000 } });
async function listed(driver: string): Promise<string | undefined> {
  const outcome = await open(driver).list();
  return outcome.kind === 'done' ? outcome.value[0]?.name : outcome.error.code;
}
function refusal(outcome: Outcome<unknown>): VolumeError {
  if (outcome.kind !== 'not-done') throw new Error(`not a refusal: ${outcome.kind}`);
  return outcome.error;
}
function spec(directory: string, file: string, text: string): void {
  mkdirSync(inHome(directory), { recursive: true });
  writeFileSync(inHome(directory, file), text);
}

describe('a plugin is found', () => {
  it('by its socket, in a directory of its name, by a link, and by its files, in this order', async () => {
    await start(inHome('sockets'), 'by-json');
    spec('etc', 'x.json', JSON.stringify({ Addr: `unix://${inHome('sockets', 'by-json.sock')}` }));
    expect(await listed('x')).toBe('by-json-volume');
    await start(inHome('sockets'), 'by-spec');
    spec('etc', 'x.spec', `\n unix://${inHome('sockets', 'by-spec.sock')} \n`);
    expect(await listed('x')).toBe('by-spec-volume');
    await start(inHome('sockets'), 'by-link');
    mkdirSync(inHome('run'), { recursive: true });
    symlinkSync(inHome('sockets', 'by-link.sock'), inHome('run', 'x.sock'));
    expect(await listed('x')).toBe('by-link-volume');
    rmSync(inHome('run', 'x.sock'));
    await start(inHome('run', 'x'), 'x');
    expect(await listed('x')).toBe('x-volume');
  });
});

describe('a plugin that cannot be used', () => {
  it('refuses the handshake, in words of its own', async () => {
    const plugin = await start(inHome('run'), 'x');
    plugin.script('Plugin.Activate', { status: 500, text: 'no licence' });
    const error = refusal(await open('x', 60_000).list());
    expect([error.code, error.driverMessage]).toEqual(['driver-error', 'no licence']);
  });
});
