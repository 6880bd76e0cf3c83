/**
 * The main job on one machine: the executor's process with a real volume driver, leases on disk and a real
 * Elasticsearch; the agent is a double. Each executor hands its data to the next one.
 */
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeNodeReport, epoch, nodeId, type LaunchSpecInput } from '@mesos-elasticsearch/contract';
import { directoryLeases } from '@mesos-elasticsearch/coordination';
import { startHostdirPlugin, type RunningPlugin } from '@mesos-elasticsearch/dvdcli-bridge';
import { launchExecutor, type LaunchedExecutor } from './testing/agent-double.ts';
import { bundleExecutor, bundleHostdir } from './testing/bundles.ts';
import { distributionForTests } from './testing/distribution.ts';
import { launchSpec } from './testing/launch-specs.ts';

const found = distributionForTests();

describe.skipIf(found.kind === 'none')(
  `the executor's process with a real node${found.kind === 'none' ? ` (skipped: ${found.text})` : ''}`,
  () => {
    let root: string;
    let bundle: string;
    let plugin: RunningPlugin;
    let ports: readonly [number, number];
    let running: LaunchedExecutor | undefined;

    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'executor-'));
      await chmod(root, 0o755);
      await mkdir(join(root, 'leases'));
      bundle = await bundleExecutor();
      plugin = await startHostdirPlugin({
        program: await bundleHostdir(),
        store: join(root, 'store'),
        instance: 'agent-1',
        pluginDirectory: join(root, 'plugins'),
      });
      ports = [await freePort(), await freePort()];
    });
    afterEach(async () => {
      if (running?.process.exitCode === null) {
        running.shutdown();
        await running.exited;
      }
    });
    afterAll(async () => {
      await plugin.stop();
      await rm(root, { recursive: true, force: true });
    });

    const url = (path: string) => `http://127.0.0.1:${String(ports[0])}${path}`;
    const leases = () => directoryLeases(join(root, 'leases'));
    const launch = async (number: number, parts: Partial<LaunchSpecInput> = {}) => {
      await leases().openEpoch(nodeId(1), epoch(number));
      const spec = launchSpec({
        epoch: number,
        taskId: `elasticsearch-1.${String(number)}`,
        runtime: { kind: 'jar', distribution: found.distribution },
        dataOnRecord: number > 1,
        lease: { place: { kind: 'directory', directory: join(root, 'leases') } },
        elasticsearch: {
          ...{ httpPort: ports[0], transportPort: ports[1] },
          initialMasterNodes: number > 1 ? [] : ['elasticsearch-1'],
          settings: 'node: { name: mine }\nindices.query.bool.max_clause_count: 2048\n',
          jvmOptions: ['-Dfrom.the.user=yes'],
        },
        ...parts,
      });
      const environment = {
        VOLUME_PLUGIN_DIRECTORIES: join(root, 'plugins'),
        MOUNT_LEDGER_DIRECTORY: join(root, 'mounts'),
      };
      running = await launchExecutor({ bundle, root, spec, environment });
      return running;
    };
    const mountedBy = async (sandbox: string) => {
      const text = await readFile(join(sandbox, 'stderr'), 'utf8');
      return text.split('\n').filter((line) => line.includes('"level":50'));
    };

    it('runs a node, tells what it runs on, and lets everything go on KILL', async () => {
      const executor = await launch(1);
      const status = await executor.status('TASK_RUNNING');
      const report = decodeNodeReport(status.data ?? new Uint8Array());
      expect(report).toMatchObject({
        nodeId: 1,
        epoch: 1,
        tied: true,
        elasticsearchVersion: expect.any(String),
      });
      expect(report?.volumes.map(({ name, previousEpoch }) => [name, previousEpoch])).toEqual([
        ['elasticsearch1config', undefined],
        ['elasticsearch1data', undefined],
      ]);
      const stored = await fetch(url('/books/_doc/1'), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ title: 'Volumes' }),
      });
      expect(stored.status).toBe(201);
      executor.kill();
      expect((await executor.status('TASK_KILLED')).message).toBe('killed on request');
      expect(await executor.exited).toBe(0);
      expect(await leases().read(nodeId(1), epoch(1))).toMatchObject({ state: 'given-back' });
      expect(await mountedBy(executor.sandbox)).toEqual([]);
    });

    it('finds the document again in the next epoch, across a restart of the agent', async () => {
      const executor = await launch(2);
      executor.stopAcknowledging();
      const status = await executor.status('TASK_RUNNING');
      const report = decodeNodeReport(status.data ?? new Uint8Array());
      expect(report?.volumes.map(({ previousEpoch }) => previousEpoch)).toEqual([1, 1]);
      const { carriedUpdates } = await executor.restartAgent();
      expect(carriedUpdates).toBeGreaterThan(0);
      await fetch(url('/_cluster/health/books?wait_for_status=yellow&timeout=60s'));
      const document = await fetch(url('/books/_doc/1'));
      expect(await document.json()).toMatchObject({ found: true, _source: { title: 'Volumes' } });
      executor.shutdown();
      expect((await executor.status('TASK_KILLED')).message).toBe('the executor was shut down');
      expect(await executor.exited).toBe(0);
    });

    it('refuses what an earlier epoch asks for, and touches nothing', async () => {
      await leases().openEpoch(nodeId(1), epoch(3));
      await leases().closeEpoch(nodeId(1), epoch(3));
      const spec = launchSpec({
        ...{ epoch: 3, taskId: 'late', runtime: { kind: 'jar', distribution: found.distribution } },
        lease: { place: { kind: 'directory', directory: join(root, 'leases') } },
      });
      const environment = {
        VOLUME_PLUGIN_DIRECTORIES: join(root, 'plugins'),
        MOUNT_LEDGER_DIRECTORY: join(root, 'mounts'),
      };
      running = await launchExecutor({ bundle, root, spec, environment });
      expect((await running.status('TASK_FAILED')).message).toContain('lease of node 1 in epoch 3 refused');
      expect(await running.exited).toBe(0);
    });

    it('names volume, driver and marker when the volume is somebody else’s', async () => {
      const executor = await launch(4, { clusterIdentity: '11111111-2222-4333-8444-555555555555' });
      const { message } = await executor.status('TASK_FAILED');
      expect(message).toContain('volume elasticsearch1config of driver hostdir');
      expect(message).toContain('belongs to another cluster identity');
    });
  },
);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
