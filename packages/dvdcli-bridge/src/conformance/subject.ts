/** The driver that somebody named, as a subject of the checks. */
import Docker from 'dockerode';
import { dvdcliVolumes } from '../dvdcli/volumes.ts';
import { engineVolumes } from '../engine/volumes.ts';
import type { PluginEndpoint } from '../plugin/endpoint.ts';
import { engineForManagedPlugins } from '../plugin/engine-endpoint.ts';
import { pluginDirectoriesFrom } from '../plugin/find-plugin.ts';
import { pluginSocketVolumes } from '../plugin-socket/volumes.ts';
import type { Attachment, Volumes } from '../volumes.ts';
import type { ContractSubject } from './check.ts';
import type { ConformanceOptions } from './command-line.ts';
import { lookInChild } from './in-child.ts';

export function subjectOf(
  options: ConformanceOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ContractSubject {
  const here = pluginDirectoriesFrom(environment);
  const { elsewhere, image, path, dockerSocket } = options;
  const engine: PluginEndpoint | undefined =
    dockerSocket === undefined
      ? engineForManagedPlugins(environment, (message) => void process.stderr.write(`${message}\n`))
      : { kind: 'unix', socketPath: dockerSocket };
  const open = (directories: readonly string[]): Volumes =>
    // The other machine's plugins are none of this one's Engine.
    reach(options, directories, directories === here ? engine : undefined);
  return {
    volumes: open(here),
    restarted: () => open(here),
    driver: options.driver,
    optionsFor: (name) =>
      Object.fromEntries(
        Object.entries(options.options).map(([key, value]) => [key, value.replaceAll('{volume}', name)]),
      ),
    ...(elsewhere === undefined ? {} : { elsewhere: open([elsewhere]) }),
    ...(path === 'engine' && image !== undefined
      ? { use: (attachment: Attachment) => holdInContainer(dockerOf(options), image, attachment) }
      : {}),
    close: () => Promise.resolve(),
  };
}

function reach(
  options: ConformanceOptions,
  directories: readonly string[],
  engine: PluginEndpoint | undefined,
): Volumes {
  const { path, limitMs: ms } = options;
  const limits = ms === undefined ? {} : { timeLimits: { createMs: ms, mountMs: ms, otherMs: ms } };
  switch (path) {
    case 'plugin-socket':
      return pluginSocketVolumes({ directories, engine, lookAt: lookInChild, ...limits });
    case 'dvdcli': {
      const env = { VOLUME_PLUGIN_DIRECTORIES: directories.join(':') };
      return dvdcliVolumes({ program: options.dvdcli, env, lookAt: lookInChild, ...limits });
    }
    case 'engine':
      return engineVolumes({ docker: dockerOf(options), ...(ms === undefined ? {} : { limitMs: ms }) });
  }
}

function dockerOf({ dockerSocket: socketPath = '/var/run/docker.sock' }: ConformanceOptions): Docker {
  return new Docker({ socketPath });
}

const SLEEP = ['sleep', '600'];

/** A running container with the volume at /data, until the returned function has removed it. */
async function holdInContainer(
  docker: Docker,
  image: string,
  attachment: Attachment,
): Promise<() => Promise<void>> {
  if (attachment.kind !== 'container-mount') throw new Error('not a container mount');
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: [],
    Cmd: SLEEP,
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
  const remove = async (): Promise<void> => {
    await container.remove({ force: true });
  };
  try {
    await container.start();
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}
