import {
  done,
  notDone,
  parseMountTable,
  VolumeError,
  type ConsumerId,
  type Outcome,
  type VolumeDescription,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { launchSpecSchema } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { CommandTimeLimitError, type CommandRunner } from '../ports.ts';
import { launchSpec } from '../testing/launch-specs.ts';
import { isolatedVolumes } from './isolated-volumes.ts';
import { deviceText } from './look-at-path.ts';

const { volumes } = launchSpecSchema.parse(launchSpec());
const ME = 'elasticsearch-1.1' as ConsumerId;
/** 8:1, as makedev packs it. */
const SDA1 = 2049;

/** Directories of this machine: path → inode; and what `readlink` makes of a path. */
function machine(
  inodes: Readonly<Record<string, number>>,
  links: Readonly<Record<string, string>> = {},
): CommandRunner {
  return {
    run: ([program, ...rest]) => {
      const path = rest.at(-1) ?? '';
      const inode = inodes[path];
      const there =
        program === 'readlink' ? (links[path] ?? (inode === undefined ? undefined : path)) : inode;
      const text = program === 'readlink' ? String(there) : `${String(SDA1)}|${String(inode)}|directory`;
      const exitCode = there === undefined ? 1 : 0;
      return Promise.resolve({
        exitCode,
        stdout: Buffer.from(exitCode === 0 ? `${text}\n` : ''),
        stderr: '',
      });
    },
  };
}

function found(options: {
  commands?: CommandRunner;
  lines?: readonly string[];
  answer?: Outcome<VolumeDescription | undefined>;
  data?: string;
}) {
  const lines = {
    own: options.lines ?? ['41 22 8:1 /store/elasticsearch1data /data rw - ext4 /dev/sda1 rw'],
  };
  const warnings: string[] = [];
  const { answer = done({ ...volumes.data, mountpoint: '/store/elasticsearch1data' }) } = options;
  const isolated = isolatedVolumes({
    mounter: {
      kind: 'docker-volume-isolator',
      paths: { config: '/tmp/config', data: options.data ?? '/data' },
      dvdcli: '/usr/bin/dvdcli',
    },
    volumes,
    sandbox: '/sandbox',
    driver: {
      inspect: () => Promise.resolve(answer),
      describe: (driver) => Promise.resolve(done({ driver, scope: 'local' })),
    },
    commands: options.commands ?? machine({ '/data': 7, '/store/elasticsearch1data': 7 }),
    mountTable: (process) => {
      if (process === 1) throw new Error('EACCES');
      return parseMountTable(['22 1 8:1 / / rw - ext4 /dev/sda1 rw', ...lines.own].join('\n'));
    },
    warn: (message) => warnings.push(message),
  });
  return { isolated, warnings, lines };
}

describe('volumes that an isolator has mounted', () => {
  it('are accepted where they are, and neither created nor unmounted', async () => {
    const { isolated, warnings } = found({});
    expect(await isolated.ensure(volumes.data)).toEqual(done({ created: false }));
    expect(await isolated.attach(volumes.data, ME)).toEqual(done({ kind: 'host-path', hostPath: '/data' }));
    expect(await isolated.detach(volumes.data, ME)).toEqual(done(undefined));
    expect(await isolated.remove(volumes.data)).toMatchObject({ kind: 'not-done' });
    expect(warnings).toEqual([]);
  });

  it('are looked for in the sandbox, behind links', async () => {
    const { isolated } = found({
      data: 'data',
      commands: machine({ '/real/data': 7 }, { '/sandbox/data': '/real/data' }),
      lines: ['41 22 8:1 /store/elasticsearch1data /real/data rw - ext4 /dev/sda1 rw'],
    });
    const attached = await isolated.attach(volumes.data, ME);
    expect(attached).toEqual(done({ kind: 'host-path', hostPath: '/real/data' }));
  });

  it('are refused by name where they are not', async () => {
    const { isolated } = found({ lines: [] });
    const refused = await isolated.attach(volumes.data, ME);
    if (refused.kind !== 'not-done') throw new Error(refused.kind);
    expect(refused.error.message).toMatch(
      /^volume elasticsearch1data of driver hostdir: nothing is mounted at \/data, where the volume must be/,
    );
  });

  it('are recognised by their path where the driver cannot be asked, which is told', async () => {
    const answer = notDone(new VolumeError('permission', { driver: 'hostdir', message: 'may not be read' }));
    const { isolated, warnings } = found({ answer });
    expect(await isolated.attach(volumes.data, ME)).toMatchObject({ kind: 'done' });
    expect(warnings).toEqual([expect.stringContaining('nobody says for certain')]);
  });

  it('are not said to be absent where what is mounted there has died', async () => {
    const stderr = "stat: cannot statx '/data': Transport endpoint is not connected";
    const here = machine({ '/data': 7, '/store/elasticsearch1data': 7 });
    const dead = (path: string): CommandRunner => ({
      run: (argv, how) =>
        argv[0] === 'stat' && argv.at(-1) === path
          ? Promise.resolve({ exitCode: 1, stdout: Buffer.from(''), stderr })
          : here.run(argv, how),
    });
    expect(await found({ commands: dead('/data') }).isolated.attach(volumes.data, ME)).toMatchObject({
      kind: 'not-done',
      error: {
        message: expect.stringMatching(/\/data cannot be looked at: .*not connected; whatever.*dead/),
      },
    });
    // The driver's own path need not be open to us.
    const { isolated } = found({ commands: dead('/store/elasticsearch1data') });
    expect(await isolated.attach(volumes.data, ME)).toMatchObject({ kind: 'done' });
  });

  it('are in doubt, not absent, when their file system does not answer', async () => {
    const hangs = {
      run: () => Promise.reject(new CommandTimeLimitError('stat /data did not end within 10000 ms')),
    };
    const { isolated } = found({ commands: hangs });
    expect(await isolated.attach(volumes.data, ME)).toMatchObject({
      kind: 'unknown',
      error: { code: 'time-limit' },
    });
  });

  it('are watched by the mount table once they are accepted', async () => {
    const { isolated, lines } = found({});
    await isolated.attach(volumes.data, ME);
    expect(isolated.changed()).toBeUndefined();
    lines.own = [];
    expect(isolated.changed()).toBe('/data is not mounted any more');
  });
});

describe('a device number', () => {
  it.each([
    [2049n, '8:1'],
    [60n, '0:60'],
    [64512n, '252:0'],
    [0x100000n | 44n, '0:300'],
    [(0x1000n << 32n) | (0x12n << 8n) | 1n, '4114:1'],
  ])('%s is %s', (packed, text) => {
    expect(deviceText(packed)).toBe(text);
  });
});
