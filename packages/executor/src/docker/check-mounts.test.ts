/** What Docker may not have mounted in a volume's place. */
import { describe, expect, it } from 'vitest';
import { launchSpecSchema, type LaunchSpec, type VolumeRole } from '@mesos-elasticsearch/contract';
import type { Attachment, MountEntry } from '@mesos-elasticsearch/dvdcli-bridge';
import { launchSpec } from '../testing/launch-specs.ts';
import { checkMounts, type MountSeen } from './check-mounts.ts';
import { INSIDE } from './container-options.ts';

const spec: LaunchSpec = launchSpecSchema.parse(
  launchSpec({
    runtime: { kind: 'docker', image: 'es:1', forcePull: false, socket: '/docker.sock' },
    volumePath: { kind: 'engine' },
    volumes: {
      config: { name: 'elasticsearch1config', driver: 'rexray', options: {} },
      data: { name: 'elasticsearch1data', driver: 'rexray', options: {} },
    },
  }),
);
const asked = (source: string): Attachment => ({ kind: 'container-mount', driver: 'rexray', source });
const attachments: Record<VolumeRole, Attachment> = {
  config: asked('elasticsearch1config'),
  data: asked('elasticsearch1data'),
};
const ID = 'c0ffee';

const mount = (role: VolumeRole, fields: Partial<MountSeen> = {}): MountSeen => ({
  ...{ Type: 'volume', Name: spec.volumes[role].name, Driver: 'rexray', RW: true },
  ...{ Source: `/volumes/${role}`, Destination: INSIDE.volumes[role] },
  ...fields,
});
const entry = (role: VolumeRole, fields: Partial<MountEntry> = {}): MountEntry => ({
  ...{ device: `8:${role}`, root: '/data', mountPoint: INSIDE.volumes[role], fileSystem: 'ext4' },
  ...fields,
});
const check = (mounts: readonly MountSeen[], mountTable?: readonly MountEntry[]) => () =>
  checkMounts(spec, attachments, { id: ID, mounts, mountTable });

describe('what Docker says that it mounted', () => {
  it('is what was asked for, beside nameless volumes of the image and binds of ours', () => {
    const nameless = { Type: 'volume', Name: 'f'.repeat(64), Driver: 'local', Source: '/x', RW: true };
    const bind = { Type: 'bind', Source: '/g', Destination: INSIDE.guard, RW: false };
    expect(
      check([mount('config'), mount('data'), { ...nameless, Destination: '/extra' }, bind]),
    ).not.toThrow();
  });
  it.each([
    ['nothing', []],
    ['another volume', [mount('data', { Name: 'elasticsearch2data' })]],
    ['another driver', [mount('data', { Driver: 'local' })]],
    ['a nameless volume of the image', [mount('data', { Name: 'f'.repeat(64), Driver: 'local' })]],
    ['a bind', [mount('data', { Type: 'bind' })]],
    ['a read-only mount', [mount('data', { RW: false })]],
    ['no source, and nobody may look', [mount('data', { Source: '' })]],
    ['a relative source', [mount('data', { Source: 'data' })]],
  ] as const)('is refused when at /data there is %s', (_, mounts) => {
    expect(check([mount('config'), ...mounts])).toThrow(/elasticsearch1data.* is not what Docker mounted/);
  });
  it.each([
    ['/v', '/v'],
    ['/v', '/v/data'],
    ['/v/config', '/v'],
  ])('is refused when config comes from %s and data from %s', (config, data) => {
    const mounts = [mount('config', { Source: config }), mount('data', { Source: data })];
    expect(check(mounts)).toThrow(/one lies in the other/);
  });
  it('is refused when the image made a volume at another driver', () => {
    const stray = mount('data', { Name: 'f'.repeat(64), Destination: '/extra', Source: '/x' });
    expect(check([mount('config'), mount('data'), stray])).toThrow(/at \/extra, which nobody asked for/);
  });
});

describe('what the container sees', () => {
  const silent = [mount('config', { Source: '' }), mount('data', { Source: '' })];
  const both = (fields: Partial<MountEntry> = {}) => [entry('config'), entry('data', fields)];

  it('decides for a driver that does not say where its volumes are (REX-Ray)', () => {
    expect(check(silent, both())).not.toThrow();
    expect(check(silent, [entry('config')])).toThrow(/elasticsearch1data.* is not what Docker mounted/);
  });
  it('edge case 13: is never the folder that Docker puts in the place of an empty mountpoint', () => {
    const bundle = {
      device: '0:25',
      root: `/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/${ID}`,
    };
    expect(check(silent, both(bundle))).toThrow(/elasticsearch1data.* is not what Docker mounted/);
  });
  it('may lie on one file system, but not one volume in the other', () => {
    const on = (root: string) => ({ device: '8:1', root });
    const table = (config: string, data: string) => [entry('config', on(config)), entry('data', on(data))];
    expect(check(silent, table('/v/config', '/v/data'))).not.toThrow();
    expect(check(silent, table('/v', '/v'))).toThrow(/one lies in the other/);
    expect(check(silent, table('/', '/v'))).toThrow(/one lies in the other/);
  });
});
