/** Which Engine is asked for a plugin that it manages itself, by the commands on volumes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  startScriptedEngine,
  startScriptedPlugin,
  type ScriptedEngine,
  type ScriptedPlugin,
} from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { UsageError } from '../commands/exit-code.ts';
import { reach, volumesOfThisHost } from './reach.ts';

const ID = 'd4'.repeat(32);
const DRIVER = 'vendor/m:1';
let home: string;
let plugin: ScriptedPlugin;
let engine: ScriptedEngine;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'reach-'));
  plugin = await startScriptedPlugin(join(home, 'plugins', ID), 'm');
  plugin.script('List', { json: { Volumes: [{ Name: 'vol1', Mountpoint: '/mnt/vol1' }] } });
  engine = await startScriptedEngine(join(home, 'engine.sock'), {
    ...{ name: DRIVER, id: ID, socket: 'm.sock', root: join(home, 'docker'), propagatedMount: '/mnt' },
  });
});
afterEach(async () => {
  await Promise.all([plugin.stop(), engine.stop()]);
  rmSync(home, { recursive: true, force: true });
});
const environment = (dockerHost: string) => ({
  VOLUME_PLUGIN_DIRECTORIES: join(home, 'plugins'),
  DOCKER_HOST: dockerHost,
});
const engineUrl = (): string => `unix://${home}/engine.sock`;
const found = () => [{ name: 'vol1', mountpoint: join(home, 'docker/plugins', ID, 'propagated-mount/vol1') }];

describe('a managed plugin', () => {
  it('is found through the Engine of DOCKER_HOST, its paths as the host has them', async () => {
    const volumes = reach({ driver: DRIVER, dvdcli: 'dvdcli' }, environment(engineUrl()));
    expect(await volumes.list(DRIVER)).toMatchObject({ kind: 'done', value: found() });
  });
  it('is found through the Engine of --docker-host before that of DOCKER_HOST', async () => {
    const options = { driver: DRIVER, dvdcli: 'dvdcli', dockerHost: engineUrl() };
    const volumes = reach(options, environment(`unix://${home}/other.sock`));
    expect(await volumes.list(DRIVER)).toMatchObject({ kind: 'done', value: found() });
  });
  it('is found by those who clear up after a migration', async () => {
    const volumes = volumesOfThisHost(environment(engineUrl()));
    expect(await volumes.list(DRIVER)).toMatchObject({ kind: 'done', value: found() });
  });
});

describe('an address of an Engine that makes no sense', () => {
  it('is wrong usage where it was given to the command', () => {
    const options = { driver: DRIVER, dvdcli: 'dvdcli', dockerHost: 'nonsense' };
    expect(() => reach(options, environment(''))).toThrow(UsageError);
  });
  it('is said in the environment, and stops nothing that needs no Engine', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const own = await startScriptedPlugin(join(home, 'plugins'), 'own');
    own.script('List', { json: { Volumes: [] } });
    const volumes = reach({ driver: 'own', dvdcli: 'dvdcli' }, environment('nonsense'));
    expect(await volumes.list('own')).toMatchObject({ kind: 'done', value: [] });
    expect(said.mock.calls.flat().join('')).toContain(
      'no Docker Engine is asked for managed plugins: the address "nonsense"',
    );
    said.mockRestore();
    await own.stop();
  });
});
