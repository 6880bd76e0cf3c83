import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { taskId, type ContainerInfo, type TaskInfo } from '@mesos-elasticsearch/mesos-v1';
import { bundleLocalProgram } from '@mesos-elasticsearch/local/testing';
import { BareScheduler } from './bare-scheduler.ts';
import { startIsolatingCluster, WHY_NO_ISOLATORS, type IsolatingCluster } from './isolating-cluster.ts';
import { recordedEvents, storyOf } from './recording.ts';
import { isReal } from './target.ts';
import { commandTask, launch } from './tasks.ts';

const RECORDED = recordedEvents('14-isolators');
const why = isReal ? 'the paths and volumes are those of our own agents' : WHY_NO_ISOLATORS;
const PATIENCE = { timeout: 15_000 };
const MODULE = 'com_emccode_mesos_DockerVolumeDriverIsolator';
const ESDATA = `/tmp/isolators-${process.pid}-esdata`;

describe.skipIf(why !== undefined)(
  `recording 14: the isolators that mount Docker volumes${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let program: string[];
    let place: IsolatingCluster;
    let scheduler: BareScheduler;

    beforeAll(async () => {
      program = await bundleLocalProgram();
      const resources = 'cpus:2;mem:1024;disk:1000;ports:[31000-31010]';
      place = await startIsolatingCluster(program, [
        { name: 'builtin', isolation: 'filesystem/linux,docker/volume', resources },
        { name: 'module', isolation: MODULE, resources },
      ]);
      scheduler = new BareScheduler(place.cluster.master);
      await scheduler.subscribe();
    });
    afterAll(async () => {
      await scheduler.teardown();
      await place.stop();
      await rm(dirname(program[1] ?? ''), { recursive: true });
      await rm(ESDATA, { recursive: true, force: true });
      await rm(`${ESDATA}2`, { recursive: true, force: true });
    });

    /** Resolves with the first word about the task. */
    async function run(agent: string, task: string, value: string, more: Partial<TaskInfo> = {}) {
      const offer = await scheduler.offer(({ hostname }) => hostname === agent);
      const plain = commandTask(task, offer, value);
      const info = { ...plain, ...more, command: { ...plain.command, ...more.command } };
      await scheduler.call(launch(offer, info));
      return scheduler.update(taskId(task));
    }
    async function kill(task: string) {
      await scheduler.call({ type: 'KILL', kill: { taskId: taskId(task) } });
      await scheduler.update(taskId(task));
      expect(storyOf(task, scheduler.events)).toEqual(storyOf(task, RECORDED));
    }
    const mountedOn = async (agent: string, name: string) => {
      const found = await place.volumesOf(agent).inspect({ name: name as never, driver: 'hostdir' });
      return found.kind === 'done' ? found.value?.mountpoint : found;
    };
    const text = (volume: string, file: string) =>
      readFile(`${place.pathOf(volume)}/${file}`, 'utf8').catch(() => undefined);
    const variables = (values: Record<string, string>): Partial<TaskInfo> => ({
      command: {
        environment: { variables: Object.entries(values).map(([name, value]) => ({ name, value })) },
      },
    });
    const dockerVolume = (containerPath: string, name: string): ContainerInfo => ({
      type: 'MESOS',
      mesos: {},
      volumes: [
        {
          mode: 'RW',
          containerPath,
          source: { type: 'DOCKER_VOLUME', dockerVolume: { driver: 'hostdir', name } },
        },
      ],
    });

    test('docker/volume: a container path relative to the sandbox', async () => {
      const container = dockerVolume('data', 'elasticsearch2data');
      await run('builtin', 'v1', 'echo builtin > data/builtin.txt; sleep 1000', { container });
      await expect.poll(() => text('elasticsearch2data', 'builtin.txt'), PATIENCE).toBe('builtin\n');
      expect(await mountedOn('builtin', 'elasticsearch2data')).toBe(place.pathOf('elasticsearch2data'));
      await kill('v1');
      await expect.poll(() => mountedOn('builtin', 'elasticsearch2data'), PATIENCE).toBeUndefined();
    });

    test('mesos-module-dvdi: suffix 1 on all four variables, container path under /tmp', async () => {
      const value = `echo module > ${ESDATA}/module.txt; sleep 1000`;
      await run('module', 'v2', value, {
        ...variables({
          ...{ DVDI_VOLUME_NAME1: 'elasticsearch3data', DVDI_VOLUME_DRIVER1: 'hostdir' },
          ...{ DVDI_VOLUME_OPTS1: 'remote=storees3', DVDI_VOLUME_CONTAINERPATH1: ESDATA },
        }),
      });
      await expect.poll(() => text('elasticsearch3data', 'module.txt'), PATIENCE).toBe('module\n');
      expect(await readdir(ESDATA), 'the mount is in the namespace of the container only').toEqual([]);
      await kill('v2');
      await expect.poll(() => mountedOn('module', 'elasticsearch3data'), PATIENCE).toBeUndefined();
    });

    test('mesos-module-dvdi: no suffix, the volume created beforehand', async () => {
      const volume = { name: 'elasticsearch4data' as never, driver: 'hostdir', options: {} };
      await place.volumesOf('module').ensure(volume);
      const value = `echo module > ${ESDATA}/module.txt; sleep 1000`;
      await run('module', 'v3', value, {
        ...variables({
          ...{ DVDI_VOLUME_NAME: 'elasticsearch4data', DVDI_VOLUME_DRIVER: 'hostdir' },
          DVDI_VOLUME_CONTAINERPATH: ESDATA,
        }),
      });
      await expect.poll(() => text('elasticsearch4data', 'module.txt'), PATIENCE).toBe('module\n');
      await kill('v3');
      await expect.poll(() => mountedOn('module', 'elasticsearch4data'), PATIENCE).toBeUndefined();
    });

    test('edge case 24: a path without the suffix of its volume: mounted, and the file never reaches it', async () => {
      const value = `mkdir -p ${ESDATA}2; echo lost > ${ESDATA}2/lost.txt; sleep 1000`;
      await run('module', 'v4', value, {
        ...variables({
          ...{ DVDI_VOLUME_NAME1: 'elasticsearch4data', DVDI_VOLUME_DRIVER1: 'hostdir' },
          DVDI_VOLUME_CONTAINERPATH: `${ESDATA}2`,
        }),
      });
      await expect.poll(() => existsSync(`${ESDATA}2/lost.txt`), PATIENCE).toBe(true);
      expect(await mountedOn('module', 'elasticsearch4data')).toBe(place.pathOf('elasticsearch4data'));
      expect(await text('elasticsearch4data', 'lost.txt')).toBeUndefined();
      await kill('v4');
      await expect.poll(() => mountedOn('module', 'elasticsearch4data'), PATIENCE).toBeUndefined();
    });

    test('what cannot be mounted fails the launch, and leaves nothing mounted', async () => {
      const refused = async (agent: string, task: string, more: Partial<TaskInfo>) => {
        const { state, reason, message } = await run(agent, task, 'sleep 1000', more);
        expect([state, reason]).toEqual(['TASK_FAILED', 'REASON_CONTAINER_LAUNCH_FAILED']);
        return message;
      };
      const missing = { container: dockerVolume(`${ESDATA}-missing`, 'other1data') };
      expect(await refused('builtin', 'f1', missing)).toMatch(/does not exist on the host/);
      const named = { DVDI_VOLUME_NAME: 'other2data', DVDI_VOLUME_DRIVER: 'hostdir' };
      const elsewhere = variables({ ...named, DVDI_VOLUME_CONTAINERPATH: '/isolators-missing' });
      expect(await refused('module', 'f2', elsewhere)).toMatch(/'\/isolators-missing' does not exist/);
      expect(await refused('module', 'f3', variables({ DVDI_VOLUME_NAME: 'a:b' }))).toMatch(/prohibited/);
      expect(await refused('module', 'f4', variables({ DVDI_VOLUME_NAME10: 'ab' }))).toMatch(/suffix/);
      const nobody = variables({ ...named, DVDI_VOLUME_DRIVER: 'nobodys' });
      expect(await refused('module', 'f5', nobody)).toMatch(
        /Unexpected termination of the subprocess.*nobodys/,
      );
      expect(await mountedOn('builtin', 'other1data')).toBeUndefined();
    });

    test('edge case 41: the module gives the volume’s root the owner and mode of the path; Mesos does not', async () => {
      await mkdir(ESDATA, { recursive: true });
      await chown(ESDATA, 4711, 4712);
      await chmod(ESDATA, 0o750);
      const named = { DVDI_VOLUME_NAME: 'owned1data', DVDI_VOLUME_DRIVER: 'hostdir' };
      const value = `echo up > ${ESDATA}/up; sleep 1000`;
      await run('module', 'o1', value, variables({ ...named, DVDI_VOLUME_CONTAINERPATH: ESDATA }));
      await run('builtin', 'o2', 'echo up > data/up; sleep 1000', {
        container: dockerVolume('data', 'owned2data'),
      });
      await expect.poll(() => text('owned1data', 'up'), PATIENCE).toBe('up\n');
      await expect.poll(() => text('owned2data', 'up'), PATIENCE).toBe('up\n');
      const ownerOf = async (volume: string) => {
        const { uid, gid, mode } = await stat(place.pathOf(volume));
        return [uid, gid, mode & 0o7777];
      };
      expect(await ownerOf('owned1data')).toEqual([4711, 4712, 0o750]);
      expect(await ownerOf('owned2data')).toEqual([0, 0, 0o755]);
      for (const task of ['o1', 'o2']) await scheduler.call({ type: 'KILL', kill: { taskId: taskId(task) } });
      for (const task of ['o1', 'o2'])
        await scheduler.updateThat(taskId(task), ({ state }) => state === 'TASK_KILLED');
    });
  },
);
