import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { epoch, nodeId, type LeaseRecord, type NodeId } from '@mesos-elasticsearch/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LeaseService } from '../lease-service.ts';
import type { LedgerStore } from '../ledger-store.ts';
import { frameworkRecord, leaseRecord, nodeRecord } from '../testing/records.ts';
import { TcpProxy } from '../testing/tcp-proxy.ts';
import { lead } from '../testing/zookeeper-place.ts';
import { startZookeeper, zookeeperMissing, type ZooKeeperServer } from '../testing/zookeeper-server.ts';
import { connectZookeeper } from './client.ts';
import { clusterRoot } from './layout.ts';
import { openZookeeperLedger } from './ledger.ts';
import { zookeeperLeases, zookeeperLeasesOf } from './leases.ts';

const missing = zookeeperMissing();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const first = epoch(1);
const NODES = [1, 2, 3, 4, 5, 6].map(nodeId);
const DURATION_MS = 5_000;
const SESSION_MS = 4_000;

type Harm = 'cut' | 'swallow-to-client' | 'swallow-to-server' | 'delay' | 'heal';
interface Plan {
  readonly harms: readonly { readonly kind: Harm; readonly afterMs: number }[];
  readonly closeAfterMs: readonly number[];
}
const plans: fc.Arbitrary<Plan> = fc.record({
  harms: fc.array(
    fc.record({
      kind: fc.constantFrom<Harm>('cut', 'swallow-to-client', 'swallow-to-server', 'delay', 'heal'),
      afterMs: fc.integer({ min: 5, max: 150 }),
    }),
    { minLength: 40, maxLength: 40 },
  ),
  closeAfterMs: fc.array(fc.integer({ min: 0, max: 4_000 }), {
    minLength: NODES.length,
    maxLength: NODES.length,
  }),
});

async function harm(proxy: TcpProxy, { harms }: Plan): Promise<void> {
  for (const { kind, afterMs } of harms) {
    await sleep(afterMs);
    if (kind === 'cut') proxy.cut();
    else if (kind === 'delay') proxy.delay('to-client', 30);
    else if (kind === 'heal') proxy.heal();
    else proxy.swallow([kind === 'swallow-to-client' ? 'to-client' : 'to-server'], 'open');
  }
  proxy.heal();
}

interface Answered {
  readonly lease: LeaseRecord;
  readonly begunMs: number;
}

/** Takes the lease and renews it until it is closed. */
async function hold(leases: LeaseService, id: NodeId): Promise<readonly Answered[]> {
  const answered: Answered[] = [];
  const ask = async (counter: number): Promise<string> => {
    const lease = leaseRecord({ nodeId: id, taskId: `task-${id}`, durationMs: DURATION_MS, counter });
    const begunMs = performance.now();
    const answer = await (counter === 0 ? leases.take(lease) : leases.renew(lease)).catch(() => 'unknown');
    if (answer === 'taken' || answer === 'renewed') answered.push({ lease, begunMs });
    return answer;
  };
  let taken = await ask(0);
  while (taken === 'unknown') taken = await ask(0);
  for (let counter = 1; taken === 'taken'; counter += 1) {
    if ((await ask(counter)) === 'closed') break;
    await sleep(10);
  }
  return answered;
}

/** Writes one record as often as it can until `until`; after an unknown outcome it looks. */
async function write(ledger: LedgerStore, id: NodeId, until: Promise<unknown>): Promise<void> {
  let isOver = false;
  void until.then(() => (isOver = true));
  let answered = 0;
  while (!isOver) {
    const record = nodeRecord(id, { why: `write ${answered + 1}` });
    const wrote = await ledger.writeNode(record, answered).catch(() => undefined);
    const loaded = wrote ?? (await ledger.load().catch(() => undefined))?.nodes.get(id)?.version ?? answered;
    expect(loaded).toBeGreaterThanOrEqual(answered);
    expect(loaded).toBeLessThanOrEqual(answered + 1);
    answered = loaded;
  }
}

describe.skipIf(missing !== undefined)(`links that are cut, slow and swallow bytes, at random${why}`, () => {
  let server: ZooKeeperServer;
  beforeAll(async () => {
    server = await startZookeeper();
  });
  afterAll(() => server.destroy());

  it('leave every answer true', () =>
    fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const proxy = await TcpProxy.open({ host: '127.0.0.1', port: server.port });
        const root = clusterRoot(`/harm/${randomUUID()}`, 'elasticsearch', 'mesos-ha');
        const at = (address: string) => ({
          servers: [address],
          sessionTimeoutMs: SESSION_MS,
          answerWithinMs: 300,
        });
        const leadership = await lead({ connect: () => connectZookeeper(at(server.address)), root });
        const ledger = await openZookeeperLedger(leadership);
        await ledger.writeFramework(frameworkRecord(), 0);
        const scheduler = zookeeperLeasesOf(leadership);
        for (const id of NODES) {
          await ledger.writeNode(nodeRecord(id), 0);
          await scheduler.openEpoch(id, first);
        }
        await leadership.resign();

        // The next scheduler sits behind the bad link as well.
        const next = await lead({ connect: () => connectZookeeper(at(proxy.address)), root });
        const nextLedger = await openZookeeperLedger(next);
        const harmed = harm(proxy, plan);
        const closer = zookeeperLeasesOf(next);
        const writing = write(nextLedger, nodeId(99), harmed);
        await Promise.all(
          NODES.map(async (id, index) => {
            const place = { servers: [proxy.address], path: root, sessionTimeoutMs: SESSION_MS };
            const leases = zookeeperLeases({ ...place, durationMs: DURATION_MS });
            const holding = hold(leases, id);
            await sleep(plan.closeAfterMs[index]);
            let closed: { lease: LeaseRecord | undefined } | undefined;
            while (closed === undefined) {
              closed = await closer.closeEpoch(id, first).then(
                (lease) => ({ lease }),
                () => undefined,
              );
            }
            const closedMs = performance.now();
            const answered = await holding;
            for (const { begunMs } of answered) expect(begunMs).toBeLessThan(closedMs);
            const last = answered.at(-1)?.lease.counter ?? -1;
            expect(closed.lease?.counter ?? -1).toBeGreaterThanOrEqual(last);
            await leases.close();
          }),
        );
        await Promise.all([harmed, writing]);
        expect(next.isLost).toBe(false);
        await next.resign();
        await proxy.close();
      }),
      { numRuns: 3, endOnFailure: true },
    ));
});
