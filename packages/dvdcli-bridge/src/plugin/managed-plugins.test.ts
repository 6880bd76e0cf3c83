/** Managed plugins, found through an Engine that is played by a small HTTP server. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import type { VolumeError } from '../outcome.ts';
import { pluginSocketVolumes } from '../plugin-socket/volumes.ts';
import { startScriptedPlugin, type ScriptedPlugin } from '../testing/scripted-plugin.ts';
import type { ConsumerId } from '../volumes.ts';
import { volumePlugin, type VolumePlugin } from './client.ts';
import type { PluginEndpoint } from './endpoint.ts';
import { engineEndpointFrom } from './engine-endpoint.ts';
import { hostPathOf, pluginNamed, readManagedPlugins, type ManagedPlugin } from './managed-plugins.ts';

const ID = 'a1'.repeat(32);
const sshfs = {
  Id: ID,
  Name: 'vieux/sshfs:latest',
  Enabled: true,
  Config: {
    Interface: { Socket: 'sshfs.sock', Types: ['docker.volumedriver/1.0'] },
    PropagatedMount: '/mnt/volumes',
  },
};

let home: string;
let engine: Server;
let answers: Record<string, { status?: number; body: unknown } | 'hang'>;
let asked: string[];
let plugin: ScriptedPlugin;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'managed-'));
  answers = { '/plugins': { body: [sshfs] }, '/info': { body: { DockerRootDir: join(home, 'docker') } } };
  asked = [];
  engine = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const answer = answers[request.url ?? ''];
    if (answer === 'hang') return;
    response.writeHead(answer?.status ?? (answer === undefined ? 404 : 200));
    response.end(JSON.stringify(answer?.body ?? { message: 'page not found' }));
  });
  await new Promise<void>((resolve) => engine.listen(join(home, 'engine.sock'), resolve));
  plugin = await startScriptedPlugin(join(home, 'plugins', ID), 'sshfs');
});
afterEach(async () => {
  await plugin.stop();
  engine.closeAllConnections();
  await new Promise((resolve) => engine.close(resolve));
  rmSync(home, { recursive: true, force: true });
});

const endpoint = (): PluginEndpoint => ({ kind: 'unix', socketPath: join(home, 'engine.sock') });
const open = (driver: string, at: PluginEndpoint | undefined = endpoint()): VolumePlugin =>
  volumePlugin({
    driver,
    directories: [join(home, 'nothing'), join(home, 'plugins')],
    engine: at,
    timeLimits: { reachMs: 100, otherMs: 300 },
  });
const failure = async (driver: string, at?: PluginEndpoint): Promise<VolumeError> => {
  const outcome = await open(driver, at).list();
  if (outcome.kind !== 'not-done') throw new Error(`${driver}: ${outcome.kind}`);
  return outcome.error;
};

describe('edge case 39: a managed plugin', () => {
  it.each(['vieux/sshfs', 'vieux/sshfs:latest', 'docker.io/vieux/sshfs'])(
    'is found as %s',
    async (driver) => {
      plugin.script('Mount', { json: { Mountpoint: '/mnt/volumes/es1data' } });
      plugin.script('Path', { json: { Mountpoint: '/state/es1data' } });
      plugin.script('List', { json: { Volumes: [{ Name: 'es1data', Mountpoint: '/mnt/volumes/es1data' }] } });
      const outside = join(home, 'docker/plugins', ID);
      const found = open(driver);
      expect(await found.mount('es1data', 'id')).toEqual({
        kind: 'done',
        value: join(outside, 'propagated-mount/es1data'),
      });
      expect(await found.path('es1data')).toEqual({
        kind: 'done',
        value: join(outside, 'rootfs/state/es1data'),
      });
      expect(await found.list()).toMatchObject({
        value: [{ mountpoint: join(outside, 'propagated-mount/es1data') }],
      });
      expect(asked).toEqual(['GET /plugins', 'GET /info']);
    },
  );

  it('attaches under the path on the host, not the one inside the plugin', async () => {
    const path = join(home, 'docker/plugins', ID, 'propagated-mount/es1data');
    mkdirSync(path, { recursive: true });
    plugin.script('Get', { json: { Volume: { Name: 'es1data' } } });
    plugin.script('Mount', { json: { Mountpoint: '/mnt/volumes/es1data' } });
    const volumes = pluginSocketVolumes({ directories: [join(home, 'plugins')], engine: endpoint() });
    const volume = { name: volumeName('es1data'), driver: 'vieux/sshfs' };
    expect(await volumes.attach(volume, 'task' as ConsumerId)).toMatchObject({ value: { hostPath: path } });
  });

  it('of a short name is asked for only when no directory has one', async () => {
    answers['/plugins'] = { body: [{ ...sshfs, Name: 'sshfs:latest' }] };
    expect((await open('sshfs').list()).kind).toBe('done');
    const local = await startScriptedPlugin(join(home, 'plugins'), 'sshfs');
    asked = [];
    expect((await open('sshfs').list()).kind).toBe('done');
    expect(asked).toEqual([]);
    await local.stop();
  });

  it('that is disabled is named, with the command that enables it', async () => {
    answers['/plugins'] = { body: [{ ...sshfs, Enabled: false }] };
    const error = await failure('vieux/sshfs');
    expect(error.code).toBe('driver-disabled');
    expect(error.message).toContain('docker plugin enable vieux/sshfs:latest');
  });

  it('that is something else is no volume driver', async () => {
    const networks = { Socket: 'n.sock', Types: [{ Prefix: 'docker', Capability: 'networkdriver' }] };
    answers['/plugins'] = { body: [{ ...sshfs, Config: { Interface: networks } }] };
    expect((await failure('vieux/sshfs')).code).toBe('not-a-volume-driver');
  });

  it('is not found where there is no Engine, no Engine is asked, or the Engine does not know it', async () => {
    expect((await failure('vieux/other')).message).toContain(
      'the Docker Engine manages no plugin of this name',
    );
    const nowhere: PluginEndpoint = { kind: 'unix', socketPath: join(home, 'no.sock') };
    expect((await failure('vieux/sshfs', nowhere)).message).toContain('no Docker Engine to ask');
    const alone = volumePlugin({ driver: 'vieux/sshfs', directories: [home], timeLimits: { reachMs: 50 } });
    expect(await alone.list()).toMatchObject({ kind: 'not-done', error: { code: 'driver-not-found' } });
  });

  it.each([
    ['/plugins', { status: 500, body: { message: 'oops' } }],
    ['/plugins', { body: { message: 'no list' } }],
    ['/plugins', 'hang'],
    ['/info', { status: 500, body: {} }],
    ['/info', { body: { DockerRootDir: 'relative' } }],
  ] as const)('is not guessed at when the Engine answers %s with %j', async (path, answer) => {
    answers[path] = answer;
    expect((await failure('vieux/sshfs')).code).toBe('driver-unavailable');
  });

  it.each(['/plugins', '/info'])(
    'is not waited for longer than a plugin would be when the Engine hangs at %s',
    async (path) => {
      answers[path] = 'hang';
      const directories = [join(home, 'plugins')];
      const limits = { reachMs: 200, otherMs: 60_000 };
      const started = performance.now();
      const asked = volumePlugin({
        driver: 'vieux/sshfs',
        directories,
        engine: endpoint(),
        timeLimits: limits,
      });
      expect(await asked.list()).toMatchObject({ kind: 'not-done', error: { code: 'driver-unavailable' } });
      expect(performance.now() - started).toBeLessThan(5_000);
    },
    10_000,
  );

  it('without its socket is unavailable, and the places searched are named', async () => {
    await plugin.stop();
    const error = await failure('vieux/sshfs');
    expect(error.code).toBe('driver-unavailable');
    expect(error.message).toContain(join(home, 'plugins', ID, 'sshfs.sock'));
  });
});

describe('the list of managed plugins', () => {
  it.each([
    '',
    '{}',
    'null',
    '[]',
    '[null]',
    '[7]',
    '[{"Id":"../x","Name":"a","Config":{"Interface":{"Socket":"s"}}}]',
  ])('%j holds none', (body) => {
    expect(readManagedPlugins(body) ?? []).toEqual([]);
  });
  it('does not take a socket out of its directory', () => {
    const escaping = { ...sshfs, Config: { Interface: { Socket: '../../docker.sock', Types: [] } } };
    expect(readManagedPlugins(JSON.stringify([escaping]))).toEqual([]);
  });
  it('has an enabled one before a disabled one, and keeps registries and tags apart', () => {
    const [one] = readManagedPlugins(JSON.stringify([sshfs]))!;
    const off: ManagedPlugin = { ...one!, enabled: false, id: '0' };
    expect(pluginNamed([off, one!], 'vieux/sshfs')).toBe(one);
    expect(pluginNamed([one!], 'vieux/sshfs:edge')).toBeUndefined();
    expect(pluginNamed([one!], 'other.example/vieux/sshfs')).toBeUndefined();
  });
});

describe('a path inside a managed plugin', () => {
  const [plain] = readManagedPlugins(JSON.stringify([sshfs]))!;
  const root = `/var/lib/docker/plugins/${ID}`;
  it.each([
    ['/mnt/volumes/v', `${root}/propagated-mount/v`],
    ['/mnt/volumes', `${root}/propagated-mount`],
    ['/mnt/volumesx/v', `${root}/rootfs/mnt/volumesx/v`],
    ['/mnt/volumes/../../etc', `${root}/rootfs/etc`],
    ['/../../../etc', `${root}/rootfs/etc`],
    ['', ''],
    ['relative', 'relative'],
  ])('%j is %j on the host', (path, expected) => {
    expect(hostPathOf(plain!, '/var/lib/docker', path)).toBe(expected);
  });
  it('has no propagated mount unless the plugin says so', () => {
    expect(hostPathOf({ ...plain!, propagatedMount: '' }, '/d', '/v')).toBe(`/d/plugins/${ID}/rootfs/v`);
  });
});

describe('where the Engine is', () => {
  it.each([
    [{}, { kind: 'unix', socketPath: '/var/run/docker.sock' }],
    [{ DOCKER_HOST: '' }, { kind: 'unix', socketPath: '/var/run/docker.sock' }],
    [{ DOCKER_HOST: 'unix:///x/docker.sock' }, { kind: 'unix', socketPath: '/x/docker.sock' }],
    [{ DOCKER_HOST: 'tcp://127.0.0.1:2375' }, { kind: 'tcp', url: new URL('http://127.0.0.1:2375') }],
    [
      { DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/c' },
      {
        kind: 'tcp',
        url: new URL('https://h:2376'),
        tls: {
          insecureSkipVerify: false,
          caFile: '/c/ca.pem',
          certFile: '/c/cert.pem',
          keyFile: '/c/key.pem',
        },
      },
    ],
    [{ DOCKER_HOST: 'ssh://user@host' }, undefined],
  ])('%j says %j', (environment, expected) => {
    expect(engineEndpointFrom(environment)).toEqual(expected);
  });
});
