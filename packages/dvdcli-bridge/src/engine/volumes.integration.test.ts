/** The behavioural suite through a real Docker engine of our own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import { startHostdirPlugin, type RunningPlugin } from '../hostdir/start.ts';
import { rcloneVolumeOptions, startRclonePlugin } from '../rclone/serve-docker.ts';
import { rcloneUnavailable } from '../testing/availability.ts';
import { buildPrograms } from '../testing/bundles.ts';
import {
  dockerEngineUnavailable,
  startPrivateDockerEngine,
  type PrivateDockerEngine,
} from '../testing/private-docker-engine.ts';
import { SLEEP_COMMAND, sleepingImage } from '../testing/sleeping-image.ts';
import { volumesContract, type ContractSubject } from '../testing/volumes-contract.ts';
import type { Attachment, Volumes } from '../volumes.ts';
import { engineVolumes } from './volumes.ts';

const unavailable = dockerEngineUnavailable();
const scratch = mkdtempSync(join(tmpdir(), 'engine-'));
const IMAGE = 'contract:local';

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** An engine for each driver: one whose driver has gone waits 15 s for it at every turn. */
async function startEngine(name: string): Promise<PrivateDockerEngine> {
  const engine = await startPrivateDockerEngine({ dir: join(scratch, name, 'docker') });
  const docker = new Docker({ socketPath: engine.socket });
  const archive = await sleepingImage(join(scratch, name, 'image'));
  const stream = await docker.importImage(archive, { repo: 'contract', tag: 'local' });
  await new Promise((resolve) => docker.modem.followProgress(stream, resolve));
  return engine;
}

interface Driver {
  readonly name: string;
  readonly plugin?: RunningPlugin;
  readonly optionsFor?: ContractSubject['optionsFor'];
}

async function subjectOn(driver: Driver): Promise<ContractSubject> {
  const engine = await startEngine(driver.name);
  const docker = new Docker({ socketPath: engine.socket });
  return {
    volumes: engineVolumes({ docker }),
    restarted: () => engineVolumes({ docker }),
    driver: driver.name,
    optionsFor: driver.optionsFor ?? (() => ({})),
    use: (attachment) => holdInContainer(docker, attachment),
    async close() {
      await engine.stop();
      await driver.plugin?.stop();
    },
  };
}

/** A running container with the volume at /data, until the returned function has removed it. */
async function holdInContainer(docker: Docker, attachment: Attachment): Promise<() => Promise<void>> {
  if (attachment.kind !== 'container-mount') throw new Error('not a container mount');
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: SLEEP_COMMAND,
    HostConfig: {
      NetworkMode: 'none',
      Mounts: [
        {
          Type: 'volume',
          Source: attachment.source,
          Target: '/data',
          VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: attachment.driver, Options: {} } },
        },
      ],
    },
  });
  await container.start();
  return async () => {
    await container.remove({ force: true });
  };
}

volumesContract('Docker Engine to local', () => subjectOn({ name: 'local' }), unavailable);
volumesContract(
  'Docker Engine to hostdir',
  async () => {
    // Docker finds plugins in its own directories only; a name of our own keeps clear of a real hostdir.
    const name = `hostdir${process.pid}`;
    const programs = await buildPrograms(scratch);
    const plugin = await startHostdirPlugin({
      program: programs.hostdir,
      store: join(scratch, 'store'),
      instance: 'agent1',
      pluginDirectory: '/run/docker/plugins',
      name,
    });
    return subjectOn({ name, plugin });
  },
  unavailable,
);
volumesContract(
  'Docker Engine to rclone',
  async () => {
    const name = `rclone${process.pid}`;
    const directory = join(scratch, 'rclone');
    const plugin = await startRclonePlugin({ directory, pluginDirectory: '/run/docker/plugins', name });
    const optionsFor = (volume: string): Record<string, string> => {
      const remote = join(scratch, 'remote', volume);
      mkdirSync(remote, { recursive: true });
      return rcloneVolumeOptions({ directory: remote });
    };
    return subjectOn({ name, plugin, optionsFor });
  },
  unavailable ?? rcloneUnavailable(),
);

const title = unavailable === undefined ? '' : ` (skipped: ${unavailable})`;
describe.skipIf(unavailable !== undefined)(`what a real Engine says${title}`, () => {
  let engine: PrivateDockerEngine;
  beforeAll(async () => {
    engine = await startPrivateDockerEngine({ dir: join(scratch, 'answers') });
  });
  afterAll(() => engine.stop());
  const volumes = (): Volumes => engineVolumes({ socketPath: engine.socket });
  const options = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' };
  const volume = { name: volumeName(`options${process.pid}data`), driver: 'local', options };

  it('of a volume with other options, of another driver, and of a driver that is not there', async () => {
    expect(await volumes().ensure(volume)).toEqual({ kind: 'done', value: { created: true } });
    expect(await volumes().ensure(volume)).toEqual({ kind: 'done', value: { created: false } });
    const larger = { ...volume, options: { ...options, o: 'size=2m' } };
    const other = await volumes().ensure(larger);
    expect(other).toMatchObject({ kind: 'not-done', error: { code: 'conflict' } });
    expect(other.kind !== 'done' && other.error.message).toMatch(/size=2m was asked for, it has size=1m/);
    expect(await volumes().ensure({ ...volume, driver: 'rexray' })).toMatchObject({
      kind: 'not-done',
      error: { code: 'conflict' },
    });
    expect(
      await volumes().ensure({ ...volume, name: volumeName('nosuch1data'), driver: 'nosuch' }),
    ).toMatchObject({
      kind: 'not-done',
      error: { code: 'driver-not-found' },
    });
    expect(await volumes().remove(volume)).toMatchObject({ kind: 'done' });
  });
});
