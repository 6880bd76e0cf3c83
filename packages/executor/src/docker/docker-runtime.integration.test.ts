/** The docker runtime with a real daemon and its own `local` volume driver; a small program stands in for Elasticsearch. */
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { epoch, nodeId, TASK_LABEL, volumeName, type LaunchSpecInput } from '@mesos-elasticsearch/contract';
import { MemoryLeases } from '@mesos-elasticsearch/coordination/testing';
import { engineVolumes } from '@mesos-elasticsearch/dvdcli-bridge';
import {
  startPluginServer,
  startRexrayLikePlugin,
  type PluginServer,
} from '@mesos-elasticsearch/dvdcli-bridge/testing';
import {
  dockerMissing,
  importImage,
  startDockerDaemon,
  type TestedDaemon,
} from '../testing/docker-daemon.ts';
import { executorForTests } from '../testing/executor-harness.ts';
import { launchSpec } from '../testing/launch-specs.ts';
import { dockerRuntime } from './docker-runtime.ts';

const missing = dockerMissing();
/** Where every engine looks for plugins; names of our own keep clear of what is there. */
const PLUGINS = '/run/docker/plugins';
const IMAGE = 'elasticsearch-double:1';
/** Says who it is, what it sees, and how often it was started; ignores nothing. */
const PROGRAM = [
  'echo "$(id -u):$(id -g)" >/data/who',
  'echo run >>/data/runs',
  'cat "$ES_PATH_CONF/elasticsearch.yml" >/data/seen.yml',
  'trap "exit 0" TERM',
  'while :; do sleep 0.1; done',
].join('\n');

describe.skipIf(missing !== undefined)(
  `nodes as containers${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let root: string;
    let daemon: TestedDaemon;
    const leases = new MemoryLeases();
    const world = { runs: 0, seen: '' };

    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'executor-docker-'));
      await chmod(root, 0o755);
      daemon = await startDockerDaemon(root);
      // As many images have them; none of them may reach a driver.
      await importImage(daemon.docker, root, IMAGE, PROGRAM, 'VOLUME /data /tmp/config /extra');
    });
    const plugins: PluginServer[] = [];
    const started = <T extends PluginServer>(plugin: T): T => {
      plugins.push(plugin);
      return plugin;
    };
    afterAll(async () => {
      // A socket left behind costs every engine of this machine 15 s.
      for (const plugin of plugins) await plugin.stop();
      for (const { Id } of await daemon.docker.listContainers({ all: true })) {
        await daemon.docker.getContainer(Id).remove({ force: true });
      }
      await daemon.stop();
      await rm(root, { recursive: true, force: true });
    });

    const launch = async (number: number, parts: Partial<LaunchSpecInput> = {}) => {
      await leases.openEpoch(nodeId(1), epoch(number));
      const sandbox = await mkdtemp(join(root, 'sandbox-'));
      await chmod(sandbox, 0o755);
      const log = () => undefined;
      const expectedRuns = (world.runs += 1);
      const tested = executorForTests({
        sandbox,
        leases,
        volumes: engineVolumes({ socketPath: daemon.socket }),
        runtime: dockerRuntime({ sandbox, socket: daemon.socket, log }),
        askNode: async () => {
          const data = await dataVolume();
          world.seen = await readFile(join(data, 'seen.yml'), 'utf8').catch(() => '');
          const runs = await readFile(join(data, 'runs'), 'utf8').catch(() => '');
          const up = runs.split('\n').length - 1 === expectedRuns && world.seen !== '';
          return up ? { kind: 'joined' } : { kind: 'silent', why: 'not yet' };
        },
      });
      tested.launch(
        launchSpec({
          epoch: number,
          taskId: `elasticsearch-1.${String(number)}`,
          runtime: { kind: 'docker', image: IMAGE, forcePull: false, socket: daemon.socket },
          volumePath: { kind: 'engine' },
          volumes: {
            config: { name: 'elasticsearch1config', driver: 'local', options: {} },
            data: { name: 'elasticsearch1data', driver: 'local', options: {} },
          },
          dataOnRecord: number > 1,
          elasticsearch: { uid: 4711, gid: 4712 },
          ...parts,
        }),
      );
      return tested;
    };
    /** Both volumes of the node at this driver. */
    const launchOn = (driver: string, number: number) =>
      launch(number, {
        dataOnRecord: false,
        volumes: {
          config: { name: `elasticsearch${String(number)}config`, driver, options: {} },
          data: { name: `elasticsearch${String(number)}data`, driver, options: {} },
        },
      });
    let dataVolume = () => mountpoint('elasticsearch1data');
    const mountpoint = async (name: string) =>
      (await daemon.docker.getVolume(volumeName(name)).inspect()).Mountpoint;
    const onData = async (file: string) =>
      (await readFile(join(await mountpoint('elasticsearch1data'), file), 'utf8')).trim();
    const containers = () => daemon.docker.listContainers({ all: true });

    it('runs under the guard as a number, sees both volumes, and is removed before KILLED is said', async () => {
      const first = await launch(1);
      const { report } = await first.status('TASK_RUNNING');
      expect(report?.volumes.map(({ mountpoint: path }) => path)).toEqual(['/tmp/config', '/data']);
      expect(await onData('who')).toBe('4711:4712');
      expect(world.seen).toContain('path.data: /data');
      const [container] = await containers();
      expect(container?.Labels).toMatchObject({ [TASK_LABEL.nodeId]: '1', [TASK_LABEL.epoch]: '1' });
      first.executor.dispatch({ kind: 'kill', taskId: 'elasticsearch-1.1', graceMs: undefined });
      await first.status('TASK_KILLED');
      expect(await containers()).toEqual([]);
    });

    it('comes back to the same volumes, and removes an orphan of an earlier epoch first', async () => {
      const second = await launch(2);
      await second.status('TASK_RUNNING');
      const [orphan] = await containers();
      // The executor of epoch 2 is forgotten here, its container is not: that is what an orphan is.
      const third = await launch(3);
      const { report } = await third.status('TASK_RUNNING');
      expect(report?.volumes.map(({ previousEpoch }) => previousEpoch)).toEqual([2, 2]);
      const left = await containers();
      expect(left.map(({ Id }) => Id)).not.toContain(orphan?.Id);
      expect(left).toHaveLength(1);
      expect(await onData('runs')).toBe('run\nrun\nrun');
      third.executor.dispatch({ kind: 'kill', taskId: 'elasticsearch-1.3', graceMs: 0 });
      await third.status('TASK_KILLED');
      expect(await second.executor.finished).toBe(0);
    });

    it('leaves a container of a later epoch alone and fails', async () => {
      const fifth = await launch(5);
      await fifth.status('TASK_RUNNING');
      const late = executorForTests({
        ...{ sandbox: root, leases, volumes: engineVolumes({ socketPath: daemon.socket }) },
        runtime: dockerRuntime({ sandbox: root, socket: daemon.socket, log: () => undefined }),
      });
      late.launch(
        launchSpec({
          ...{ epoch: 4, taskId: 'late', volumePath: { kind: 'engine' } },
          runtime: { kind: 'docker', image: IMAGE, forcePull: false, socket: daemon.socket },
        }),
      );
      expect((await late.status('TASK_FAILED')).message).toContain('is of epoch 5, ours is 4');
      expect(await containers()).toHaveLength(1);
      fifth.executor.dispatch({ kind: 'shutdown' });
      await fifth.status('TASK_KILLED');
    });

    it('says which image is missing', async () => {
      const failed = await launch(6, {
        runtime: { kind: 'docker', image: 'nowhere.invalid/none:1', forcePull: false, socket: daemon.socket },
      });
      expect((await failed.status('TASK_FAILED')).message).toContain('image nowhere.invalid/none:1');
    });

    it('keeps the image’s VOLUME lines from the driver, and asks it for two volumes and two mounts', async () => {
      const name = `rexray${String(process.pid)}`;
      const plugin = started(
        await startRexrayLikePlugin({ directory: root, pluginDirectory: PLUGINS, name }),
      );
      world.runs = 0;
      dataVolume = () => Promise.resolve(join(root, 'volumes', 'elasticsearch7data', 'data'));
      const seventh = await launchOn(name, 7);
      await seventh.status('TASK_RUNNING');
      const [container] = await containers();
      const mounts = container?.Mounts.filter(({ Type }) => Type === 'volume') ?? [];
      expect(mounts.map(({ Destination, Driver }) => `${Destination} ${Driver ?? ''}`).sort()).toEqual(
        [`/data ${name}`, '/extra local', `/tmp/config ${name}`].sort(),
      );
      seventh.executor.dispatch({ kind: 'kill', taskId: 'elasticsearch-1.7', graceMs: 0 });
      await seventh.status('TASK_KILLED');
      const sent = (verb: string) =>
        plugin.calls
          .filter(({ method }) => method === `VolumeDriver.${verb}`)
          .map(({ body }) => body.Name)
          .sort();
      expect(sent('Create')).toEqual(['elasticsearch7config', 'elasticsearch7data']);
      expect(sent('Mount')).toEqual(['elasticsearch7config', 'elasticsearch7data']);
      expect(sent('Unmount')).toEqual(['elasticsearch7config', 'elasticsearch7data']);
      expect(sent('Remove')).toEqual([]);
    });

    it('does not count as started when the driver gives one path for both volumes', async () => {
      const name = `same${String(process.pid)}`;
      const path = join(root, 'same');
      await mkdir(path);
      started(await startGivingPlugin(name, path));
      expect((await (await launchOn(name, 8)).status('TASK_FAILED')).message).toContain(
        'one lies in the other',
      );
      expect(await containers()).toEqual([]);
    });

    it('does not count as started when the driver gives no path at all', async () => {
      const name = `empty${String(process.pid)}`;
      started(await startGivingPlugin(name, ''));
      expect((await (await launchOn(name, 9)).status('TASK_FAILED')).message).toContain(
        'is not what Docker mounted',
      );
      expect(await containers()).toEqual([]);
    });
  },
);

/** A driver that gives one mountpoint for whatever it has. */
async function startGivingPlugin(name: string, path: string): Promise<PluginServer> {
  const made = new Set<string>();
  return startPluginServer(PLUGINS, name, ({ method, body: { Name: asked = '' } }) => {
    if (method === 'VolumeDriver.Create') made.add(asked);
    const volume = made.has(asked) ? { Volume: { Name: asked } } : {};
    return { json: { Implements: ['VolumeDriver'], Mountpoint: path, ...volume } };
  });
}
