import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from '../testing/tcp-proxy.ts';
import { watched } from '../testing/zookeeper-contract.ts';
import { startZookeeper, zookeeperMissing, type ZooKeeperServer } from '../testing/zookeeper-server.ts';
import { connectZookeeper, type ZooKeeperOptions } from './client.ts';
import { type Acl, type Operation, type ZooKeeper } from './zookeeper.ts';

const missing = zookeeperMissing();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const WORLD: Acl = [{ scheme: 'world', id: 'anyone', permissions: 31 }];
const create = (path: string, data = ''): Operation => ({ kind: 'create', path, data, acl: WORLD });
const set = (path: string, data: string, version: number): Operation => ({
  kind: 'set',
  path,
  data,
  version,
});
const ANSWER_MS = 400;

describe.skipIf(missing !== undefined)(`the client and a real ZooKeeper${why}`, () => {
  let server: ZooKeeperServer;
  let proxy: TcpProxy;
  const clients: ZooKeeper[] = [];
  const client = (options: Partial<ZooKeeperOptions> = {}): ZooKeeper => {
    const made = connectZookeeper({
      ...{ servers: [proxy.address], sessionTimeoutMs: 2_000, answerWithinMs: ANSWER_MS },
      ...options,
    });
    clients.push(made);
    return made;
  };

  beforeAll(async () => {
    server = await startZookeeper();
  });
  afterAll(() => server.destroy());
  beforeEach(async () => {
    proxy = await TcpProxy.open({ host: '127.0.0.1', port: server.port });
  });
  afterEach(async () => {
    proxy.heal();
    await Promise.all(clients.splice(0).map((each) => each.close()));
    await proxy.close();
  });

  it('notices a link that swallows everything within its limit, says unknown, and comes back', async () => {
    const zk = client();
    await zk.transact([create('/black-hole')]);
    const lost = watched((watch) => zk.read('/black-hole', { watch }));
    await lost.set;
    proxy.swallow(['to-server', 'to-client'], 'open');
    const begun = performance.now();
    expect(await zk.transact([set('/black-hole', 'x', 0)])).toMatchObject({ kind: 'unknown' });
    expect(performance.now() - begun).toBeLessThan(ANSWER_MS * 4);
    await lost.fired;
    expect(await zk.read('/black-hole')).toMatchObject({ kind: 'done', value: { data: '' } });
  });

  it('notices it also when nobody asks for anything', async () => {
    const zk = client();
    const lost = watched((watch) => zk.read('/idle', { watch }));
    await lost.set;
    const reconnected = proxy.nextConnection();
    proxy.swallow(['to-client'], 'open');
    await reconnected;
    await lost.fired;
  });

  it('gives up a server that accepts connections and says nothing', async () => {
    proxy.swallow(['to-client']);
    const zk = client();
    const begun = performance.now();
    expect(await zk.read('/')).toMatchObject({ kind: 'unknown' });
    expect(performance.now() - begun).toBeLessThan(ANSWER_MS * 4);
    const other = client({ servers: [proxy.address, server.address] });
    await expect.poll(() => other.read('/'), { timeout: 5_000 }).toMatchObject({ kind: 'done' });
  });

  it('says unknown of a write whose answer was swallowed, although it was done', async () => {
    const zk = client();
    await zk.transact([create('/lost-answer')]);
    proxy.swallow(['to-client'], 'open');
    expect(await zk.transact([set('/lost-answer', 'x', 0)])).toMatchObject({ kind: 'unknown' });
    expect(await zk.read('/lost-answer')).toMatchObject({ value: { data: 'x', stat: { version: 1 } } });
  });

  it('never sends later what could not be sent in time', async () => {
    const zk = client();
    await zk.transact([create('/late')]);
    proxy.cut({ refuse: true });
    expect(await zk.transact([set('/late', 'x', 0)], { limitMs: 200 })).toMatchObject({ kind: 'unknown' });
    proxy.heal();
    expect(await zk.sync('/late')).toMatchObject({ kind: 'done' });
    expect(await zk.read('/late')).toMatchObject({ value: { data: '' } });
  });

  it('keeps its session over a cut, and makes a new one after it has expired', async () => {
    const [zk, other] = [client({ sessionTimeoutMs: 1_000 }), client({ servers: [server.address] })];
    const ephemeral: Operation = { ...create('/eph-'), lives: 'ephemeral-sequential' } as Operation;
    const made = await zk.transact([ephemeral]);
    const path = made.kind === 'done' ? made.value[0]!.path! : '';
    proxy.cut();
    await expect.poll(() => zk.read(path)).toMatchObject({ kind: 'done', value: { data: '' } });
    proxy.cut({ refuse: true });
    const gone = watched((watch) => other.read(path, { watch }));
    await gone.set;
    await gone.fired;
    proxy.heal();
    await expect.poll(() => zk.read(path), { timeout: 5_000 }).toEqual({ kind: 'done', value: undefined });
    expect(await zk.transact([ephemeral])).toMatchObject({ kind: 'done' });
  });

  it('ends its session, and what is ephemeral, when it is closed', async () => {
    const [zk, other] = [client({ sessionTimeoutMs: 4_000 }), client()];
    const made = await zk.transact([{ ...create('/eph-'), lives: 'ephemeral-sequential' } as Operation]);
    const path = made.kind === 'done' ? made.value[0]!.path! : '';
    await zk.close();
    expect(await other.read(path)).toEqual({ kind: 'done', value: undefined });
    expect(await zk.read('/')).toMatchObject({ kind: 'unknown', why: 'the client has been closed' });
  });

  it('waits for a slow link as long as its limit allows', async () => {
    const zk = client();
    await zk.read('/');
    proxy.delay('to-client', ANSWER_MS / 2);
    expect(await zk.read('/')).toMatchObject({ kind: 'done' });
  });
});
