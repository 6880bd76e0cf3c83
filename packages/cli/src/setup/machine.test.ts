import { describe, expect, it } from 'vitest';
import { cacheDirectory } from './cache-directory.ts';
import { findJava, parseJava } from './java.ts';
import { parseMountsBelow } from './mounts.ts';
import { parseLdd } from './rootfs.ts';
import { decideInstallation, DOCKER_NEEDS, RCLONE_NEEDS, systemsOf } from './system-packages.ts';

describe('the cache', () => {
  it('lies where every user can read it when root fills it', () => {
    const environment = { XDG_CACHE_HOME: '/root/.cache' };
    expect(cacheDirectory({ uid: 0, home: '/root', environment })).toBe('/var/cache/mesos-elasticsearch');
  });
  it("is the user's own otherwise", () => {
    expect(cacheDirectory({ uid: 1000, home: '/home/ada', environment: {} })).toBe(
      '/home/ada/.cache/mesos-elasticsearch',
    );
    const environment = { XDG_CACHE_HOME: '/scratch' };
    expect(cacheDirectory({ uid: 1000, home: '/home/ada', environment })).toBe(
      '/scratch/mesos-elasticsearch',
    );
  });
});

describe('Java', () => {
  it('is known by its home and version, the old numbering included', () => {
    const java17 = '    java.home = /usr/lib/jvm/java-17\n    java.specification.version = 17\n';
    expect(parseJava(java17)).toEqual({ home: '/usr/lib/jvm/java-17', version: 17 });
    expect(parseJava('    java.home = /opt/jre\n    java.specification.version = 1.8\n')?.version).toBe(8);
    expect(parseJava('something else')).toBeUndefined();
  });
  it('that is missing is named together with what to install', async () => {
    await expect(findJava({ JAVA_HOME: '/nonexistent' })).rejects.toThrow(
      /Java is missing: \/nonexistent\/bin\/java .*from JAVA_HOME.*openjdk-17/s,
    );
  });
});

describe('system packages', () => {
  const debian = { systems: ['debian'], isRoot: true, terminal: false };

  it('are left alone where nothing is missing', () => {
    expect(decideInstallation({ ...debian, missing: [] })).toEqual({ kind: 'nothing' });
  });
  it('are installed by root on Debian, after a question on a terminal', () => {
    expect(decideInstallation({ ...debian, missing: RCLONE_NEEDS })).toEqual({
      kind: 'install',
      packages: ['rclone', 'fuse3'],
      ask: false,
    });
    expect(decideInstallation({ ...debian, missing: DOCKER_NEEDS, terminal: true })).toMatchObject({
      ask: true,
    });
  });
  it('are named with the command elsewhere', () => {
    expect(decideInstallation({ ...debian, missing: DOCKER_NEEDS, isRoot: false })).toMatchObject({
      message: 'missing: dockerd: run: sudo apt-get install docker.io',
    });
    expect(decideInstallation({ ...debian, missing: RCLONE_NEEDS, systems: ['fedora'] })).toMatchObject({
      message: 'missing: rclone, fusermount3: install them (Debian names the packages rclone, fuse3)',
    });
  });
  it('know Ubuntu and its relatives', () => {
    expect(systemsOf('NAME="Pop!_OS"\nID=pop\nID_LIKE="ubuntu debian"\nVERSION_ID="22.04"\n')).toEqual([
      'pop',
      'ubuntu',
      'debian',
    ]);
  });
});

describe('parts of the machine', () => {
  it('finds the libraries of a program in what ldd prints', () => {
    const printed = [
      '\tlinux-vdso.so.1 (0x00007ffd0)',
      '\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f10)',
      '\tlibX11.so.6 => not found',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007f20)',
    ].join('\n');
    expect(parseLdd(printed)).toEqual(['/lib/x86_64-linux-gnu/libz.so.1', '/lib64/ld-linux-x86-64.so.2']);
    expect(parseLdd('\tstatically linked\n')).toEqual([]);
  });
  it('finds the mounts below a directory, the deepest first', () => {
    const mountinfo = [
      '22 1 254:0 / / rw - ext4 /dev/vda rw',
      '30 22 0:5 / /srv/run rw - tmpfs tmpfs rw',
      '31 30 0:6 / /srv/run/a\\040b rw - tmpfs tmpfs rw',
      '32 22 0:7 / /srv/runner rw - tmpfs tmpfs rw',
      '',
    ].join('\n');
    expect(parseMountsBelow(mountinfo, '/srv')).toEqual(['/srv/runner', '/srv/run/a b', '/srv/run']);
    expect(parseMountsBelow(mountinfo, '/srv/run')).toEqual(['/srv/run/a b']);
  });
});
