/** What the Engine is asked to mount. */
import { describe, expect, it } from 'vitest';
import { launchSpecSchema, type LaunchSpec, type VolumeRole } from '@mesos-elasticsearch/contract';
import type { Attachment } from '@mesos-elasticsearch/dvdcli-bridge';
import { launchSpec } from '../testing/launch-specs.ts';
import { containerOptions } from './container-options.ts';

const spec: LaunchSpec = launchSpecSchema.parse(
  launchSpec({
    runtime: { kind: 'docker', image: 'es:1', forcePull: false, socket: '/docker.sock' },
    volumePath: { kind: 'engine' },
    volumes: {
      config: { name: 'elasticsearch1config', driver: 'rexray', options: {} },
      data: { name: 'elasticsearch1data', driver: 'rexray', options: { size: '5' } },
    },
  }),
);
const at = (source: string): Attachment => ({ kind: 'container-mount', driver: 'rexray', source });
const attachments: Record<VolumeRole, Attachment> = {
  config: at('elasticsearch1config'),
  data: at('elasticsearch1data'),
};

describe('the container of a node', () => {
  const { HostConfig: host, ...rest } = containerOptions({
    ...{ spec, image: 'es:1', attachments, guard: '/g', control: '/c', logs: '/l', cgroupParent: undefined },
  });

  it('has its volumes as explicit mounts, with driver and options, and without a copy of the image’s files', () => {
    const volumes = host?.Mounts?.filter(({ Type }) => Type === 'volume');
    expect(volumes).toEqual([
      {
        ...{ Type: 'volume', Source: 'elasticsearch1config', Target: '/tmp/config', ReadOnly: false },
        VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'rexray', Options: {} } },
      },
      {
        ...{ Type: 'volume', Source: 'elasticsearch1data', Target: '/data', ReadOnly: false },
        VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'rexray', Options: { size: '5' } } },
      },
    ]);
  });
  it('leaves the image’s own VOLUME lines to Docker’s own driver', () => {
    expect(host?.VolumeDriver).toBe('local');
    expect(rest).not.toHaveProperty('Volumes');
    expect(host).not.toHaveProperty('Binds');
    expect(host).not.toHaveProperty('VolumesFrom');
  });
});
