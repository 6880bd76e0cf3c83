/** Where plugins are looked for, and what is said of one that cannot be used. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
  it('although a plain file has its socket’s name', async () => {
    spec('run', 'x.sock', 'not a socket');
    await start(inHome('etc'), 'x');
    expect(await listed('x')).toBe('x-volume');
  });
  it('edge case 38: by a .json file with a TCP address', async () => {
    const server = createServer((_, response) =>
      response.end('{"Implements":["VolumeDriver"],"Volumes":[{"Name":"over-tcp"}]}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    spec('etc', 'x.json', `{"Name":"y","Addr":"tcp://127.0.0.1:${port}","TLSConfig":null}`);
    expect(await listed('x')).toBe('over-tcp');
    await new Promise((resolve) => server.close(resolve));
  });
  it.each(['', '{', 'null', '[]', '{"Addr":7}', '{"Addr":"/no/scheme"}', '{"Addr":"tcp://a b"}'])(
    'edge case 38: or its .json file is refused by name: %j',
    async (text) => {
      spec('etc', 'x.json', text);
      const error = refusal(await open('x').list());
      expect(error.code).toBe('invalid');
      expect(error.message).toContain(inHome('etc', 'x.json'));
    },
  );
  it('while it is still starting', async () => {
    const later = open('late', 5_000).list();
    await start(inHome('run'), 'late');
    expect((await later).kind).toBe('done');
  });
});

describe('a plugin that cannot be used', () => {
  it('edge case 1: is not there: said within the limit, with the places searched', async () => {
    const started = performance.now();
    const error = refusal(await open('x', 300).list());
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(error.code).toBe('driver-not-found');
    expect(error.message).toContain(`${inHome('run')}, ${inHome('etc')}`);
  });
  it('edge case 2: has left its socket behind: tried as long, and told apart from a missing one', async () => {
    const plugin = await startScriptedPlugin(inHome('run'), 'x');
    renameSync(inHome('run', 'x.sock'), inHome('run', 'stale.sock'));
    await plugin.stop();
    const error = refusal(await open('stale', 300).list());
    expect(error.code).toBe('driver-unavailable');
    expect(error.message).toContain('ECONNREFUSED');
    // Whoever starts it within the limit is reached.
    const later = open('stale', 5_000).list();
    rmSync(inHome('run', 'stale.sock'));
    await start(inHome('run'), 'stale');
    expect((await later).kind).toBe('done');
  });
  it.each([{ Implements: ['NetworkDriver'] }, { Implements: [] }, { Implements: null }, {}])(
    'edge case 6: says at the handshake that it is none: %j',
    async (answer) => {
      const plugin = await start(inHome('run'), 'x');
      plugin.script('Plugin.Activate', { json: answer });
      expect(refusal(await open('x', 60_000).mount('v1', 'id')).code).toBe('not-a-volume-driver');
      expect(plugin.calls.map(({ method }) => method)).toEqual(['Plugin.Activate']);
    },
  );
  it('refuses the handshake, in words of its own', async () => {
    const plugin = await start(inHome('run'), 'x');
    plugin.script('Plugin.Activate', { status: 500, text: 'no licence' });
    const error = refusal(await open('x', 60_000).list());
    expect([error.code, error.driverMessage]).toEqual(['driver-error', 'no licence']);
  });
});
