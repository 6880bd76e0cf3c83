import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { epoch, nodeId } from '@mesos-elasticsearch/contract';
import { connectZookeeper, digestIdentity, type ZooKeeper } from '@mesos-elasticsearch/coordination';
import {
  frameworkRecord,
  leaseRecord,
  nodeRecord,
  startZookeeper,
  zookeeperMissing,
  type ZooKeeperServer,
} from '@mesos-elasticsearch/coordination/testing';
import { runMaster, type RunningMaster } from '@mesos-elasticsearch/local';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProgressLine } from '../commands/scheduler.ts';
import { decodeStateDocument, encodeStateDocument } from '../state/document.ts';
import { bundleCommand } from '../testing/bundle-command.ts';

const missing = zookeeperMissing();
const STARTS_WITHIN_MS = 60_000;

/** `scheduler` as a process, or another subcommand that tells nothing on stdout that a test waits for. */
class Scheduler {
  readonly #child: ChildProcess;
  readonly #seen: ProgressLine[] = [];
  readonly #waiting = new Set<() => void>();
  readonly ended: Promise<number | string>;
  log = '';

  constructor(argv: readonly string[]) {
    const [program = '', ...rest] = argv;
    this.#child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.#child, 'exit').then(
      ([code, signal]) => (code as number | null) ?? String(signal),
    );
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.#seen.push(JSON.parse(line) as ProgressLine);
      for (const look of this.#waiting) look();
    });
  }

  says<K extends ProgressLine['kind']>(kind: K): Promise<Extract<ProgressLine, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.#seen.find((line) => line.kind === kind);
        if (found !== undefined) resolve(found as Extract<ProgressLine, { kind: K }>);
      };
      this.#waiting.add(look);
      look();
      void this.ended.then((code) =>
        reject(new Error(`it ended with ${code} before it said ${kind}:\n${this.log}`)),
      );
      setTimeout(() => reject(new Error(`it never said ${kind}:\n${this.log}`)), STARTS_WITHIN_MS).unref();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

describe.skipIf(missing !== undefined)(
  `schedulers in an election${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let zookeeper: ZooKeeperServer;
    let master: RunningMaster;
    let masterZnode: ZooKeeper;
    let program: string;
    let scratch: string;
    const schedulers: Scheduler[] = [];

    beforeAll(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'election-'));
      [zookeeper, master, program] = await Promise.all([
        startZookeeper(),
        runMaster({ port: 0, logger: pino({ level: 'silent' }) }),
        bundleCommand(scratch),
      ]);
      masterZnode = await announceMaster();
      await writeFile(join(scratch, 'credentials'), 'scheduler:secret\n', { mode: 0o600 });
    });
    afterEach(async () => {
      for (const each of schedulers.splice(0)) {
        each.kill('SIGKILL');
        await each.ended;
      }
    });
    afterAll(async () => {
      await masterZnode.close();
      await master.close();
      await zookeeper.destroy();
      await rm(scratch, { recursive: true });
    });

    /** As a real master does it. */
    async function announceMaster(): Promise<ZooKeeper> {
      const client = connectZookeeper({ servers: [zookeeper.address], sessionTimeoutMs: 4000 });
      const acl = [{ scheme: 'world' as const, id: 'anyone', permissions: 31 }];
      const info = {
        address: { hostname: 'localhost', ip: master.host, port: master.port },
        id: 'm',
        port: master.port,
      };
      const made = await client.transact([
        { kind: 'create', path: '/mesos', data: '', acl },
        {
          kind: 'create',
          path: '/mesos/json.info_',
          data: JSON.stringify(info),
          acl,
          lives: 'ephemeral-sequential',
        },
      ]);
      expect(made.kind).toBe('done');
      return client;
    }

    const places = (path: string) => [
      `--zookeeperUrl=zk://${zookeeper.address}/${path}`,
      `--zookeeperCredentialsFile=${join(scratch, 'credentials')}`,
      `--zookeeperExecutorDigest=${digestIdentity('executor:other')}`,
    ];

    const words = (verb: string, path: string, more: string) => [
      ...[process.execPath, program, 'state', verb, ...places(path), more],
    ];

    function start(path: string): Scheduler {
      const scheduler = new Scheduler([
        ...[process.execPath, program, 'scheduler', ...places(path)],
        `--zookeeperMesosUrl=zk://${zookeeper.address}/mesos`,
        '--zookeeperExecutorCredentialsFile=/etc/executor',
        ...[
          '--zookeeperSessionTimeoutMs=2000',
          '--externalVolumeDriver=rexray',
          `--executorBundle=${program}`,
        ],
        ...['--webUiPort=0', '--bindHost=127.0.0.1', '--publishHost=127.0.0.1', '--progress=json'],
      ]);
      schedulers.push(scheduler);
      return scheduler;
    }

    it('stand by, say who leads, answer for their health, and take over with the same framework ID', async () => {
      const first = start('takeover');
      const { frameworkId } = await first.says('subscribed');
      const second = start('takeover');
      const { leader, port } = await second.says('standby');
      expect(leader).toMatch(/^127\.0\.0\.1, process \d+$/);
      const health = await fetch(`http://127.0.0.1:${port}/health`);
      expect([health.status, await health.json()]).toEqual([200, { status: 'standby', leader }]);
      expect((await fetch(`http://127.0.0.1:${port}/v1/nodes`)).status).toBe(503);

      const killedAt = performance.now();
      first.kill('SIGKILL');
      expect((await second.says('subscribed')).frameworkId).toBe(frameworkId);
      // The session of 2 s, the ledger, the subscription; the rest is this machine's.
      expect(performance.now() - killedAt).toBeLessThan(20_000);
      second.kill('SIGTERM');
      expect(await second.ended).toBe(0);
    });

    it('end at once when they stand by and are told to', async () => {
      const first = start('standby');
      await first.says('listening');
      const second = start('standby');
      await second.says('standby');
      second.kill('SIGTERM');
      expect(await second.ended).toBe(0);
      first.kill('SIGTERM');
      expect(await first.ended).toBe(0);
    });

    it('stop with a code of their own when they were frozen and somebody else leads', async () => {
      const first = start('frozen');
      await first.says('subscribed');
      const second = start('frozen');
      await second.says('standby');
      first.kill('SIGSTOP');
      await second.says('subscribed');
      first.kill('SIGCONT');
      expect(await first.ended).toBe(75);
      expect(first.log).toMatch(/this scheduler does not lead any more/);
      const { url } = await second.says('listening');
      expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'up' });
    });

    it('let their state be exported while one of them leads, and not be rebuilt meanwhile', async () => {
      const scheduler = start('export');
      const { frameworkId } = await scheduler.says('subscribed');
      const out = join(scratch, 'backup.json');
      const exported = new Scheduler(words('export', 'export', `--out=${out}`));
      expect([await exported.ended, exported.log]).toEqual([0, '']);
      expect((await stat(out)).mode & 0o777).toBe(0o600);
      expect(decodeStateDocument(await readFile(out, 'utf8')).framework.record).toMatchObject({
        frameworkId,
      });
      const rebuilding = new Scheduler(words('rebuild', 'export', `--from-export=${out}`));
      expect([await rebuilding.ended, rebuilding.log]).toEqual([
        64,
        expect.stringMatching(/a scheduler leads there/),
      ]);
    });

    it('find a rebuilt state with every node in doubt and its lease held, by the holder alone', async () => {
      const holder = {
        taskId: 'task-1',
        executorId: 'task-1',
        agentId: 'S1',
        host: 'agent1',
        frameworkId: 'F1',
      };
      const lease = leaseRecord({ epoch: epoch(3) });
      const state = {
        ...{ place: 'elsewhere', exportedAt: '2030-01-02T03:04:05.000Z' },
        framework: { version: 1, record: frameworkRecord({ bootstrapped: true }) },
        nodes: [
          {
            version: 1,
            record: nodeRecord(1, { epoch: epoch(3), phase: 'running', holder, dataOnRecord: true }),
          },
        ],
        leases: [{ nodeId: nodeId(1), epoch: epoch(3), state: 'open' as const, lease }],
      };
      const backup = join(scratch, 'lost.json');
      await writeFile(backup, encodeStateDocument(state));
      const rebuilding = new Scheduler(words('rebuild', 'rebuilt', `--from-export=${backup}`));
      expect([await rebuilding.ended, rebuilding.log]).toEqual([0, '']);
      const again = new Scheduler(words('rebuild', 'rebuilt', `--from-export=${backup}`));
      expect([await again.ended, again.log]).toEqual([1, expect.stringMatching(/there is a ledger already/)]);
      const out = join(scratch, 'rebuilt.json');
      await new Scheduler(words('export', 'rebuilt', `--out=${out}`)).ended;
      const { nodes, leases } = decodeStateDocument(await readFile(out, 'utf8'));
      expect(nodes).toMatchObject([{ record: { phase: 'suspect', epoch: 3, holder } }]);
      expect(leases).toEqual([
        { nodeId: 1, epoch: 3, state: 'open', lease: { ...lease, guarded: false, selfFencing: false } },
      ]);
    });
  },
);
