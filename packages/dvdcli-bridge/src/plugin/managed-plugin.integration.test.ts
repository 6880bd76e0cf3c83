/** What a real Docker Engine says of a plugin that it manages is understood. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programInPath } from '../testing/availability.ts';
import {
  dockerEngineUnavailable,
  startPrivateDockerEngine,
  type PrivateDockerEngine,
} from '../testing/private-docker-engine.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { installManagedHostdir } from '../testing/managed-hostdir.ts';
import { volumesContract, type ContractSubject } from '../testing/volumes-contract.ts';
import { pluginSocketVolumes } from '../plugin-socket/volumes.ts';
import { dvdcliVolumes } from '../dvdcli/volumes.ts';
import type { Volumes } from '../volumes.ts';
import { PLUGIN_DIRECTORIES_VARIABLE } from './find-plugin.ts';
import { volumePlugin, type VolumePlugin } from './client.ts';

const unavailable =
  dockerEngineUnavailable() ?? (programInPath('docker') === undefined ? 'no docker command' : undefined);
const title =
  unavailable === undefined ? 'a real Docker Engine' : `a real Docker Engine (skipped: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(title, () => {
  let home: string;
  let engine: PrivateDockerEngine;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'managed-'));
    engine = await startPrivateDockerEngine({ dir: join(home, 'engine') });
  });
  afterAll(async () => {
    await engine.stop();
    rmSync(home, { recursive: true, force: true });
  });

  /** A plugin without a program: it can be made, but not be started. */
  function create(name: string, type: string): void {
    const source = join(home, name.replace(/\W/g, '-'));
    mkdirSync(join(source, 'rootfs'), { recursive: true });
    // Two plugins of the same content are one to the Engine's store, which refuses the second.
    writeFileSync(join(source, 'rootfs', 'name'), name);
    const config = {
      description: 'for a test',
      entrypoint: ['/nothing'],
      interface: { types: [type], socket: 'test.sock' },
      propagatedMount: '/mnt/volumes',
    };
    writeFileSync(join(source, 'config.json'), JSON.stringify(config));
    execFileSync('docker', ['-H', `unix://${engine.socket}`, 'plugin', 'create', name, source], {
      stdio: 'pipe',
    });
  }
  const open = (driver: string): VolumePlugin =>
    volumePlugin({
      driver,
      directories: [join(home, 'engine', 'exec', 'plugins')],
      engine: { kind: 'unix', socketPath: engine.socket },
      timeLimits: { reachMs: 0 },
    });
  const refusal = async (driver: string): Promise<[string, string]> => {
    const outcome = await open(driver).list();
    return outcome.kind === 'not-done' ? [outcome.error.code, outcome.error.message] : [outcome.kind, ''];
  };

  it('tells a disabled plugin, one of another kind and an unknown one apart', async () => {
    create('vendor/volumes:1', 'docker.volumedriver/1.0');
    create('vendor/network', 'docker.networkdriver/1.0');
    const [code, message] = await refusal('vendor/volumes:1');
    expect(code).toBe('driver-disabled');
    expect(message).toContain('docker plugin enable vendor/volumes:1');
    expect((await refusal('vendor/network'))[0]).toBe('not-a-volume-driver');
    expect((await refusal('vendor/volumes'))[0]).toBe('driver-not-found');
  });
});

const DRIVER = 'vendor/hostdir:1.0';

/** In a folder per plugin; every Engine keeps them there, whatever its exec root is. */
const MANAGED_SOCKETS = '/run/docker/plugins';

/** An enabled plugin in a container of its own: its socket and its paths are where the Engine says. */
async function onManagedPlugin(
  reach: (at: { engineSocket: string; dvdcli: string }) => Volumes,
): Promise<ContractSubject> {
  const home = mkdtempSync(join(tmpdir(), 'managed-'));
  const programs = await buildPrograms(home);
  const engine = await startPrivateDockerEngine({ dir: join(home, 'engine') });
  const close = async (): Promise<void> => {
    await engine.stop();
    rmSync(home, { recursive: true, force: true });
  };
  await installManagedHostdir({
    engineSocket: engine.socket,
    directory: join(home, 'plugin'),
    program: programs.hostdir,
    name: DRIVER,
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const at = { engineSocket: engine.socket, dvdcli: programs.dvdcli };
  return {
    volumes: reach(at),
    restarted: () => reach(at),
    driver: DRIVER,
    optionsFor: () => ({ size: '1' }),
    close,
  };
}

volumesContract(
  'plugin socket to a managed plugin',
  () =>
    onManagedPlugin(({ engineSocket: socketPath }) =>
      pluginSocketVolumes({ directories: [MANAGED_SOCKETS], engine: { kind: 'unix', socketPath } }),
    ),
  unavailable,
);
volumesContract(
  'dvdcli to a managed plugin',
  () =>
    onManagedPlugin(({ engineSocket, dvdcli }) =>
      dvdcliVolumes({
        program: dvdcli,
        env: { [PLUGIN_DIRECTORIES_VARIABLE]: MANAGED_SOCKETS, DOCKER_HOST: `unix://${engineSocket}` },
      }),
    ),
  unavailable,
);
