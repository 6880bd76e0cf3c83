/** What can be wrong before the driver is asked anything: names, sockets, files, the handshake. */
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VolumeError } from '../outcome.ts';
import { startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';
import { volumePlugin } from './client.ts';
import { parseJsonFile, parseSpecFile } from './endpoint.ts';
import { findPlugin } from './find-plugin.ts';

let home: string;
let plugin: ScriptedPlugin | undefined;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'finding-'));
});
afterEach(async () => {
  await plugin?.stop();
  plugin = undefined;
  rmSync(home, { recursive: true, force: true });
});

const reach = async (driver: string, reachMs = 100): Promise<string> => {
  const limits = { reachMs, otherMs: 150 };
  const directories = [home, join(home, 'etc')];
  const outcome = await volumePlugin({ driver, directories, timeLimits: limits }).list();
  return outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.error.code}: ${outcome.error.message}`;
};

describe('a plugin that is not there', () => {
  it('edge case 1: without a socket it is not found, within one deadline, and the places are named', async () => {
    const before = performance.now();
    const answer = await reach('nosuch');
    expect(answer).toMatch(/^not-done driver-not-found/);
    expect(answer).toContain(`${home}, ${join(home, 'etc')}`);
    expect(performance.now() - before).toBeLessThan(1_000);
  });
  it('edge case 1: it may come up within the deadline', async () => {
    const answer = reach('late', 5_000);
    plugin = await startScriptedPlugin(home, 'late');
    expect(await answer).toBe('done');
  });
  it('edge case 2: a socket that nobody listens on is unavailable, which is not the same as missing', async () => {
    // A server that closes takes its socket along, unless that lies elsewhere by then: as after a kill.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(home, 'first.sock'), resolve));
    renameSync(join(home, 'first.sock'), join(home, 'stale.sock'));
    await new Promise((resolve) => server.close(resolve));
    expect(await reach('stale')).toMatch(/^not-done driver-unavailable: .*ECONNREFUSED/);
    // Whoever starts it within the limit is reached.
    const later = reach('stale', 5_000);
    rmSync(join(home, 'stale.sock'));
    plugin = await startScriptedPlugin(home, 'stale');
    expect(await later).toBe('done');
  });
  it('edge case 3: a directory that may not be read is a matter of permission', async () => {
    const directory = join(home, 'secret');
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, 'hidden.spec'), 'tcp://127.0.0.1:1');
    const found = (): Promise<string> =>
      findPlugin('hidden', [directory]).then(
        () => 'found',
        (error: unknown) => (error as VolumeError).code,
      );
    expect(await asNobody(directory, found)).toBe('permission');
    chmodSync(directory, 0o755);
    chmodSync(join(directory, 'hidden.spec'), 0o600);
    expect(await asNobody(join(directory, 'hidden.spec'), found)).toBe('permission');
  });
  it.each([{ Implements: ['NetworkDriver'] }, { Implements: [] }, { Implements: null }, {}])(
    'edge case 6: a plugin that implements %j is no volume driver, at once',
    async (answer) => {
      plugin = await startScriptedPlugin(home, 'net');
      plugin.script('Plugin.Activate', { json: answer });
      expect(await reach('net', 5_000)).toMatch(/^not-done not-a-volume-driver/);
      expect(plugin.calls.map(({ method }) => method)).toEqual(['Plugin.Activate']);
    },
  );
});

/** Root may read everything, so the file is looked at as somebody else. */
async function asNobody<T>(path: string, act: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) {
    chmodSync(path, 0o000);
    return act().finally(() => chmodSync(path, 0o700));
  }
  const { seteuid } = process;
  if (seteuid === undefined) throw new Error('this process cannot change its user');
  chmodSync(home, 0o755);
  seteuid.call(process, 65_534);
  return act().finally(() => seteuid.call(process, 0));
}

describe('names of drivers', () => {
  it.each(['../odd', 'a/../odd', '/odd', '..', 'odd/', 'x\0y'])(
    'edge case 36: %j is refused before any path is made of it',
    async (driver) => {
      plugin = await startScriptedPlugin(home, 'odd');
      expect(await reach(driver)).toMatch(/^not-done invalid/);
      expect(plugin.calls).toEqual([]);
    },
  );
  it('edge case 36: the ID of a managed plugin and its socket are no way in', async () => {
    const id = 'ab'.repeat(32);
    plugin = await startScriptedPlugin(join(home, id), 'sshfs');
    expect(await reach(`${id}/sshfs`)).toMatch(/^not-done driver-not-found/);
    expect(plugin.calls).toEqual([]);
  });
});

describe('specification files', () => {
  it.each([
    [{}, /neither CAFile nor InsecureSkipVerify/],
    [{ CAFile: '' }, /neither CAFile nor InsecureSkipVerify/],
    [{ CertFile: '/c', KeyFile: '/k', InsecureSkipVerify: false }, /neither CAFile nor InsecureSkipVerify/],
  ])('edge case 37: TLS with %j is refused, where Docker would check no certificate', (tls, message) => {
    expect(() => parseJsonFile(JSON.stringify({ Addr: 'https://h:1', TLSConfig: tls }))).toThrow(message);
  });
  it('edge case 37: unchecked certificates have to be asked for in words', () => {
    const text = JSON.stringify({ Addr: 'https://h:1', TLSConfig: { InsecureSkipVerify: true } });
    expect(parseJsonFile(text)).toMatchObject({ tls: { insecureSkipVerify: true } });
  });
  it('edge case 38: a .json file is found and read, by the name of the file', async () => {
    plugin = await startScriptedPlugin(join(home, 'elsewhere'), 'odd');
    const address = `unix://${join(home, 'elsewhere', 'odd.sock')}`;
    writeFileSync(join(home, 'mine.json'), JSON.stringify({ Name: 'other', Addr: address }));
    mkdirSync(join(home, 'deep'));
    writeFileSync(join(home, 'deep', 'deep.json'), JSON.stringify({ Addr: address, TLSConfig: null }));
    expect(await reach('mine')).toBe('done');
    expect(await reach('deep')).toBe('done');
    expect(await reach('other')).toMatch(/driver-not-found/);
  });
  it('edge case 38: a .json file may name a TCP address', async () => {
    const server = createHttpServer((_, response) => response.end('{"Implements":["VolumeDriver"]}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    writeFileSync(join(home, 'x.json'), `{"Name":"y","Addr":"tcp://127.0.0.1:${port}","TLSConfig":null}`);
    expect(await reach('x')).toBe('done');
    await new Promise((resolve) => server.close(resolve));
  });
  const noAddress = ['{}', '{"Addr":7}', '{"Addr":""}', '{"Addr":"/no/scheme"}', '{"Addr":"tcp://a b"}'];
  it.each(['', '{', 'null', '7', '[]', ...noAddress, '{"Addr":"unix://relative"}'])(
    'edge case 38: %j in a .json file is refused, and the file is named',
    async (text) => {
      writeFileSync(join(home, 'broken.json'), text);
      const answer = await reach('broken');
      expect(answer).toMatch(/^not-done invalid/);
      expect(answer).toContain(join(home, 'broken.json'));
    },
  );
  it('has a .spec before a .json, and a socket before both', async () => {
    writeFileSync(join(home, 'two.json'), '{"Addr":"tcp://127.0.0.1:2"}');
    writeFileSync(join(home, 'two.spec'), ' tcp://127.0.0.1:1 \n');
    expect(await findPlugin('two', [home])).toEqual(parseSpecFile('tcp://127.0.0.1:1'));
    writeFileSync(join(home, 'two.sock'), 'a plain file is no socket');
    expect(await findPlugin('two', [home])).toEqual(parseSpecFile('tcp://127.0.0.1:1'));
    plugin = await startScriptedPlugin(join(home, 'two'), 'two');
    expect(await findPlugin('two', [home])).toEqual({ kind: 'unix', socketPath: join(home, 'two/two.sock') });
  });
  it('is a regular file, of a size that somebody may have written', async () => {
    mkdirSync(join(home, 'odd.spec'));
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(home, 'odd.json'), resolve));
    symlinkSync('/dev/zero', join(home, 'zero.spec'));
    symlinkSync('loop.spec', join(home, 'loop.spec'));
    for (const name of ['odd', 'zero', 'loop']) expect(await reach(name)).toMatch(/driver-not-found/);
    await new Promise((resolve) => socket.close(resolve));
    writeFileSync(join(home, 'long.spec'), `unix:///x${' '.repeat(1 << 20)}`);
    expect(await reach('long')).toMatch(/^not-done invalid: .*long\.spec cannot be used: it has more than/);
  });
  it('reads an IPv6 address, and goes there past any proxy', async () => {
    expect(parseSpecFile('tcp://[::1]:99')).toMatchObject({ url: new URL('http://[::1]:99') });
    writeFileSync(join(home, 'six.spec'), 'tcp://[::1]:1');
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = 'http://127.0.0.1:9';
    try {
      expect(await reach('six')).toMatch(/^not-done driver-unavailable.*::1/);
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['http_proxy'];
    }
  });
});
