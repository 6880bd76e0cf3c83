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

describe('volumes that an isolator mounts', () => {
  const processes = { ...zookeeper, frameworkUseDocker: 'false', elasticsearchHome: '/opt/elasticsearch' };
  const dvdi = { ...processes, volumeMounter: 'dvdi-isolator' };
  const own = { ...processes, volumeMounter: 'docker-volume-isolator' };

  it.each([
    ['by mesos-module-dvdi', { ...dvdi, externalVolumeOptions: 'size=5,newfstype=ext4' }],
    ["by Mesos's own", { ...own, externalVolumeOptions: 'remote=:local:/srv/{volume}' }],
    ['in the sandbox', { ...own, isolatorConfigPath: 'config', isolatorDataPath: 'data' }],
    ['and fenced by the driver', { ...dvdi, suspectPolicy: 'fence', driverRevokes: 'true' }],
  ])('may be mounted %s', (_, flags) => {
    expect(faults(flags)).toEqual([]);
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    [
      'into Docker containers',
      { ...zookeeper, volumeMounter: 'dvdi-isolator' },
      'frameworkUseDocker',
      /for the Mesos containerizer/,
    ],
    [
      'with options that the module prohibits (edge case 22)',
      { ...dvdi, externalVolumeOptions: 'remote=:local:/srv/{volume}' },
      'externalVolumeOptions',
      /DVDI_VOLUME_OPTS1 has a character that mesos-module-dvdi prohibits: ":"; create the volumes beforehand/,
    ],
    [
      'with options that dvdcli cuts (edge case 20)',
      { ...own, externalVolumeOptions: 'o=a=b' },
      'externalVolumeOptions',
      /a second "="/,
    ],
    [
      'by a driver with a path',
      { ...dvdi, externalVolumeDriver: 'vieux/sshfs' },
      'externalVolumeDriver',
      /"\/"/,
    ],
    [
      'at a path with ".." (edge case 25)',
      { ...dvdi, isolatorDataPath: '/tmp/../etc' },
      'isolatorDataPath',
      /plain/,
    ],
    [
      'over each other',
      { ...own, isolatorConfigPath: '/data/config' },
      'isolatorDataPath',
      /lie in each other/,
    ],
    ['and fenced by nobody', { ...own, suspectPolicy: 'fence' }, 'suspectPolicy', /the agent unmounts/],
  ])('are not mounted %s', (_, flags, name, message) => {
    const found = faults(flags);
    expect(found.map((fault) => fault.name)).toEqual([name]);
    expect(found[0]?.message).toMatch(message);
  });
});
