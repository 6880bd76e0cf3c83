/** The main job on one machine: a real Elasticsearch under the guard, and its data in the hands of the next executor. */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { epoch, MARKER_FILE, nodeId } from '@mesos-elasticsearch/contract';
import { MemoryLeases } from '@mesos-elasticsearch/coordination/testing';
import { executorForTests, type TestedExecutor } from '../testing/executor-harness.ts';
import { DirectoryVolumes } from '../testing/directory-volumes.ts';
import { launchSpec } from '../testing/launch-specs.ts';
import { distributionForTests } from '../testing/distribution.ts';

const found = distributionForTests();

describe.skipIf(found.kind === 'none')(`a real node (${found.text})`, () => {
  let root: string;
  let volumes: DirectoryVolumes;
  const leases = new MemoryLeases();
  let running: TestedExecutor | undefined;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'executor-'));
    await chmod(root, 0o755);
    volumes = new DirectoryVolumes(join(root, 'volumes'));
  });
  afterEach(async () => {
    running?.executor.dispatch({ kind: 'shutdown' });
    await running?.executor.finished;
    await rm(root, { recursive: true, force: true });
  });

  it('keeps an acknowledged document from one executor to the next', async () => {
    const [httpPort, transportPort] = [await freePort(), await freePort()];
    const launch = async (number: number) => {
      await leases.openEpoch(nodeId(1), epoch(number));
      const sandbox = await mkdtemp(join(root, 'sandbox-'));
      await chmod(sandbox, 0o755);
      running = executorForTests({ sandbox, volumes, leases });
      running.launch(
        launchSpec({
          epoch: number,
          taskId: `elasticsearch-1.${String(number)}`,
          runtime: { kind: 'jar', distribution: found.distribution },
          dataOnRecord: number > 1,
          elasticsearch: {
            httpPort,
            transportPort,
            initialMasterNodes: number > 1 ? [] : ['elasticsearch-1'],
          },
        }),
      );
      return running;
    };
    const url = (path: string) => `http://127.0.0.1:${String(httpPort)}${path}`;

    const first = await launch(1);
    await first.status('TASK_RUNNING');
    const put = await fetch(url('/books/_doc/1?refresh=true'), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Volumes' }),
    });
    expect(put.status).toBe(201);
    expect([...volumes.attached.keys()]).toEqual(['elasticsearch1config', 'elasticsearch1data']);
    const identity = await markerIdentity(volumes);
    first.executor.dispatch({ kind: 'kill', taskId: 'elasticsearch-1.1', graceMs: undefined });
    const killed = await first.status('TASK_KILLED');
    expect(killed.message).toBe('killed on request');
    expect(volumes.attached.size).toBe(0);
    expect(await leases.read(nodeId(1), epoch(1))).toMatchObject({ state: 'given-back' });
    expect(await first.executor.finished).toBe(0);

    const second = await launch(2);
    const report = (await second.status('TASK_RUNNING')).report;
    expect(report?.volumes.map(({ previousEpoch }) => previousEpoch)).toEqual([1, 1]);
    expect(await markerIdentity(volumes)).toBe(identity);
    await fetch(url('/_cluster/health/books?wait_for_status=yellow&timeout=60s'));
    const got = await fetch(url('/books/_doc/1'));
    expect(await got.json()).toMatchObject({ found: true, _source: { title: 'Volumes' } });
  });
});

async function markerIdentity(volumes: DirectoryVolumes): Promise<string> {
  const text = await readFile(join(volumes.pathOf('elasticsearch1data'), MARKER_FILE), 'utf8');
  return (JSON.parse(text) as { volumeIdentity: string }).volumeIdentity;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
