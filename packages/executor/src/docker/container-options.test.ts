import { describe, expect, it } from 'vitest';
import { launchSpecSchema } from '@mesos-elasticsearch/contract';
import type { Attachment } from '@mesos-elasticsearch/dvdcli-bridge';
import { launchSpec } from '../testing/launch-specs.ts';
import { checkMounts, containerOptions, INSIDE, type MountSeen } from './container-options.ts';

const spec = launchSpecSchema.parse(
  launchSpec({
    runtime: { kind: 'docker', image: 'es', forcePull: false, socket: '/var/run/docker.sock' },
    volumes: {
      config: { name: 'elasticsearch1config', driver: 'rexray', options: { size: '1' } },
      data: { name: 'elasticsearch1data', driver: 'rexray', options: { size: '5' } },
    },
  }),
);
const byEngine: Record<'config' | 'data', Attachment> = {
  config: { kind: 'container-mount', driver: 'rexray', source: 'elasticsearch1config' },
  data: { kind: 'container-mount', driver: 'rexray', source: 'elasticsearch1data' },
};
const byHost: Record<'config' | 'data', Attachment> = {
  config: { kind: 'host-path', hostPath: '/mnt/config' },
  data: { kind: 'host-path', hostPath: '/mnt/data' },
};

function engineMount(role: 'config' | 'data', change: Partial<MountSeen> = {}): MountSeen {
  return {
    Type: 'volume',
    Name: `elasticsearch1${role}`,
    Source: `/var/lib/rexray/volumes/elasticsearch1${role}/data`,
    Destination: INSIDE.volumes[role],
    Driver: 'rexray',
    RW: true,
    ...change,
  };
}

describe('the volumes of the container', () => {
  it('are explicit mounts with driver and options, and nothing of the image is copied into them', () => {
    const parts = { spec, image: 'es', guard: '/g', control: '/c', logs: '/l', cgroupParent: undefined };
    const { HostConfig, Volumes } = containerOptions({ ...parts, attachments: byEngine });
    expect(HostConfig?.Mounts).toContainEqual({
      Type: 'volume',
      Source: 'elasticsearch1data',
      Target: '/data',
      ReadOnly: false,
      VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'rexray', Options: { size: '5' } } },
    });
    // A default driver of the container would get what the image's VOLUME lines ask for.
    expect([HostConfig?.VolumeDriver, HostConfig?.Binds, Volumes]).toEqual([undefined, undefined, undefined]);
  });
});

describe('what Docker really mounted', () => {
  it.each<[string, typeof byEngine, MountSeen[]]>([
    ['the volumes that were asked for', byEngine, [engineMount('config'), engineMount('data')]],
    [
      'their folders',
      byHost,
      (['config', 'data'] as const).map((role) => ({
        Type: 'bind',
        Source: `/mnt/${role}`,
        Destination: INSIDE.volumes[role],
        RW: true,
      })),
    ],
    [
      "a volume of the image's own on the machine",
      byEngine,
      [
        engineMount('config'),
        engineMount('data'),
        engineMount('data', { Name: 'f00', Driver: 'local', Destination: '/usr/share/elasticsearch/data' }),
      ],
    ],
  ])('is taken: %s', (_, attachments, mounts) => {
    expect(() => checkMounts(spec, attachments, mounts)).not.toThrow();
  });

  it.each<[string, MountSeen[], RegExp]>([
    ['nothing', [engineMount('config')], /elasticsearch1data .* is not what Docker mounted at \/data: null/],
    ['another volume', [engineMount('config'), engineMount('data', { Name: 'other' })], /"Name":"other"/],
    ['another driver', [engineMount('config'), engineMount('data', { Driver: 'local' })], /"Driver":"local"/],
    ['read-only', [engineMount('config'), engineMount('data', { RW: false })], /"RW":false/],
    // The driver gave an empty mountpoint, and Docker mounts a folder of its own.
    ['no path', [engineMount('config'), engineMount('data', { Source: '' })], /"Source":""/],
    ['a folder of the machine', [engineMount('config'), engineMount('data', { Type: 'bind' })], /"bind"/],
    [
      "a volume of the image's own at a driver",
      [engineMount('config'), engineMount('data'), engineMount('data', { Name: 'f00', Destination: '/x' })],
      /the image has a volume of its own at \/x, and Docker made it at driver rexray \(f00\)/,
    ],
  ])('is refused: %s', (_, mounts, words) => {
    expect(() => checkMounts(spec, byEngine, mounts)).toThrow(words);
  });
});
