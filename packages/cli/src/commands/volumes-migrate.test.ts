import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COPY_MARKER_FILE, MARKER_FILE } from '@mesos-elasticsearch/contract';
import { fakeVolumes, type FakeVolumes } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { migrateCommand } from './volumes-migrate.ts';

const IDENTITY = '11111111-1111-4111-8111-111111111111';
const volume = (name: string, driver: string) => ({ name, driver, options: {} });
const FORMER = { config: volume('es1config', 'old'), data: volume('es1data', 'old') };
const OWN = { config: volume('es1config', 'new'), data: volume('es1data', 'new') };

const node = (changes: object = {}) => ({
  ...{ nodeId: 1, phase: 'running', epoch: 6, why: 'it runs', failedTries: 0, volumes: OWN },
  formerVolumes: [{ volumes: FORMER, epoch: 5 }],
  ...changes,
});
const migration = (state: string, changes: object = {}) => ({
  ordered: { id: 'm', to: { data: { driver: 'new' } }, state, wantedHealth: 'green', why: 'it was ordered' },
  nodesToMove: [],
  nodes: [node()],
  waitsFor: [],
  ...changes,
});

/** Scheduler and Elasticsearch in one, that say what the test tells them to. */
let looks: object[];
let received: { method: string; url: string; body: unknown }[];
let server: http.Server;
let base: string;
let folder: string;
let volumes: FakeVolumes;

beforeEach(async () => {
  looks = [migration('done')];
  received = [];
  folder = mkdtempSync(join(tmpdir(), 'purge-'));
  volumes = fakeVolumes({ directory: folder });
  server = http.createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { method = '', url = '' } = request;
      if (method !== 'GET') received.push({ method, url, body: JSON.parse(text) });
      const body = answerTo(method, url);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

function answerTo(method: string, url: string): object {
  if (method !== 'GET') return { message: `${method} is recorded` };
  if (url.startsWith('/_cat/shards'))
    return [{ index: 'single', shard: '0', state: 'STARTED', node: 'es-1' }];
  if (url === '/v1/cluster') return { frameworkName: 'es', clusterIdentity: IDENTITY };
  if (url === '/v1/cluster/migration') return (looks.length > 1 ? looks.shift() : looks[0]) ?? {};
  const shown = { name: 'es-1', addresses: { http: base }, volumes: [], dataOnRecord: true, sinceMs: 0 };
  return { nodes: [{ ...node(), ...shown, waitsFor: [] }] };
}

async function run(words: readonly string[], ask?: () => Promise<string>, signal?: AbortSignal) {
  let text = '';
  const command = migrateCommand({
    to: { write: (more) => (text += more), nowMs: () => 0 },
    ask,
    pauseMs: 1,
    signal: () => signal ?? new AbortController().signal,
    volumes: () => volumes,
  });
  for (const each of [command, ...command.commands])
    each.exitOverride().configureOutput({ writeErr: () => undefined });
  const error = await command.parseAsync(['--api', `http://${base}`, ...words], { from: 'user' }).then(
    () => '',
    (failure: unknown) => (failure as Error).message,
  );
  return { text, error };
}

describe('volumes migrate', () => {
  it('names what will be away, and orders nothing without a yes', async () => {
    const { text, error } = await run(['--to', 'new']);
    expect(text).toContain('single: during the turn of es-1');
    expect(error).toContain('say --yes');
    expect((await run(['--to', 'new'], () => Promise.resolve('no'))).error).toBe('nothing was ordered');
    expect(received).toEqual([]);
  });

  it('names the volumes that may be written over before it asks', async () => {
    const words = ['--to', 'old', '--overwrite-former'];
    const { text } = await run(words, () => Promise.resolve('no'));
    expect(text).toContain('node 1: es1config and es1data of old, last marked in epoch 5');
    expect((await run(['--to', 'old'], () => Promise.resolve('no'))).text).not.toContain('epoch 5');
    const another = await run(['--to', 'other', '--overwrite-former'], () => Promise.resolve('no'));
    expect(another.text).toContain('No former volumes of other are on record');
    expect(received).toEqual([]);
  });

  it('orders, follows node, stage and bytes, and ends when it is done', async () => {
    const copy = {
      stage: 'copying',
      volumes: [
        { role: 'data', bytesTotal: 2_000_000, bytesCopied: 500_000, bytesVerified: 0, notKept: ['times'] },
      ],
    };
    looks = [
      migration('done'),
      migration('done', { pending: 'begin' }),
      migration('running', {
        waitsFor: [{ rule: 'migration-health', nodeId: 1, reason: 'shards relocate' }],
      }),
      migration('running', { nodes: [node({ stage: 'stopping' })] }),
      migration('running', { nodes: [node({ stage: 'copying', phase: 'migrating', copy, failedTries: 1 })] }),
      migration('done'),
    ];
    const words = [
      '--to',
      'new',
      '--options',
      'path=/{volume},size=1',
      '--accept-yellow',
      '--overwrite-former',
      '--yes',
    ];
    const { text, error } = await run(words);
    expect(error).toBe('');
    expect(text.trim().split('\n').slice(3)).toEqual([
      'PUT is recorded',
      '0 nodes are still to be moved',
      'waits: migration-health: shards relocate',
      'node 1: stopping',
      'node 1: copying 500.0 kB of 2.0 MB, 1 tries have failed, not kept: times',
      'done: it was ordered',
    ]);
    const options = { path: '/{volume}', size: '1' };
    const body = { to: 'new', options, wantedHealth: 'yellow', overwriteFormer: true };
    expect(received).toEqual([{ method: 'PUT', url: '/v1/cluster/migration', body }]);
  });

  it('shows what a rollback would cost, and gives up what a node has acknowledged by its name only', async () => {
    const turn = { stage: 'copied', phase: 'vacant' };
    looks = [migration('paused', { nodes: [node({ ...turn, failedStarts: 2, rollback: 'free' })] })];
    const { text } = await run(['status']);
    expect(text).toContain('Node 1: vacant on new; copied, 2 starts have failed, rollback is free');
    looks = [migration('paused', { nodes: [node({ ...turn, rollback: 'data-loss' })] })];
    expect((await run(['status'])).text).toContain('rollback would lose what only it has acknowledged');
    expect((await run(['rollback', '--accept-data-loss', 'all'])).error).toContain('a node ID is wanted');
    expect(received).toEqual([]);
    await run(['rollback', '--accept-data-loss', '1']);
    await run(['rollback']);
    expect(received.map(({ body }) => body)).toEqual([
      { change: 'rollback', acceptDataLoss: 1 },
      { change: 'rollback' },
    ]);
  });

  it('leaves it running when somebody leaves, and says so', async () => {
    looks = [migration('running')];
    const leaving = new AbortController();
    setImmediate(() => leaving.abort());
    const { text, error } = await run(['--to', 'new', '--yes'], undefined, leaving.signal);
    expect(error).toBe('');
    expect(text).toContain('goes on without this command');
    expect(received).toHaveLength(1);
  });

  it('fails with what to do when it is paused', async () => {
    looks = [migration('paused')];
    expect((await run(['--to', 'new', '--yes'])).error).toContain('volumes migrate resume');
  });

  it('shows where it stands, and gives the other orders', async () => {
    const { text } = await run(['status']);
    expect(text).toContain('To new: done (it was ordered)');
    expect(text).toContain('Node 1: running on new; former volumes kept: old (epoch 5)');
    for (const change of ['pause', 'resume', 'rollback']) {
      expect((await run([change])).text).toBe('PUT is recorded\n');
      expect(received.at(-1)?.body).toEqual({ change });
    }
  });

  it.each([[[]], [['--to', 'new', '--purge']], [['--to', 'new', '--options', 'size']]])(
    'does not take %j',
    async (words) => {
      expect((await run(words)).error).not.toBe('');
      expect(received).toEqual([]);
    },
  );
});

describe('volumes migrate --purge', () => {
  const marker = (role: string, changes: object = {}) => ({
    ...{
      format: 1,
      clusterIdentity: IDENTITY,
      frameworkName: 'es',
      clusterName: 'c',
      nodeId: 1,
      role,
      epoch: 5,
    },
    volumeIdentity: '22222222-2222-4222-8222-222222222222',
    ...changes,
  });
  async function prepare(changes: object = {}): Promise<void> {
    for (const role of ['config', 'data'] as const) {
      await volumes.ensure(FORMER[role] as never);
      mkdirSync(join(folder, FORMER[role].name), { recursive: true });
      write(role, MARKER_FILE, marker(role, role === 'data' ? changes : {}));
    }
  }
  const write = (role: 'config' | 'data', file: string, content: object) =>
    writeFileSync(join(folder, FORMER[role].name, file), JSON.stringify(content));
  const names = () => [...volumes.store.volumes.keys()].length;

  it('removes what is certainly the node’s from before its move, and tells the scheduler', async () => {
    await prepare();
    const { text, error } = await run(['--purge']);
    expect(error).toBe('');
    expect(text).toBe('node 1, old, epoch 5: removed es1config and es1data\n');
    expect(names()).toBe(0);
    expect(received).toEqual([
      { method: 'DELETE', url: '/v1/nodes/1/former-volumes', body: { driver: 'old', epoch: 5 } },
    ]);
  });

  it.each([
    ['another cluster', { clusterIdentity: '33333333-3333-4333-8333-333333333333' }, 'another cluster'],
    ['another framework', { frameworkName: 'other' }, 'framework other'],
    ['another node', { nodeId: 2 }, 'names node 2'],
    ['the other role', { role: 'config' }, 'the role config'],
    ['a newer epoch', { epoch: 6 }, 'it is newer'],
    ['no marker that can be read', { format: 9 }, 'cannot be read'],
  ])('keeps both when one is of %s', async (_name, changes, said) => {
    await prepare(changes);
    const { text, error } = await run(['--purge']);
    expect(text).toContain(said);
    expect(error).toContain('1 former volumes were kept');
    expect(names()).toBe(2);
    expect(received).toEqual([]);
  });

  it('keeps what has no marker, what the node runs on, and everything while its turn lasts', async () => {
    await prepare();
    rmSync(join(folder, 'es1data', MARKER_FILE));
    expect((await run(['--purge'])).text).toContain('it has no marker');
    looks = [migration('done', { nodes: [node({ volumes: FORMER })] })];
    expect((await run(['--purge'])).text).toContain('is what it runs on');
    looks = [migration('running', { nodes: [node({ stage: 'copied' })] })];
    expect((await run(['--purge'])).text).toContain('kept until it runs on its new volumes');
    expect(names()).toBe(2);
  });

  it('removes a half copy of its own', async () => {
    await prepare();
    rmSync(join(folder, 'es1data', MARKER_FILE));
    const { format, clusterIdentity, nodeId, role, epoch, volumeIdentity } = marker('data');
    const copy = { format, clusterIdentity, nodeId, role, epoch, volumeIdentity, migration: IDENTITY };
    write('data', COPY_MARKER_FILE, copy);
    expect((await run(['--purge'])).error).toBe('');
    expect(names()).toBe(0);
  });

  it('forgets what the driver does not know only on a word', async () => {
    expect((await run(['--purge'])).text).toContain('the driver knows neither volume here');
    expect(received).toEqual([]);
    expect((await run(['--purge', '--forget-missing'])).text).toContain('off the record');
    expect(received).toHaveLength(1);
  });

  it('keeps them when the driver does not answer for certain', async () => {
    await prepare();
    volumes.failNext('detach', 'unknown');
    expect((await run(['--purge'])).text).toContain('detaching es1config: unknown');
    expect(names()).toBe(2);
  });
});
