import { describe, expect, it } from 'vitest';
import { loadSettings, type Fault } from '../load.ts';

const common = { master: 'm1:5050', externalVolumeDriver: 'rexray' };
const zookeeper = { ...common, zookeeperUrl: 'zk://z1:2181,z2:2181/es' };
const directory = { ...common, stateDirectory: '/var/lib/es' };
const secured = {
  ...zookeeper,
  zookeeperCredentialsFile: '/etc/es/scheduler',
  zookeeperExecutorDigest: 'executor:NWpJ4TS5s9Mi7EZjpgZz1t0GDkE=',
  zookeeperExecutorCredentialsFile: '/etc/es/executor',
};

function faults(flags: Record<string, string | true>): readonly Fault[] {
  const loaded = loadSettings({ flags: new Map(Object.entries(flags)), environment: {} });
  return loaded.ok ? [] : loaded.faults;
}
const without = (flags: Record<string, string>, name: string) =>
  Object.fromEntries(Object.entries(flags).filter(([key]) => key !== name));

describe('where the state is', () => {
  it.each([
    ['a directory', directory],
    ['ZooKeeper', zookeeper],
    ['ZooKeeper with logins', secured],
    ['ZooKeeper that agents reach elsewhere', { ...zookeeper, zookeeperUrlOnAgents: 'zk://10.0.0.1/es' }],
    [
      'ZooKeeper with a Mesos secret',
      { ...without(secured, 'zookeeperExecutorCredentialsFile'), zookeeperExecutorSecret: 'es/zookeeper' },
    ],
    [
      'masters in ZooKeeper',
      { ...without(zookeeper, 'master'), zookeeperMesosUrl: 'zk://me:secret@z1/mesos' },
    ],
  ])('may be %s', (_, flags) => {
    expect(faults(flags)).toEqual([]);
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    ['nowhere', common, 'stateDirectory', /or zookeeperUrl is required/],
    [
      'at two places',
      { ...zookeeper, stateDirectory: '/var/lib/es' },
      'stateDirectory',
      /exclude each other/,
    ],
    [
      'apart from its leases',
      { ...zookeeper, leaseDirectory: '/srv' },
      'leaseDirectory',
      /in ZooKeeper then/,
    ],
    ['at the root', { ...common, zookeeperUrl: 'zk://z1' }, 'zookeeperUrl', /a path such as/],
    [
      'a path in the name',
      { ...zookeeper, elasticsearchClusterName: 'a/b' },
      'elasticsearchClusterName',
      /without "\/"/,
    ],
    ['no URL', { ...common, zookeeperUrl: 'z1:2181/es' }, 'zookeeperUrl', /wanted zk:\/\/host:port/],
    [
      'with a login',
      { ...common, zookeeperUrl: 'zk://u:p@z1/es' },
      'zookeeperUrl',
      /process list.*zookeeperCredentialsFile/,
    ],
    [
      'elsewhere on agents',
      { ...zookeeper, zookeeperUrlOnAgents: 'zk://z1/other' },
      'zookeeperUrlOnAgents',
      /the path \/es/,
    ],
    [
      'with a login on agents',
      { ...zookeeper, zookeeperUrlOnAgents: 'zk://u:p@z1/es' },
      'zookeeperUrlOnAgents',
      /ExecutorSecret/,
    ],
    [
      'on agents only',
      { ...directory, zookeeperUrlOnAgents: 'zk://z1/es' },
      'zookeeperUrlOnAgents',
      /only with zookeeperUrl/,
    ],
    [
      'a directory with a login',
      { ...directory, zookeeperCredentialsFile: '/f' },
      'zookeeperCredentialsFile',
      /only with zookeeperUrl/,
    ],
    [
      'closed to executors',
      without(secured, 'zookeeperExecutorDigest'),
      'zookeeperExecutorDigest',
      /is required/,
    ],
    [
      'closed to everybody',
      without(secured, 'zookeeperExecutorCredentialsFile'),
      'zookeeperExecutorCredentialsFile',
      /or zookeeperExecutorSecret/,
    ],
    [
      'open, but not to executors',
      without(secured, 'zookeeperCredentialsFile'),
      'zookeeperCredentialsFile',
      /is required/,
    ],
    [
      'with two logins',
      { ...secured, zookeeperExecutorSecret: 's' },
      'zookeeperExecutorSecret',
      /exclude each other/,
    ],
    [
      'with a password for a digest',
      { ...secured, zookeeperExecutorDigest: 'u:password' },
      'zookeeperExecutorDigest',
      /base64/,
    ],
    ['no masters', without(directory, 'master'), 'master', /or zookeeperMesosUrl is required/],
    ['masters twice', { ...directory, zookeeperMesosUrl: 'zk://z1/mesos' }, 'master', /exclude each other/],
  ])('is not %s', (_, flags, name, message) => {
    const found = faults(flags);
    expect(found.map((fault) => fault.name)).toEqual([name]);
    expect(found[0]?.message).toMatch(message);
  });

  it('shows no password where the URL is wrong', () => {
    for (const url of [
      'zk://me:hidden@z1:x/mesos',
      'zk://me:hid/den@z1/mesos',
      'zk://me:hid@den@z1 /mesos',
    ]) {
      const [fault] = faults({ ...without(directory, 'master'), zookeeperMesosUrl: url });
      expect(fault?.message).toMatch(/wanted zk:.*\/\/…@z1/);
      expect(fault?.message).not.toMatch(/hid|den/);
    }
  });
});

describe('taking over', () => {
  it.each([
    [
      'fence with a directory for leases',
      { ...directory, suspectPolicy: 'fence', leaseDirectory: '/srv/leases' },
    ],
    ['fence with ZooKeeper', { ...zookeeper, suspectPolicy: 'fence' }],
    ['preempt by a command', { ...directory, suspectPolicy: 'preempt', fenceCommand: '/usr/sbin/fence' }],
    ['preempt by the driver', { ...directory, suspectPolicy: 'preempt', driverRevokes: 'true' }],
  ])('may be %s', (_, flags) => {
    expect(faults(flags)).toEqual([]);
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    [
      'fence with nothing shared',
      { ...directory, suspectPolicy: 'fence' },
      'leaseDirectory',
      /that scheduler and agents share/,
    ],
    [
      'preempt by nobody',
      { ...directory, suspectPolicy: 'preempt' },
      'fenceCommand',
      /or driverRevokes is required/,
    ],
    [
      'by a command without a path',
      { ...directory, fenceCommand: 'fence' },
      'fenceCommand',
      /an absolute path/,
    ],
    [
      'with isolators',
      {
        ...directory,
        volumeMounter: 'dvdi-isolator',
        frameworkUseDocker: 'false',
        elasticsearchHome: '/opt',
      },
      'volumeMounter',
      /wanted executor/,
    ],
  ])('is not %s', (_, flags, name, message) => {
    const found = faults(flags);
    expect(found.map((fault) => fault.name)).toEqual([name]);
    expect(found[0]?.message).toMatch(message);
  });
});

describe('volumes', () => {
  it('are checked against what path and driver can do, every fault at once', () => {
    const flags = {
      ...directory,
      volumePath: 'dvdcli',
      externalVolumeOptions: 'size=10GB,overwritefs=true',
      driverRevokes: 'true',
    };
    expect(faults(flags).map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'externalVolumeOptions: "size=10GB" for rexray: wanted a whole number of GB without a unit',
      'externalVolumeOptions: "overwritefs=true" for rexray: wanted false, or no such option: true formats a volume that has data',
    ]);
    expect(faults({ ...flags, externalVolumeDriver: 'hostdir' })).toMatchObject([{ name: 'driverRevokes' }]);
  });

  it('are not judged by what could not be understood', () => {
    expect(faults({ ...directory, volumePath: 'fuse', externalVolumeDriver: 'local' })).toMatchObject([
      { name: 'volumePath', message: expect.stringContaining('wanted one of') },
    ]);
  });
});
