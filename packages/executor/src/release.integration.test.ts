/** A release task for real: an executor that ends and unmounts what an earlier one left behind, and nothing else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  epoch,
  NODE_MARK_VARIABLE,
  nodeId,
  nodeMark,
  VOLUME_ROLES,
  volumeName,
} from '@mesos-elasticsearch/contract';
import { directoryLeases } from '@mesos-elasticsearch/coordination';
import {
  dvdcliVolumes,
  openMountLedger,
  pluginSocketVolumes,
  recorded,
  startHostdirPlugin,
  type ConsumerId,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { buildPrograms } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchSpecSchema, type VolumeRole } from '@mesos-elasticsearch/contract';
import { launchExecutor } from './testing/agent-double.ts';
import { bundleExecutor, bundleHostdir } from './testing/bundles.ts';
import { launchSpec } from './testing/launch-specs.ts';

const FORMER = 'elasticsearch-1.1' as ConsumerId;

describe("a release task's executor", () => {
  let root: string;
  let bundle: string;
  let plugin: Awaited<ReturnType<typeof startHostdirPlugin>>;
  const leases = () => directoryLeases(join(root, 'leases'));
  const volumes = () => pluginSocketVolumes({ directories: [join(root, 'plugins')] });

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'release-'));
    await chmod(root, 0o755);
    await mkdir(join(root, 'leases'));
    bundle = await bundleExecutor();
    plugin = await startHostdirPlugin({
      program: await bundleHostdir(),
      store: join(root, 'store'),
      instance: 'agent-1',
      pluginDirectory: join(root, 'plugins'),
    });
  });
  afterAll(async () => {
    await plugin.stop();
    await rm(root, { recursive: true, force: true });
  });

  const environmentOf = () => ({
    VOLUME_PLUGIN_DIRECTORIES: join(root, 'plugins'),
    MOUNT_LEDGER_DIRECTORY: join(root, 'mounts'),
  });

  const specOf = (number: number) =>
    launchSpec({
      epoch: number,
      taskId: `elasticsearch-1.${String(number)}`,
      purpose: 'release',
      formerConsumers: [FORMER],
      lease: { place: { kind: 'directory', directory: join(root, 'leases') } },
    });

  const ledger = () => openMountLedger({ directory: join(root, 'mounts') });
  /** As of a process that was killed. */
  const ledgerOfTheDead = () =>
    openMountLedger({ directory: join(root, 'mounts'), self: { ...ledger().self, startTicks: 1 } });

  /** What an executor that was killed leaves: both volumes attached, and a process that writes to one of them. */
  async function leaveBehind(by = volumes()) {
    const spec = launchSpecSchema.parse(specOf(1));
    let data = '';
    for (const role of VOLUME_ROLES) {
      await volumes().ensure(spec.volumes[role]);
      const attached = await by.attach(spec.volumes[role], FORMER);
      if (attached.kind !== 'done' || attached.value.kind !== 'host-path') throw new Error('not attached');
      data = attached.value.hostPath;
    }
    const writer = spawn('sh', ['-c', 'exec 3>"$0/held"; echo up; exec sleep 600', data], {
      detached: true,
      env: { PATH: process.env.PATH, [NODE_MARK_VARIABLE]: nodeMark(spec) },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(writer.stdout, 'data');
    return { spec, gone: once(writer, 'exit') };
  }

  it('ends the process, undoes the attachments under the name of their holder, and has finished', async () => {
    const { spec, gone } = await leaveBehind();
    await leases().openEpoch(nodeId(1), epoch(2));
    const environment = environmentOf();
    const executor = await launchExecutor({ bundle, root, spec: specOf(2), environment });
    expect((await executor.status('TASK_FINISHED')).message).toContain('ended and unmounted');
    expect(await executor.exited).toBe(0);
    expect(await gone).toEqual([null, 'SIGKILL']);
    expect(await leases().read(nodeId(1), epoch(2))).toMatchObject({ state: 'given-back' });
    // The bridge refuses to remove what anybody has attached.
    for (const role of VOLUME_ROLES) {
      expect(await volumes().remove(spec.volumes[role])).toMatchObject({ kind: 'done' });
    }
  });

  it('touches nothing without the lease', async () => {
    const { spec, gone } = await leaveBehind();
    await leases().openEpoch(nodeId(1), epoch(3));
    await leases().closeEpoch(nodeId(1), epoch(3));
    const environment = environmentOf();
    const executor = await launchExecutor({ bundle, root, spec: specOf(3), environment });
    expect((await executor.status('TASK_FAILED')).message).toContain('refused');
    for (const role of VOLUME_ROLES) {
      expect(await volumes().remove(spec.volumes[role])).toMatchObject({ kind: 'not-done' });
    }
    for (const role of VOLUME_ROLES) await volumes().detach(spec.volumes[role], FORMER);
    await gone;
  });

  it('undoes what only the records of the host know of, and leaves what is of other nodes', async () => {
    const mark = (node: number) =>
      `${NODE_MARK_VARIABLE}=${nodeMark(launchSpecSchema.parse(specOf(1)))}`.replace(
        '/1/',
        `/${String(node)}/`,
      );
    const { spec, gone } = await leaveBehind(recorded(volumes(), ledgerOfTheDead(), { mark: mark(1) }));
    const other = { ...spec.volumes.data, name: volumeName('elasticsearch2data') };
    await volumes().ensure(other);
    await recorded(volumes(), ledgerOfTheDead(), { mark: mark(2) }).attach(
      other,
      'elasticsearch-2.1' as ConsumerId,
    );
    await leases().openEpoch(nodeId(1), epoch(4));
    const environment = environmentOf();
    const executor = await launchExecutor({
      ...{ bundle, root, environment },
      spec: { ...specOf(4), formerConsumers: [] },
    });
    await executor.status('TASK_FINISHED');
    expect(await gone).toEqual([null, 'SIGKILL']);
    const left = ledger()
      .keys()
      .map((key) => ledger().peek(key)?.volume);
    expect(left).toEqual(['elasticsearch2data']);
    for (const role of VOLUME_ROLES) {
      expect(await volumes().remove(spec.volumes[role])).toMatchObject({ kind: 'done' });
    }
    expect(await volumes().remove(other)).toMatchObject({ kind: 'not-done', error: { code: 'in-use' } });
  });

  it('undoes what an isolator of Mesos has left mounted, the way the isolator did it', async () => {
    const { dvdcli } = await buildPrograms(root);
    const environment = environmentOf();
    const { volumes: both } = launchSpecSchema.parse(specOf(5));
    const mountedAt = async (role: VolumeRole) => {
      const found = await volumes().inspect(both[role]);
      return found.kind === 'done' ? found.value?.mountpoint : found;
    };
    for (const role of VOLUME_ROLES) {
      await volumes().ensure(both[role]);
      await dvdcliVolumes({ program: dvdcli, env: environment }).attach(both[role], FORMER);
      expect(await mountedAt(role)).toContain(both[role].name);
    }
    await leases().openEpoch(nodeId(1), epoch(5));
    const spec = { ...specOf(5), formerConsumers: [], formerIsolator: { dvdcli } };
    const executor = await launchExecutor({ bundle, root, spec, environment });
    await executor.status('TASK_FINISHED');
    expect(await executor.exited).toBe(0);
    for (const role of VOLUME_ROLES) expect(await mountedAt(role)).toBeUndefined();
  });
});
