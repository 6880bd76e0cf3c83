/** The behavioural suite against every path and real drivers. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { dvdcliVolumes } from './dvdcli/volumes.ts';
import { startHostdirPlugin } from './hostdir/start.ts';
import { PLUGIN_DIRECTORIES_VARIABLE } from './plugin/find-plugin.ts';
import { pluginSocketVolumes } from './plugin-socket/volumes.ts';
import { rcloneVolumeOptions, startRclonePlugin } from './rclone/serve-docker.ts';
import { rcloneUnavailable } from './testing/availability.ts';
import { buildPrograms } from './testing/bundles.ts';
import { startRexrayLikePlugin } from './testing/rexray-like-plugin.ts';
import { volumesContract, type ContractSubject } from './testing/volumes-contract.ts';
import type { Volumes } from './volumes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'bridge-'));
const programs = await buildPrograms(scratch);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const viaSocket = (pluginDirectory: string): Volumes =>
  pluginSocketVolumes({ directories: [pluginDirectory] });
const viaDvdcli = (pluginDirectory: string): Volumes =>
  dvdcliVolumes({
    program: programs.dvdcli,
    env: { [PLUGIN_DIRECTORIES_VARIABLE]: [pluginDirectory].join(delimiter) },
  });

async function onHostdir(
  name: string,
  reach: (pluginDirectory: string) => Volumes,
): Promise<ContractSubject> {
  const home = join(scratch, name);
  const start = (instance: string): ReturnType<typeof startHostdirPlugin> =>
    startHostdirPlugin({
      program: programs.hostdir,
      store: join(home, 'store'),
      instance,
      pluginDirectory: join(home, instance),
    });
  const plugins = [await start('agent1'), await start('agent2')];
  return {
    volumes: reach(join(home, 'agent1')),
    restarted: () => reach(join(home, 'agent1')),
    elsewhere: reach(join(home, 'agent2')),
    driver: 'hostdir',
    optionsFor: () => ({ size: '1', note: 'a=b' }),
    async close() {
      for (const plugin of plugins) await plugin.stop();
    },
  };
}

async function onRclone(name: string, reach: (pluginDirectory: string) => Volumes): Promise<ContractSubject> {
  const home = join(scratch, name);
  const plugin = await startRclonePlugin({
    directory: join(home, 'agent1'),
    pluginDirectory: join(home, 'plugins'),
  });
  return {
    volumes: reach(join(home, 'plugins')),
    restarted: () => reach(join(home, 'plugins')),
    driver: 'rclone',
    optionsFor(volume) {
      const directory = join(home, 'remote', volume);
      mkdirSync(directory, { recursive: true });
      return rcloneVolumeOptions({ directory });
    },
    close: () => plugin.stop(),
  };
}

/** Its mounts are pretended, so the bridge is shown them. */
async function onRexrayLike(): Promise<ContractSubject> {
  const home = join(scratch, 'rr');
  const plugin = await startRexrayLikePlugin({ directory: home, pluginDirectory: home });
  const reach = (): Volumes =>
    dvdcliVolumes({
      program: programs.dvdcli,
      env: { [PLUGIN_DIRECTORIES_VARIABLE]: home },
      mountTable: () => plugin.mountTable(),
    });
  return {
    volumes: reach(),
    restarted: reach,
    driver: 'rexray',
    optionsFor: () => ({ size: '1' }),
    async close() {
      await plugin.stop();
      expect(plugin.removedWhileMounted).toEqual([]);
    },
  };
}

volumesContract('dvdcli to a plugin like REX-Ray', onRexrayLike);
volumesContract('plugin socket to hostdir', () => onHostdir('sh', viaSocket));
volumesContract('dvdcli to hostdir', () => onHostdir('dh', viaDvdcli));
volumesContract('plugin socket to rclone', () => onRclone('sr', viaSocket), rcloneUnavailable());
volumesContract('dvdcli to rclone', () => onRclone('dr', viaDvdcli), rcloneUnavailable());
