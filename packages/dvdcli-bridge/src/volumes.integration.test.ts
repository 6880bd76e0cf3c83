/** The behavioural suite against every path and real drivers. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
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

/** Behaves as the original; its options cannot hold a second "=". */
const viaOriginal = (pluginDirectory: string): Volumes =>
  dvdcliVolumes({
    program: programs.originalDvdcli,
    env: { [PLUGIN_DIRECTORIES_VARIABLE]: pluginDirectory },
  });

async function onHostdir(
  name: string,
  reach: (pluginDirectory: string) => Volumes,
  note = 'a=b',
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
    optionsFor: () => ({ size: '1', note }),
    async close() {
      for (const plugin of plugins) await plugin.stop();
    },
  };
}

/** It looks for plugins where every Docker does, and nowhere else. */
const DOCKER_PLUGINS = '/run/docker/plugins';

function realOriginalUnavailable(): string | undefined {
  if ((process.env['DVDCLI'] ?? '') === '') return 'DVDCLI names no original dvdcli';
  return process.getuid?.() === 0 ? undefined : `${DOCKER_PLUGINS} is written to by root only`;
}

async function onRealOriginal(name: string, program: string): Promise<ContractSubject> {
  mkdirSync(DOCKER_PLUGINS, { recursive: true });
  const links: string[] = [];
  const reach = (pluginDirectory: string): Volumes => {
    const driver = `contract${process.pid}${basename(pluginDirectory)}`;
    const link = join(DOCKER_PLUGINS, `${driver}.sock`);
    if (!links.includes(link)) symlinkSync(join(pluginDirectory, 'hostdir.sock'), link);
    links.push(link);
    return redirected(dvdcliVolumes({ program }), driver);
  };
  const subject = await onHostdir(name, reach, 'ab');
  return {
    ...subject,
    async close() {
      await subject.close();
      for (const link of links) rmSync(link, { force: true });
    },
  };
}

/** The same volumes, whose driver is called `hostdir` in the suite, under the name that the program finds it by. */
function redirected(volumes: Volumes, driver: string): Volumes {
  const on = <V extends { driver: string }>(volume: V): V =>
    volume.driver === 'hostdir' ? { ...volume, driver } : volume;
  return {
    capabilities: volumes.capabilities,
    describe: async (name) => {
      const outcome = await volumes.describe(name === 'hostdir' ? driver : name);
      return outcome.kind === 'done' ? { ...outcome, value: { ...outcome.value, driver: name } } : outcome;
    },
    ensure: (volume) => volumes.ensure(on(volume)),
    inspect: async (volume) => {
      const outcome = await volumes.inspect(on(volume));
      if (outcome.kind !== 'done' || outcome.value === undefined) return outcome;
      return { ...outcome, value: { ...outcome.value, driver: volume.driver } };
    },
    list: (name) => volumes.list(name === 'hostdir' ? driver : name),
    remove: (volume) => volumes.remove(on(volume)),
    attach: (volume, consumer) => volumes.attach(on(volume), consumer),
    detach: (volume, consumer) => volumes.detach(on(volume), consumer),
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
volumesContract('a program as the original dvdcli to hostdir', () => onHostdir('oh', viaOriginal, 'ab'));
volumesContract(
  'the original dvdcli to hostdir',
  () => onRealOriginal('ro', process.env['DVDCLI'] ?? ''),
  realOriginalUnavailable(),
);
volumesContract('plugin socket to rclone', () => onRclone('sr', viaSocket), rcloneUnavailable());
volumesContract('dvdcli to rclone', () => onRclone('dr', viaDvdcli), rcloneUnavailable());
