import { describe, expect, it } from 'vitest';
import { ANY_VERSION, PERMISSION, type Acl, type Operation, type ZooKeeper } from '../zookeeper/zookeeper.ts';

const WORLD: Acl = [{ scheme: 'world', id: 'anyone', permissions: PERMISSION.all }];
const create = (path: string, data = ''): Operation => ({ kind: 'create', path, data, acl: WORLD });
const set = (path: string, data: string, version: number): Operation => ({
  kind: 'set',
  path,
  data,
  version,
});
const check = (path: string, version: number): Operation => ({ kind: 'check', path, version });
const remove = (path: string): Operation => ({ kind: 'remove', path, version: ANY_VERSION });
const ephemeral = (path: string): Operation => ({
  ...{ kind: 'create', path, data: '', acl: WORLD, lives: 'ephemeral-sequential' },
});

/** What every {@link ZooKeeper} does. `make` gives a client, each of the same store. */
export function zookeeperContract(name: string, make: () => ZooKeeper): void {
  describe(`${name} keeps the contract of ZooKeeper`, () => {
    changesAreWhole(make);
    watchesTell(make);
    sessionsEnd(make);
  });
}

function changesAreWhole(make: () => ZooKeeper): void {
  it('creates, reads, sets, lists and removes', async () => {
    const zk = make();
    expect(await zk.read('/basic')).toEqual({ kind: 'done', value: undefined });
    expect(await zk.children('/basic')).toEqual({ kind: 'done', value: undefined });
    expect(await zk.transact([create('/basic', 'a'), create('/basic/é', '')])).toEqual({
      kind: 'done',
      value: [{ path: '/basic' }, { path: '/basic/é' }],
    });
    expect(await zk.transact([set('/basic', 'b', 0)])).toEqual({ kind: 'done', value: [{ version: 1 }] });
    const stat = { version: 1, childChanges: 1, children: 1 };
    expect(await zk.read('/basic')).toMatchObject({ kind: 'done', value: { data: 'b', stat } });
    expect(await zk.children('/basic')).toEqual({ kind: 'done', value: ['é'] });
    expect(await zk.transact([remove('/basic')])).toMatchObject({ kind: 'not-done', code: 'not-empty' });
    expect(await zk.transact([remove('/basic/é')])).toEqual({ kind: 'done', value: [{}] });
    // Also a removal is a change of the children, so none goes unnoticed.
    expect(await zk.read('/basic')).toMatchObject({ value: { stat: { childChanges: 2, children: 0 } } });
    expect(await zk.transact([remove('/basic')])).toMatchObject({ kind: 'done' });
    expect(await zk.sync('/')).toEqual({ kind: 'done', value: undefined });
  });

  it('says which part of a transaction was refused, and does none of it', async () => {
    const zk = make();
    await zk.transact([create('/whole')]);
    expect(await zk.transact([set('/whole', 'x', 0), check('/whole', 0), create('/whole/child')])).toEqual({
      ...{ kind: 'not-done', code: 'bad-version', at: 1 },
    });
    expect(await zk.transact([create('/whole/child'), create('/nowhere/child')])).toEqual({
      ...{ kind: 'not-done', code: 'no-node', at: 1 },
    });
    expect(await zk.transact([create('/whole')])).toEqual({ kind: 'not-done', code: 'node-exists', at: 0 });
    expect(await zk.transact([set('/nowhere', '', ANY_VERSION)])).toMatchObject({ code: 'no-node' });
    expect(await zk.read('/whole')).toMatchObject({ value: { data: '', stat: { version: 0, children: 0 } } });
  });

  it('takes version 0 for a version like any other', async () => {
    const zk = make();
    await zk.transact([create('/zero')]);
    expect(await zk.transact([check('/zero', 0)])).toMatchObject({ kind: 'done' });
    await zk.transact([set('/zero', 'x', 0)]);
    expect(await zk.transact([check('/zero', 0)])).toMatchObject({ code: 'bad-version' });
    expect(await zk.transact([set('/zero', 'y', 0)])).toMatchObject({ code: 'bad-version' });
  });
}

function watchesTell(make: () => ZooKeeper): void {
  it('tells whoever watches a znode that is not there yet', async () => {
    const [zk, writer] = [make(), make()];
    const data = watched((watch) => zk.read('/appears', { watch }));
    const children = watched((watch) => zk.children('/appears', { watch }));
    await Promise.all([data.set, children.set]);
    await writer.transact([create('/appears')]);
    await Promise.all([data.fired, children.fired]);
  });

  it('tells of new data, of new children, and of the end', async () => {
    const [zk, writer] = [make(), make()];
    await writer.transact([create('/watched')]);
    const data = watched((watch) => zk.read('/watched', { watch }));
    const children = watched((watch) => zk.children('/watched', { watch }));
    await Promise.all([data.set, children.set]);
    await writer.transact([create('/watched/child')]);
    await children.fired;
    await writer.transact([set('/watched', 'x', 0)]);
    await data.fired;
    const end = watched((watch) => zk.read('/watched/child', { watch }));
    await end.set;
    await writer.transact([remove('/watched/child')]);
    await end.fired;
  });
}

function sessionsEnd(make: () => ZooKeeper): void {
  it('counts ephemeral znodes up, and removes them when their client is closed', async () => {
    const [zk, other] = [make(), make()];
    await other.transact([create('/election')]);
    const paths: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      const made = await zk.transact([ephemeral('/election/candidate-')]);
      paths.push((made.kind === 'done' ? made.value[0]?.path : undefined) ?? '');
    }
    expect(paths).toEqual([...paths].sort());
    expect(new Set(paths).size).toBe(3);
    expect(await zk.transact([create(`${paths[0]!}/child`)])).toMatchObject({ code: 'parent-is-ephemeral' });
    const gone = watched((watch) => other.read(paths[0]!, { watch }));
    await gone.set;
    await zk.close();
    await gone.fired;
    expect(await other.children('/election')).toEqual({ kind: 'done', value: [] });
    expect(await zk.read('/')).toEqual({ kind: 'unknown', why: 'the client has been closed' });
  });
}

/** A read with a watch: `set` when it was answered, `fired` when it was told. */
export function watched(read: (watch: () => void) => Promise<unknown>): {
  readonly set: Promise<unknown>;
  readonly fired: Promise<void>;
} {
  let set: Promise<unknown> = Promise.resolve();
  const fired = new Promise<void>((resolve) => {
    set = read(resolve);
  });
  return { set, fired };
}
