/** The executor's bundle with leases in a real ZooKeeper; there is no volume driver, so that it ends right after. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epoch, nodeId } from '@mesos-elasticsearch/contract';
import {
  campaign,
  clusterRoot,
  connectZookeeper,
  digestIdentity,
  zookeeperLeasesOf,
  type Leadership,
  type ZooKeeperAccess,
} from '@mesos-elasticsearch/coordination';
import {
  Assignments,
  startZookeeper,
  zookeeperMissing,
  type ZooKeeperServer,
} from '@mesos-elasticsearch/coordination/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchExecutor } from '../testing/agent-double.ts';
import { bundleExecutor } from '../testing/bundles.ts';
import { launchSpec } from '../testing/launch-specs.ts';

const missing = zookeeperMissing();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const EXECUTORS = 'executors:two';
const ACCESS: ZooKeeperAccess = { scheduler: 'scheduler:one', executorIdentity: digestIdentity(EXECUTORS) };
const ROOT = clusterRoot('/mesos', 'elasticsearch', 'mesos-es');

describe.skipIf(missing !== undefined)(`the executor's process with leases in ZooKeeper${why}`, () => {
  let scratch: string;
  let bundle: string;
  let server: ZooKeeperServer;
  let leadership: Leadership;
  let assignments: Assignments;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'executor-'));
    await chmod(scratch, 0o755);
    await mkdir(join(scratch, 'home', 'lib'), { recursive: true });
    await writeFile(join(scratch, 'home', 'lib', 'elasticsearch-7.17.29.jar'), '');
    [bundle, server] = await Promise.all([bundleExecutor(), startZookeeper()]);
    const zookeeper = connectZookeeper({
      ...{ servers: [server.address], sessionTimeoutMs: 4_000, credentials: ACCESS.scheduler },
    });
    leadership = await campaign({ zookeeper, root: ROOT, access: ACCESS });
    assignments = await Assignments.of(leadership);
  });
  afterAll(async () => {
    await leadership.resign();
    await server.destroy();
    await rm(scratch, { recursive: true });
  });

  const launch = async (number: number, environment: Readonly<Record<string, string>>) => {
    const spec = launchSpec({
      ...{ epoch: number, taskId: `task-${String(number)}` },
      runtime: {
        ...{ kind: 'jar', distribution: { kind: 'installed', home: join(scratch, 'home') } },
      },
      lease: {
        place: {
          ...{ kind: 'zookeeper', servers: [server.address], path: ROOT, sessionTimeoutMs: 4_000 },
          credentials: { kind: 'variable', name: 'LEASE_CREDENTIALS' },
        },
      },
    });
    const plugins = { VOLUME_PLUGIN_DIRECTORIES: join(scratch, 'no-plugins') };
    return launchExecutor({ bundle, root: scratch, spec, environment: { ...plugins, ...environment } });
  };

  it('takes the lease with its credentials, and gives it back', async () => {
    await assignments.assign(nodeId(1), epoch(1), 'task-1');
    await zookeeperLeasesOf(leadership).openEpoch(nodeId(1), epoch(1));
    const executor = await launch(1, { LEASE_CREDENTIALS: EXECUTORS });
    expect((await executor.status('TASK_FAILED')).message).toMatch(/hostdir/);
    expect(await executor.exited).toBe(0);
    expect(await zookeeperLeasesOf(leadership).read(nodeId(1), epoch(1))).toMatchObject({
      ...{ state: 'given-back', lease: { taskId: 'task-1' } },
    });
  });

  it('takes none in an epoch that was taken over, and none without credentials', async () => {
    await assignments.assign(nodeId(1), epoch(2), 'task-2');
    await zookeeperLeasesOf(leadership).openEpoch(nodeId(1), epoch(2));
    const late = await launch(2, {});
    expect((await late.status('TASK_FAILED')).message).toMatch(/LEASE_CREDENTIALS, which is not set/);
    await assignments.assign(nodeId(1), epoch(3), 'task-3');
    const executor = await launch(2, { LEASE_CREDENTIALS: EXECUTORS });
    expect((await executor.status('TASK_FAILED')).message).toMatch(/lease of node 1 in epoch 2 refused/);
    await Promise.all([late.exited, executor.exited]);
  });
});
