import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeId } from '@mesos-elasticsearch/contract';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ledgerErrorCode } from '../testing/ledger-contract.ts';
import { frameworkRecord, nodeRecord } from '../testing/records.ts';
import { TcpProxy } from '../testing/tcp-proxy.ts';
import { lead } from '../testing/zookeeper-place.ts';
import { startZookeeper, zookeeperMissing, type ZooKeeperServer } from '../testing/zookeeper-server.ts';
import { connectZookeeper } from './client.ts';
import type { Leadership } from './election.ts';
import { clusterRoot } from './layout.ts';
import { openZookeeperLedger } from './ledger.ts';
import type { ZooKeeper } from './zookeeper.ts';

const missing = zookeeperMissing();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const SESSION_MS = 2_000;

/** A scheduler's process: campaigns, then writes node 1 as fast as it can, and says what becomes of it. */
const SCHEDULER = `
  import { campaign, connectZookeeper, openZookeeperLedger } from './index.ts';
  import { frameworkRecord, nodeRecord } from './testing/records.ts';
  const [server, root] = process.argv.slice(2);
  const zookeeper = connectZookeeper({ servers: [server], sessionTimeoutMs: ${SESSION_MS} });
  const leadership = await campaign({ zookeeper, root, name: String(process.pid) });
  void leadership.lost.then((why) => console.log('lost ' + why));
  process.on('SIGTERM', () => void leadership.resign().then(() => process.exit(0)));
  const ledger = await openZookeeperLedger(leadership);
  const { framework, nodes } = await ledger.load();
  if (!framework) await ledger.writeFramework(frameworkRecord(), 0);
  let version = nodes.get(1)?.version ?? 0;
  console.log('leads ' + leadership.number);
  for (;;) {
    const record = nodeRecord(1, { epoch: leadership.number, why: 'by ' + leadership.number });
    try {
      version = await ledger.writeNode(record, version);
      console.log('wrote ' + version);
    } catch (error) {
      console.log('refused ' + error.code);
      if (error.code === 'deposed') break;
      await ledger.load().then(({ nodes }) => (version = nodes.get(1).version), () => undefined);
    }
  }
  setInterval(() => undefined, 1000);
`;

let scratch: string;
let script: string;
let server: ZooKeeperServer;
let proxy: TcpProxy;
let root: string;
const processes: ChildProcess[] = [];
let clients: ZooKeeper[] = [];

class SchedulerProcess {
  readonly child: ChildProcess;
  readonly said: string[] = [];
  #heard: (() => void)[] = [];

  constructor() {
    this.child = spawn(process.execPath, [script, server.address, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.push(this.child);
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.said.push(line);
      for (const tell of this.#heard.splice(0)) tell();
    });
  }

  async says(what: string): Promise<void> {
    while (!this.said.some((line) => line.startsWith(what))) {
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }
}

function connect(address = server.address): ZooKeeper {
  const client = connectZookeeper({ servers: [address], sessionTimeoutMs: SESSION_MS });
  clients.push(client);
  return client;
}

const leader = (address?: string): Promise<Leadership> => lead({ connect: () => connect(address), root });

describe.skipIf(missing !== undefined)(`schedulers and a real ZooKeeper${why}`, () => {
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'election-'));
    script = join(scratch, 'scheduler.mjs');
    await build({
      stdin: { contents: SCHEDULER, resolveDir: join(import.meta.dirname, '..'), loader: 'ts' },
      ...{ outfile: script, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
    });
    server = await startZookeeper();
  });
  afterAll(async () => {
    await server.destroy();
    await rm(scratch, { recursive: true });
  });
  beforeEach(async () => {
    proxy = await TcpProxy.open({ host: '127.0.0.1', port: server.port });
    root = clusterRoot(`/election/${randomUUID()}`, 'elasticsearch', 'mesos-ha');
  });
  afterEach(async () => {
    proxy.heal();
    for (const child of processes.splice(0)) child.kill('SIGKILL');
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
    await proxy.close();
  });

  it('a standby leads within seconds of the leader’s kill -9', async () => {
    const first = new SchedulerProcess();
    await first.says('wrote 3');
    const standby = leader();
    first.child.kill('SIGKILL');
    const begun = performance.now();
    const next = await standby;
    expect(performance.now() - begun).toBeLessThan(SESSION_MS * 2);
    expect(next.number).toBe(2);
    const { nodes } = await (await openZookeeperLedger(next)).load();
    const answered = first.said.filter((line) => line.startsWith('wrote')).length;
    expect(nodes.get(nodeId(1))?.version).toBeGreaterThanOrEqual(answered);
  });

  it('a standby leads at once when the leader is told to stop', async () => {
    const first = new SchedulerProcess();
    await first.says('wrote 3');
    const standby = leader();
    const begun = performance.now();
    const gone = once(first.child, 'exit');
    first.child.kill('SIGTERM');
    expect((await standby).number).toBe(2);
    expect(performance.now() - begun).toBeLessThan(SESSION_MS / 2);
    await gone;
  });

  it('a leader that was frozen finds, once it thaws, that another leads, and writes nothing', async () => {
    const first = new SchedulerProcess();
    await first.says('wrote 3');
    const standby = leader();
    first.child.kill('SIGSTOP');
    const ledger = await openZookeeperLedger(await standby);
    const version = (await ledger.load()).nodes.get(nodeId(1))?.version ?? 0;
    await ledger.writeNode(nodeRecord(1, { why: 'by the new one' }), version);
    first.child.kill('SIGCONT');
    await Promise.all([first.says('lost'), first.says('refused deposed')]);
    const { record } = (await ledger.load()).nodes.get(nodeId(1))!;
    expect(record.why).toBe('by the new one');
    expect(await ledger.writeNode(nodeRecord(1, { why: 'again' }), version + 1)).toBe(version + 2);
  });

  it('a leader behind a link that swallows everything is deposed, and does not fight back when it heals', async () => {
    const first = await leader(proxy.address);
    const ledger = await openZookeeperLedger(first);
    await ledger.writeFramework(frameworkRecord(), 0);
    proxy.swallow();
    expect(await ledgerErrorCode(ledger.writeNode(nodeRecord(1), 0))).toBe('unavailable');
    const next = await leader();
    proxy.heal();
    expect(await first.lost).toMatch(/session with ZooKeeper is over/);
    expect(await ledgerErrorCode(ledger.load())).toBe('deposed');
    expect(next.number).toBe(first.number + 1);
    expect(next.isLost).toBe(false);
  });

  it('two that campaign at the same moment lead one after another', async () => {
    const [one, two] = [leader(), leader()];
    const first = await Promise.race([one, two]);
    expect(first.number).toBe(1);
    await first.resign();
    const numbers = (await Promise.all([one, two])).map(({ number }) => number);
    expect(numbers.sort()).toEqual([1, 2]);
  });

  it('a leader outlives a restart of ZooKeeper', async () => {
    const first = await leader();
    const ledger = await openZookeeperLedger(first);
    await ledger.writeFramework(frameworkRecord(), 0);
    const standby = leader();
    await server.kill();
    await server.start();
    await expect.poll(() => ledgerErrorCode(ledger.load()), { timeout: 10_000 }).toBe('none');
    expect(await ledger.writeNode(nodeRecord(1), 0)).toBe(1);
    expect(first.isLost).toBe(false);
    await first.resign();
    expect((await standby).number).toBe(2);
  });
});
