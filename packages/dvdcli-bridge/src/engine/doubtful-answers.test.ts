/** What the Engine says when it does not know itself, or is not itself, and what its host's mount table says to that. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import Docker from 'dockerode';
import nock from 'nock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import type { MountEntry } from '../mount-table.ts';
import { says } from '../testing/odd-driver.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { engineVolumes } from './volumes.ts';

const volume = { name: volumeName('elasticsearch1data'), driver: 'rexray', options: {} };
const task = 'task-1' as ConsumerId;
const root: MountEntry = { device: '8:1', root: '/', mountPoint: '/', fileSystem: 'ext4' };
const PLACE = '/var/lib/rexray/volumes/elasticsearch1data';
const there = (change: object = {}): object => ({
  ...{ Name: volume.name, Driver: 'rexray', Mountpoint: '', Scope: 'global', Options: null, ...change },
});

describe('an Engine', () => {
  let engine: nock.Scope;
  let table: MountEntry[];
  let volumes: Volumes;
  beforeEach(() => {
    nock.disableNetConnect();
    engine = nock('http://engine.test:2375');
    table = [root];
    volumes = engineVolumes({
      docker: new Docker({ host: 'engine.test', port: 2375, protocol: 'http' }),
      mountTable: () => table,
      otherMountTables: () => [],
    });
  });
  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
  });
  const get = () => engine.get(`/volumes/${volume.name}`);
  const absent = () => get().reply(404, { message: `get ${volume.name}: no such volume` });
  const listed = (list: unknown[]) =>
    engine.get('/volumes').query(true).reply(200, { Volumes: list, Warnings: null });
  const containers = (list: unknown) =>
    engine
      .get('/containers/json')
      .query(true)
      .reply(200, list as object);

  it.each([
    [
      500,
      { message: `create x: Post "http://p/VolumeDriver.Create": context deadline exceeded` },
      'time-limit',
    ],
    [500, { message: `create x: Post "http://p/VolumeDriver.Create": EOF` }, 'driver-unavailable'],
    [500, { message: 'create x: unexpected EOF' }, 'driver-unavailable'],
    [500, { message: 'create x: read unix: connection reset by peer' }, 'driver-unavailable'],
    [
      500,
      { message: "create x: invalid character '<' looking for beginning of value" },
      'driver-unavailable',
    ],
    [500, { message: 'create x: VolumeDriver.Create: <html>not found</html>' }, 'driver-unavailable'],
    [502, { message: 'Bad Gateway' }, 'driver-unavailable'],
    [504, { message: 'not found' }, 'time-limit'],
    [500, '<html>Internal Server Error: no such volume</html>', 'bad-answer'],
    [202, {}, 'bad-answer'],
    [204, '', 'bad-answer'],
  ])('that answers a create with %d %j does not know what became of it', async (status, body, code) => {
    absent();
    engine.post('/volumes/create').reply(status, body);
    expect(says(await volumes.ensure(volume))).toBe(`unknown ${code}`);
  });
  it.each([
    [{ message: 'create x: VolumeDriver.Create: disk is full' }, 'driver-error'],
    [
      { message: 'create x: dial unix /run/docker/plugins/p.sock: connect: connection refused' },
      'driver-unavailable',
    ],
  ])('that passes on %j has refused', async (body, code) => {
    absent();
    engine.post('/volumes/create').reply(500, body);
    expect(says(await volumes.ensure(volume))).toBe(`not-done ${code}`);
  });

  it.each([
    'nonsense',
    7,
    {},
    { Name: 'other', Driver: 'rexray', Mountpoint: '' },
    { Name: 7 },
    { Name: volume.name },
  ])('that describes %j when it is asked for the volume is not believed', async (answer) => {
    get().times(3).reply(200, JSON.stringify(answer));
    expect(says(await volumes.ensure(volume))).toBe('unknown bad-answer');
    expect(says(await volumes.attach(volume, task))).toBe('unknown bad-answer');
    expect(says(await volumes.remove(volume))).toBe('unknown bad-answer');
  });
  it.each([
    'nonsense',
    { Volumes: 7 },
    { Volumes: [null] },
    { Volumes: ['v'] },
    { Volumes: [], Warnings: 'no' },
  ])('that lists %j has not said that there is no volume', async (answer) => {
    absent();
    engine.get('/volumes').query(true).reply(200, JSON.stringify(answer));
    expect(says(await volumes.remove(volume))).toBe('unknown bad-answer');
  });
  it.each(['nonsense', {}, { list: [] }, [[null]], [[{ Id: 'x' }]]])(
    'that lists the containers as %j has not said that none has the volume',
    async (answer) => {
      const list = Array.isArray(answer) ? answer[0] : answer;
      get().reply(200, there());
      containers(JSON.stringify(list));
      expect(says(await volumes.remove(volume))).toBe('unknown bad-answer');
      containers(JSON.stringify(list));
      expect(says(await volumes.detach(volume, task))).toBe('unknown bad-answer');
    },
  );

  it.each([
    ['at its place', there({ Mountpoint: PLACE }), { ...root, device: '0:50', mountPoint: PLACE }],
    [
      'above its folder',
      there({ Mountpoint: `${PLACE}/data` }),
      { ...root, device: '0:50', mountPoint: PLACE },
    ],
    ['by its name', there(), { ...root, device: '0:50', mountPoint: PLACE }],
    [
      'bound elsewhere',
      there({ Mountpoint: PLACE }),
      { ...root, root: `${PLACE}/nodes`, mountPoint: '/data' },
    ],
  ])(
    'is not asked to remove what is mounted %s on its host, though no container has it',
    async (_, found, mount) => {
      table = [root, mount];
      get().reply(200, found);
      containers([]);
      expect(says(await volumes.remove(volume))).toBe('not-done in-use');
      expect(engine.isDone()).toBe(true);
    },
  );
  it('that still has what it removed is not believed', async () => {
    get().times(2).reply(200, there());
    containers([]);
    engine.delete(`/volumes/${volume.name}`).reply(204);
    expect(says(await volumes.remove(volume))).toBe('unknown bad-answer');
    get().reply(200, there());
    containers([]);
    engine.delete(`/volumes/${volume.name}`).reply(204);
    absent();
    listed([]);
    expect(says(await volumes.remove(volume))).toBe('done');
  });
});

describe('an Engine that', () => {
  let server: Server;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  it.each<[string, (socket: Socket) => unknown]>([
    ['says nothing', () => undefined],
    ['stops in mid-answer', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{')],
    ['dies in mid-answer', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{')],
    [
      'changes the protocol',
      (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
    ],
  ])('%s ends the operation within its limit', async (_, answer) => {
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const docker = new Docker({ host: '127.0.0.1', port, protocol: 'http' });
    const outcome = await engineVolumes({ docker, limitMs: 200 }).ensure(volume);
    expect(outcome.kind).toBe('unknown');
  });
});
