import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import protobuf from 'protobufjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startZookeeper, zookeeperMissing, type ZooKeeperServer } from '../testing/zookeeper-server.ts';
import { connectZookeeper } from '../zookeeper/client.ts';
import { digestIdentity } from '../zookeeper/servers.ts';
import { PERMISSION, type Acl, type ZooKeeper } from '../zookeeper/zookeeper.ts';
import { followMasters, type MasterDetector } from './follow.ts';
import { zookeeperMasterGroup } from './over-zookeeper.ts';

const missing = zookeeperMissing();
const OPEN: Acl = [{ scheme: 'world', id: 'anyone', permissions: PERMISSION.all }];
const schema = protobuf
  .parse(
    'syntax = "proto2"; message MasterInfo { required string id = 1; required uint32 ip = 2; required uint32 port = 3; }',
  )
  .root.lookupType('MasterInfo');

describe.skipIf(missing !== undefined)(
  `masters in a real ZooKeeper${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let server: ZooKeeperServer;
    const clients: ZooKeeper[] = [];
    let detector: MasterDetector | undefined;

    beforeAll(async () => {
      server = await startZookeeper();
    });
    afterEach(async () => {
      await detector?.close();
      for (const client of clients.splice(0)) await client.close();
    });
    afterAll(() => server.destroy());

    function connect(credentials?: string): ZooKeeper {
      const client = connectZookeeper({
        ...{ servers: [server.address], sessionTimeoutMs: 2000 },
        ...(credentials !== undefined && { credentials }),
      });
      clients.push(client);
      return client;
    }

    async function certainly(zookeeper: ZooKeeper, ...operations: Parameters<ZooKeeper['transact']>[0]) {
      expect(await zookeeper.transact(operations)).toMatchObject({ kind: 'done' });
    }

    /** As a real master does it: an ephemeral, sequential znode with its MasterInfo; it is gone with its session. */
    async function master(path: string, port: number, acl = OPEN, credentials?: string): Promise<ZooKeeper> {
      const client = connect(credentials);
      const data = JSON.stringify({
        ...{
          address: { hostname: 'localhost', ip: '127.0.0.1', port },
          hostname: 'localhost',
          id: randomUUID(),
        },
        ...{ ip: 16777343, pid: `master@127.0.0.1:${port}`, port, version: '1.3.2' },
      });
      const lives = 'ephemeral-sequential';
      await certainly(client, { kind: 'create', path: `${path}/json.info_`, data, acl, lives });
      return client;
    }

    function follow(path: string, credentials?: string) {
      const lines: string[] = [];
      const write = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`);
      const group = zookeeperMasterGroup(connect(credentials), path);
      const followed = followMasters(group, { info: write, warn: write }, 20);
      detector = followed;
      const leads = (port: number, ip = '127.0.0.1') =>
        new Promise<void>((resolve) => {
          const look = () => {
            if (followed.current()[0]?.href === `http://${ip}:${port}/`) resolve();
          };
          followed.onChange(look);
          look();
        });
      return { lines, leads };
    }

    it('are followed from before they are there, from one leader to the next', async () => {
      const { leads } = follow('/masters-late');
      await certainly(connect(), { kind: 'create', path: '/masters-late', data: '', acl: OPEN });
      const first = await master('/masters-late', 5060);
      await certainly(connect(), { kind: 'create', path: '/masters-late/log_replicas', data: '', acl: OPEN });
      await leads(5060);
      await master('/masters-late', 5061);
      await first.close();
      await leads(5061);
    });

    it('are found again after ZooKeeper was away, which is said once', async () => {
      await certainly(connect(), { kind: 'create', path: '/masters-outage', data: '', acl: OPEN });
      const { leads, lines } = follow('/masters-outage');
      await master('/masters-outage', 5070);
      await leads(5070);
      await server.kill();
      await expect.poll(() => lines.filter((line) => line.includes('it is not known'))).not.toHaveLength(0);
      expect(detector?.current()[0]?.href).toBe('http://127.0.0.1:5070/');
      await server.start();
      await master('/masters-outage', 5071);
      // The session of the first one outlived the outage or did not; then the second one leads.
      await expect
        .poll(() => lines.at(-1), { timeout: 20_000 })
        .toMatch(/known again|this Mesos master leads/);
    });

    it('are read with credentials where they are closed to others', async () => {
      const acl: Acl = [
        { scheme: 'digest', id: digestIdentity('mesos:secret'), permissions: PERMISSION.all },
      ];
      await certainly(connect('mesos:secret'), { kind: 'create', path: '/masters-closed', data: '', acl });
      await master('/masters-closed', 5080, acl, 'mesos:secret');
      const stranger = follow('/masters-closed');
      await expect.poll(() => stranger.lines.join()).toMatch(/denies access; check the credentials/);
      await detector?.close();
      await follow('/masters-closed', 'mesos:secret').leads(5080);
    });

    it.skipIf(!hasCompiler())(
      'are found by the bytes of the older protobuf form, as another client wrote them',
      async () => {
        await certainly(connect(), { kind: 'create', path: '/masters-old', data: '', acl: OPEN });
        // 192.168.1.254, in bytes that are no UTF-8.
        const bytes = schema.encode(schema.fromObject({ id: 'x', ip: 0xfe01a8c0, port: 5050 })).finish();
        const { leads } = follow('/masters-old');
        await writeWithJava(server.address, '/masters-old/info_0000000001', bytes);
        await leads(5050, '192.168.1.254');
      },
    );
  },
);

/** `java File.java` compiles the file first. */
function hasCompiler(): boolean {
  try {
    return execFileSync('java', ['--list-modules'], { encoding: 'utf8' }).includes('jdk.compiler');
  } catch {
    return false;
  }
}

const WRITER = `
import java.util.Base64;
import org.apache.zookeeper.*;
public class Write {
  public static void main(String[] a) throws Exception {
    try (ZooKeeper zk = new ZooKeeper(a[0], 30000, event -> {})) {
      zk.create(a[1], Base64.getDecoder().decode(a[2]), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }
  }
}`;

async function writeWithJava(address: string, path: string, bytes: Uint8Array): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'zookeeper-write-'));
  const file = join(directory, 'Write.java');
  await writeFile(file, WRITER);
  const words = ['-cp', '/usr/share/java/*', file, address, path, Buffer.from(bytes).toString('base64')];
  try {
    await promisify(execFile)('java', words);
  } finally {
    await rm(directory, { recursive: true });
  }
}
