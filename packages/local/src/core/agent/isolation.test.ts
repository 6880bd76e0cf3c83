import { describe, expect, it } from 'vitest';
import type { ContainerInfo } from '@mesos-elasticsearch/mesos-v1';
import { dockerVolumes, DOCKER_VOLUME, DVDI, dvdiVolumes, identityOf, parseIsolation } from './isolation.ts';

const dvdi = (variables: Record<string, string>) =>
  dvdiVolumes({
    environment: { variables: Object.entries(variables).map(([name, value]) => ({ name, value })) },
  });

describe('--isolation', () => {
  it('takes the isolators that mount volumes, and those that have no bearing on it', () => {
    expect(parseIsolation('filesystem/linux,docker/volume')).toEqual([DOCKER_VOLUME]);
    expect(parseIsolation(`${DVDI}, posix/cpu`)).toEqual([DVDI]);
    expect(parseIsolation('posix/cpu,posix/mem')).toEqual([]);
    expect(() => parseIsolation('docker/volumes')).toThrow(/'docker\/volumes' is not known here/);
  });
});

describe('mesos-module-dvdi reads', () => {
  it('slots by suffix, in order, with what it takes for granted', () => {
    expect(
      dvdi({
        ...{ DVDI_VOLUME_NAME2: 'data', DVDI_VOLUME_DRIVER2: 'd', DVDI_VOLUME_CONTAINERPATH2: '/data' },
        ...{
          DVDI_VOLUME_NAME: 'plain',
          DVDI_VOLUME_OPTS: ',size=5,,iops=1,',
          DVDI_VOLUME_DVDCLI: '/opt/dvdcli',
        },
      }),
    ).toEqual([
      {
        ...{ driver: 'rexray', name: 'plain', options: ['size=5', 'iops=1'] },
        ...{ containerPath: undefined, program: '/opt/dvdcli' },
      },
      { driver: 'd', name: 'data', options: [], containerPath: '/data' },
    ]);
  });

  it('nothing of a slot without a name', () => {
    expect(dvdi({ DVDI_VOLUME_CONTAINERPATH: '/data', DVDI_VOLUME_NAME1: '' })).toEqual([]);
  });

  it.each([
    [{ DVDI_VOLUME_NAME10: 'a' }, /suffix/],
    [{ DVDI_VOLUME_NAMESPACE: 'a' }, /suffix/],
    [{ DVDI_VOLUME_NAME: 'a', DVDI_VOLUME_OPTS: 'remote=store:x' }, /DVDI_VOLUME_OPTS has a prohibited/],
    [{ DVDI_VOLUME_NAME: 'a', DVDI_VOLUME_CONTAINERPATH: 'data' }, /does not start with/],
    [{ DVDI_VOLUME_NAME: 'a', DVDI_VOLUME_NAME1: 'A', DVDI_VOLUME_CONTAINERPATH1: '/data' }, /twice/],
  ])('%j as a failed launch', (variables, message) => {
    expect(() => dvdi(variables as Record<string, string>)).toThrow(message);
  });
});

describe('docker/volume reads', () => {
  const container = (...dockerVolume: { driver?: string; name: string }[]): ContainerInfo => ({
    type: 'MESOS',
    volumes: dockerVolume.map((one) => ({
      ...{ mode: 'RW', containerPath: 'data' },
      source: { type: 'DOCKER_VOLUME', dockerVolume: one },
    })),
  });

  it('what has a Docker volume as its source', () => {
    const plain: ContainerInfo = {
      type: 'MESOS',
      volumes: [{ mode: 'RW', containerPath: 'a', hostPath: '/b' }],
    };
    expect(dockerVolumes(plain)).toEqual([]);
    expect(dockerVolumes(undefined)).toEqual([]);
    expect(dockerVolumes(container({ driver: 'd', name: 'a' }))).toEqual([
      { driver: 'd', name: 'a', options: [], containerPath: 'data' },
    ]);
  });

  it('no driver, and the same volume twice, as a failed launch; by case they are two', () => {
    expect(() => dockerVolumes(container({ name: 'a' }))).toThrow(/driver of 'a' is not specified/);
    expect(() => dockerVolumes(container({ driver: 'd', name: 'a' }, { driver: 'd', name: 'a' }))).toThrow(
      /duplicate/,
    );
    expect(dockerVolumes(container({ driver: 'd', name: 'a' }, { driver: 'd', name: 'A' }))).toHaveLength(2);
    const [lower, upper] = [
      { driver: 'd', name: 'a' },
      { driver: 'd', name: 'A' },
    ] as const;
    expect(identityOf(DVDI, lower)).toBe(identityOf(DVDI, upper));
    expect(identityOf(DOCKER_VOLUME, lower)).not.toBe(identityOf(DOCKER_VOLUME, upper));
  });
});
