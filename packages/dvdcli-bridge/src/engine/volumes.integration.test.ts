/** The behavioural suite through a real Docker engine of our own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import Docker from 'dockerode';
import { startHostdirPlugin, type RunningPlugin } from '../hostdir/start.ts';
import { buildPrograms } from '../testing/bundles.ts';
import {
  dockerEngineUnavailable,
  startPrivateDockerEngine,
  type PrivateDockerEngine,
} from '../testing/private-docker-engine.ts';
import { SLEEP_COMMAND, sleepingImage } from '../testing/sleeping-image.ts';
import { volumesContract, type ContractSubject } from '../testing/volumes-contract.ts';
import type { Attachment } from '../volumes.ts';
import { engineVolumes } from './volumes.ts';

const unavailable = dockerEngineUnavailable();
const scratch = mkdtempSync(join(tmpdir(), 'engine-'));
const running: { engine?: PrivateDockerEngine } = {};
const IMAGE = 'contract:local';

beforeAll(async () => {
  if (unavailable !== undefined) return;
  running.engine = await startPrivateDockerEngine({ dir: join(scratch, 'docker') });
  const docker = new Docker({ socketPath: running.engine.socket });
  const archive = await sleepingImage(join(scratch, 'image'));
  const stream = await docker.importImage(archive, { repo: 'contract', tag: 'local' });
  await new Promise((resolve) => docker.modem.followProgress(stream, resolve));
});
afterAll(async () => {
  await running.engine?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function subjectOn(driver: string, plugin?: RunningPlugin): ContractSubject {
  const docker = new Docker({ socketPath: running.engine!.socket });
  return {
    volumes: engineVolumes({ docker }),
    restarted: () => engineVolumes({ docker }),
    driver,
    optionsFor: () => ({}),
    use: (attachment) => holdInContainer(docker, attachment),
    close: async () => plugin?.stop(),
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

volumesContract('Docker Engine to local', async () => subjectOn('local'), unavailable);
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
    return subjectOn(name, plugin);
  },
  unavailable,
);
