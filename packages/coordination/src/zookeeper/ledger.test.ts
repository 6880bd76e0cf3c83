import { nodeId } from '@mesos-elasticsearch/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerStore } from '../ledger-store.ts';
import { FakeZooKeeper, type FakeClient } from '../testing/fake-zookeeper.ts';
import { ledgerErrorCode } from '../testing/ledger-contract.ts';
import { frameworkRecord, nodeRecord } from '../testing/records.ts';
import { lead } from '../testing/zookeeper-place.ts';
import type { Leadership } from './election.ts';
import { openZookeeperLedger } from './ledger.ts';

const ROOT = '/mesos-elasticsearch/elasticsearch/mesos-ha';

interface Scheduler {
  readonly leadership: Leadership;
  readonly client: FakeClient;
  readonly ledger: LedgerStore;
}

async function scheduler(server: FakeZooKeeper): Promise<Scheduler> {
  const client = server.client();
  const leadership = await lead({ connect: () => client, root: ROOT });
  return { leadership, client, ledger: await openZookeeperLedger(leadership) };
}

async function written(server = new FakeZooKeeper()): Promise<Scheduler & { server: FakeZooKeeper }> {
  const first = await scheduler(server);
  await first.ledger.writeFramework(frameworkRecord(), 0);
  await first.ledger.writeNode(nodeRecord(1), 0);
  return { ...first, server };
}

describe('a deposed scheduler', () => {
  it('writes nothing, from the very moment at which another one leads', async () => {
    const { server, client, ledger } = await written();
    const standby = scheduler(server);
    // It is frozen: it hears of nothing.
    client.watches.fire = () => undefined;
    client.expire();
    const next = await standby;
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1, { why: 'late' }), 1))).toBe('deposed');
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(2), 0))).toBe('deposed');
    expect(await ledgerErrorCode(ledger.writeFramework(frameworkRecord(), 1))).toBe('deposed');
    expect(await ledgerErrorCode(ledger.load())).toBe('deposed');
    expect((await next.ledger.load()).nodes.get(nodeId(1))?.record.why).toBe('assigned to an offer');
  });

  it('does so also between a write of the new one and the next', () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), async (order) => {
        const { server, client, ledger } = await written();
        server.before = (operation) => order.schedule(Promise.resolve(), operation);
        const done: string[] = [];
        const write = async (store: LedgerStore, who: string) => {
          for (let version = 1; version < 4; version += 1) {
            const code = await ledgerErrorCode(store.writeNode(nodeRecord(1, { why: who }), version));
            if (code !== 'none') return;
            done.push(who);
          }
        };
        const takeover = async () => {
          const standby = scheduler(server);
          client.expire();
          const next = await standby;
          done.push('takes over');
          const version = (await next.ledger.load()).nodes.get(nodeId(1))?.version ?? 0;
          // Nothing of the old one comes after what the new one has read.
          await next.ledger.writeNode(nodeRecord(1, { why: 'new' }), version);
        };
        await order.waitFor(Promise.all([write(ledger, 'old'), takeover()]));
        expect(done.slice(done.indexOf('takes over') + 1)).toEqual([]);
      }),
      { numRuns: 100 },
    ));
});

describe('a write without an answer', () => {
  it.each([
    ['no-answer', 2],
    ['fail', 1],
  ] as const)('is unknown until the ledger is loaded again (%s)', async (kind, version) => {
    const { server, ledger } = await written();
    server.faults.next('transact', { kind });
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1, { why: 'x' }), 1))).toBe('unavailable');
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1, { why: 'y' }), 1))).toBe('unavailable');
    expect((await ledger.load()).nodes.get(nodeId(1))?.version).toBe(version);
    expect(await ledger.writeNode(nodeRecord(1, { why: 'y' }), version)).toBe(version + 1);
  });

  it.each(['sync', 'read', 'children', 'transact'] as const)(
    'and a load without one (%s) is no empty ledger',
    async (operation) => {
      const { server, ledger } = await written();
      server.faults.next(operation, { kind: 'fail' });
      expect(await ledgerErrorCode(ledger.load())).toBe('unavailable');
      expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1), 1))).toBe('unavailable');
      expect((await ledger.load()).nodes.size).toBe(1);
    },
  );
});

describe('a ledger that lost something', () => {
  const change = (server: FakeZooKeeper, path: string, data?: string) =>
    server
      .client()
      .transact([
        data === undefined
          ? { kind: 'remove', path: `${ROOT}/${path}`, version: -1 }
          : { kind: 'set', path: `${ROOT}/${path}`, data, version: -1 },
      ]);

  it('is corrupt without one of its node records', async () => {
    const { server, ledger } = await written();
    await ledger.writeNode(nodeRecord(2), 0);
    await change(server, 'nodes/1');
    await expect(ledger.load()).rejects.toThrow(/1 node records were removed/);
    expect(await ledgerErrorCode(ledger.load())).toBe('corrupt');
  });

  it('is corrupt without its framework record, or without its nodes', async () => {
    const { server, ledger } = await written();
    await change(server, 'framework');
    await expect(ledger.load()).rejects.toThrow(/framework cannot be understood: it is gone/);
    const other = await written();
    await change(other.server, 'nodes/1');
    await change(other.server, 'nodes');
    await expect(other.ledger.load()).rejects.toThrow(/nodes cannot be understood: it is gone/);
  });

  it('is corrupt with garbage, or with a record in the place of another', async () => {
    const { server, ledger } = await written();
    const { data } = server.tree.get(`${ROOT}/nodes/1`)!;
    await change(server, 'nodes/1', data.replace('assigned', 'assIgned'));
    await expect(ledger.load()).rejects.toThrow(/checksum/);
    await change(server, 'nodes/1', data);
    expect((await ledger.load()).nodes.size).toBe(1);
    const acl = [{ scheme: 'world', id: 'anyone', permissions: 31 }] as const;
    await server.client().transact([{ kind: 'create', path: `${ROOT}/nodes/02`, data, acl }]);
    await expect(ledger.load()).rejects.toThrow(/it holds node 1/);
  });

  it('is not taken for a new one by the scheduler that leads, when everything is gone', async () => {
    const { server, ledger } = await written();
    server.wipe();
    expect(await ledgerErrorCode(ledger.load())).toBe('deposed');
  });

  it('notices that somebody else changed a record', async () => {
    const { server, ledger } = await written();
    await change(server, 'nodes/1', server.tree.get(`${ROOT}/nodes/1`)!.data);
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1), 1))).toBe('conflict');
  });
});
