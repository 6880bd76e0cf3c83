import { describe, expect, it } from 'vitest';
import { decodeDvdiVariables } from './dvdi-variables.ts';
import { nodeVolumesSchema } from './records.ts';
import {
  DEFAULT_CONTAINER_PATHS,
  dvdiVariablesOf,
  isolatorObstacle,
  type IsolatorMounter,
} from './volume-mounter.ts';

const volumes = (options: Record<string, string> = {}) =>
  nodeVolumesSchema.parse({
    config: { name: 'elasticsearch1config', driver: 'rexray', options },
    data: { name: 'elasticsearch1data', driver: 'rexray', options },
  });
const mounter = (
  kind: IsolatorMounter['kind'],
  paths = DEFAULT_CONTAINER_PATHS,
  dvdcli = '/usr/bin/dvdcli',
): IsolatorMounter => ({ kind, paths, dvdcli });
const BOTH = ['dvdi-isolator', 'docker-volume-isolator'] as const;

describe('an isolator that mounts', () => {
  it('is told of both volumes, with the program only where it is not the usual one', () => {
    const usual = dvdiVariablesOf(mounter('dvdi-isolator'), volumes({ size: '5' }));
    expect(usual).toMatchObject({
      DVDI_VOLUME_NAME1: 'elasticsearch1config',
      DVDI_VOLUME_CONTAINERPATH1: '/tmp/config',
      DVDI_VOLUME_NAME2: 'elasticsearch1data',
      DVDI_VOLUME_CONTAINERPATH2: '/data',
    });
    expect(Object.keys(usual).every((name) => /[12]$/.test(name))).toBe(true);
    const other = dvdiVariablesOf(
      mounter('dvdi-isolator', DEFAULT_CONTAINER_PATHS, '/opt/dvdcli'),
      volumes(),
    );
    expect(decodeDvdiVariables(other).mounts.map(({ dvdcli }) => dvdcli)).toEqual([
      '/opt/dvdcli',
      '/opt/dvdcli',
    ]);
  });

  it.each(BOTH)('can be asked for plain volumes: %s', (kind) => {
    expect(isolatorObstacle(mounter(kind), volumes({ size: '5', newfstype: 'ext4' }))).toBeUndefined();
  });

  it.each(BOTH)('cannot be given what dvdcli would cut: %s', (kind) => {
    expect(isolatorObstacle(mounter(kind), volumes({ o: 'a,b' }))?.message).toMatch(
      /option "o" .*comma.*beforehand/,
    );
    expect(isolatorObstacle(mounter(kind), volumes({ o: 'a=b' }))?.message).toMatch(/second "=".*beforehand/);
  });

  it('edge case 22: options with ":" or "/" are refused for the module by name, and only there', () => {
    const remote = volumes({ remote: 'store:es1' });
    expect(isolatorObstacle(mounter('dvdi-isolator'), remote)?.message).toMatch(
      /^DVDI_VOLUME_OPTS1 has a character that mesos-module-dvdi prohibits: ":"; create the volumes beforehand/,
    );
    expect(isolatorObstacle(mounter('docker-volume-isolator'), remote)).toBeUndefined();
  });

  it.each(BOTH)('edge case 25: cannot be given paths that lead elsewhere: %s', (kind) => {
    for (const data of ['/', '/da ta', '/data/', '//data', '/a/../b', '/./a', '/data;x', '', '/-x']) {
      expect(isolatorObstacle(mounter(kind, { config: '/tmp/config', data }), volumes())?.message).toMatch(
        /container path/,
      );
    }
    const nested = { config: '/data/config', data: '/data' };
    expect(isolatorObstacle(mounter(kind, nested), volumes())?.message).toMatch(/lie in each other/);
  });

  it('says what is at fault', () => {
    const about = (kind: (typeof BOTH)[number], dvdcli: string, changes: object) =>
      isolatorObstacle(mounter(kind, DEFAULT_CONTAINER_PATHS, dvdcli), { ...volumes(), ...changes })?.about;
    const sshfs = { data: { ...volumes().data, driver: 'vieux/sshfs:latest' } };
    expect(about('dvdi-isolator', '/usr/bin/dvdcli', sshfs)).toBe('driver');
    expect(about('dvdi-isolator', '/opt/dv dcli', {})).toBe('program');
    expect(about('dvdi-isolator', '/usr/bin/dvdcli', volumes({ a: 'b:c' }))).toBe('options');
    expect(about('docker-volume-isolator', '/opt/dv dcli', {})).toBeUndefined();
  });

  it('takes a path in the sandbox from docker/volume only', () => {
    const relative = { config: 'config', data: 'data' };
    expect(isolatorObstacle(mounter('docker-volume-isolator', relative), volumes())).toBeUndefined();
    expect(isolatorObstacle(mounter('dvdi-isolator', relative), volumes())?.message).toMatch(/not absolute/);
  });
});
