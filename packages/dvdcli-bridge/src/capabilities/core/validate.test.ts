import { describe, expect, it } from 'vitest';
import { DVDI_FORBIDDEN } from './characters.ts';
import type { PathName } from './paths.ts';
import { cautionsOf, validateVolumePlan, type VolumePlan } from './validate.ts';

const fine: VolumePlan = {
  path: 'plugin-socket',
  driver: 'rexray',
  options: { size: '10' },
  frameworkName: 'elasticsearch',
  runtime: 'docker',
  suspectPolicy: 'wait',
  driverRevokes: false,
  uid: 1000,
};
const jar = { ...fine, runtime: 'jar' } as const;

const found = (plan: Partial<VolumePlan>, base: VolumePlan = fine) =>
  validateVolumePlan({ ...base, ...plan }).map(({ part, characters }) => [part, ...characters].join(' '));
const words = (plan: Partial<VolumePlan>, base: VolumePlan = fine) =>
  validateVolumePlan({ ...base, ...plan })
    .map(({ message }) => message)
    .join('\n');

describe('a plan for volumes', () => {
  it.each<[PathName, 'docker' | 'jar']>([
    ['plugin-socket', 'docker'],
    ['plugin-socket', 'jar'],
    ['engine', 'docker'],
    ['dvdcli', 'jar'],
    ['dvdcli-original', 'jar'],
    ['dvdi-isolator', 'jar'],
    ['docker-volume-isolator', 'jar'],
  ])('is fine by %s in %s', (path, runtime) => {
    expect(validateVolumePlan({ ...fine, path, runtime })).toEqual([]);
  });

  it('names every violation at once', () => {
    const plan: VolumePlan = {
      path: 'dvdi-isolator',
      driver: 'vieux/sshfs:latest',
      options: { remote: 'store:x', note: 'a b', list: 'a,b' },
      frameworkName: 'es',
      runtime: 'docker',
      suspectPolicy: 'fence',
      driverRevokes: false,
      uid: 0,
    };
    expect(found(plan)).toEqual([
      'runtime',
      'driver / :',
      'options :',
      'options  ',
      'options ,',
      'suspectPolicy',
    ]);
    expect(words(plan)).toContain('"note=a b" has a blank');
  });
});

describe('characters', () => {
  it('are the 26 that mesos-module-dvdi refuses, each named', () => {
    expect(new Set(DVDI_FORBIDDEN).size).toBe(26);
    for (const character of DVDI_FORBIDDEN) {
      expect(found({ path: 'dvdi-isolator', options: { note: `a${character}b` } }, jar)).toEqual([
        `options ${character}`,
      ]);
    }
    expect(found({ path: 'dvdi-isolator', options: { note: '()*!#~' } }, jar)).toEqual([]);
  });
  it('may be anything where options are not put into a line', () => {
    for (const path of ['plugin-socket', 'engine'] as const) {
      expect(found({ path, options: { note: DVDI_FORBIDDEN.join(',=') } })).toEqual([]);
    }
  });
  it.each<[PathName, string[]]>([
    ['plugin-socket', []],
    ['engine', []],
    ['dvdcli', ['options ,']],
    ['dvdcli-original', ['options ,', 'options =']],
    ['docker-volume-isolator', ['options ,']],
  ])('by %s: a comma, and a second "="', (path, wanted) => {
    const options = { list: 'a,b', url: 'a=b' };
    const runtime = path === 'engine' ? 'docker' : 'jar';
    expect(found({ path, options, runtime })).toEqual(wanted);
  });
  it('of a managed plugin’s name pass where it can be found', () => {
    expect(found({ driver: 'vieux/sshfs:latest' })).toEqual([]);
    expect(found({ driver: 'vieux/sshfs:latest', path: 'dvdcli-original' })).toEqual(['driver / :']);
  });
  it('of a key end before "="', () => {
    expect(found({ options: { 'a=b': 'c' } })).toEqual(['options =']);
  });
});

describe('drivers that are known', () => {
  it('have their paths', () => {
    expect(found({ driver: 'local', options: {} })).toEqual(['path']);
    expect(found({ driver: 'local', options: {}, path: 'engine' })).toEqual([]);
  });
  it('have their options', () => {
    expect(words({ options: { size: '10GB' } })).toMatch(
      /"size=10GB" for rexray: wanted a whole number of GB/,
    );
    expect(words({ options: { overwriteFS: 'true' } })).toMatch(/formats a volume that has data/);
    expect(words({ driver: 'rclone', options: { size: '1' } })).toMatch(
      /vfs-cache-mode is missing.*\n.*"size=1".*\n.*allow-other=true is missing.*user 1000/,
    );
    const cached = { 'vfs-cache-mode': 'writes' };
    expect(found({ driver: 'rclone', options: cached, uid: 0 })).toEqual([]);
    expect(found({ driver: 'rclone', options: { ...cached, 'allow-other': 'true' } })).toEqual([]);
  });
  it('leave others alone', () => {
    expect(found({ driver: 'acme', options: { size: '10GB' }, driverRevokes: true })).toEqual([]);
  });
});

describe('policies', () => {
  it('do not rest on a driver that revokes nothing', () => {
    for (const driver of ['hostdir', 'rclone', 'local']) {
      expect(found({ driver, driverRevokes: true, suspectPolicy: 'preempt' })).toContain('driverRevokes');
    }
    expect(found({ driverRevokes: true, suspectPolicy: 'preempt' })).toEqual([]);
  });
  it('do not fence where the agent unmounts, but with a driver that fences', () => {
    for (const path of ['dvdi-isolator', 'docker-volume-isolator'] as const) {
      expect(found({ path, suspectPolicy: 'fence' }, jar)).toEqual(['suspectPolicy']);
      expect(found({ path, suspectPolicy: 'fence', driverRevokes: true }, jar)).toEqual([]);
    }
    expect(found({ suspectPolicy: 'fence' })).toEqual([]);
  });
});

it('a framework name leaves room for node ID and role', () => {
  expect(found({ frameworkName: 'e'.repeat(239) })).toEqual([]);
  expect(found({ frameworkName: 'e'.repeat(240) })).toEqual(['frameworkName']);
});

describe('an option that a driver takes in several spellings', () => {
  it('is not let through beside one that is fine', () => {
    const twins = { overwritefs: 'false', OverwriteFS: 'true' };
    expect(words({ options: twins })).toMatch(/"OverwriteFS=true" for rexray: wanted false/);
    expect(words({ options: { size: '1', Size: '2' } })).toMatch(
      /"size" and "Size" are one option to rexray/,
    );
    const cache = { 'vfs-cache-mode': 'writes', vfs_cache_mode: 'off', 'allow-other': 'true' };
    expect(words({ driver: 'rclone', options: cache })).toMatch(/"vfs_cache_mode=off" for rclone: wanted/);
  });
  it('is taken as rclone takes it', () => {
    for (const options of [
      { vfs_cache_mode: 'writes', allow_other: '1' },
      { 'VFS-Cache-Mode': 'full', 'Allow-Other': 'True' },
    ])
      expect(found({ driver: 'rclone', options })).toEqual([]);
    const refused = { driver: 'rclone', options: { 'vfs-cache-mode': 'full', 'allow-other': 'false' } };
    expect(words(refused)).toMatch(/allow-other=true is missing/);
    expect(
      words({ driver: 'rclone', options: { vfs_cache_mode: 'full', allow_other: 't', SIZE: '1' } }),
    ).toMatch(/"SIZE=1" for rclone/);
  });
});

it('a driver name that no executor would take is refused before anything is launched', () => {
  expect(words({ driver: 'a..b' })).toMatch(/wanted a driver name .*no "\.\.".*got "a\.\.b"/);
  expect(found({ driver: 'a//b' })).toEqual(['driver']);
  expect(found({ driver: 'x'.repeat(256) })).toEqual(['driver']);
});

it('what a driver does not promise is said, and stops nothing', () => {
  expect(cautionsOf({ driver: 'rclone' })).toEqual([expect.stringMatching(/write cache goes with the host/)]);
  expect(cautionsOf({ driver: 'local' })).toEqual([expect.stringMatching(/stay on their host/)]);
  for (const driver of ['rexray', 'hostdir', 'acme']) expect(cautionsOf({ driver })).toEqual([]);
});
