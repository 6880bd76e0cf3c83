import { parseMountTable } from '@mesos-elasticsearch/dvdcli-bridge';
import { launchSpecSchema, type IsolatorMounter } from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { launchSpec } from '../testing/launch-specs.ts';
import { decideMount, mountChange, type DriverAnswer, type MountFacts } from './isolated-mount.ts';

const paths = { config: '/tmp/config', data: '/data' };
const dvdi: IsolatorMounter = { kind: 'dvdi-isolator', paths, dvdcli: '/usr/bin/dvdcli' };
const own: IsolatorMounter = { ...dvdi, kind: 'docker-volume-isolator' };
const volume = launchSpecSchema.parse(launchSpec()).volumes.data;

const ROOT = '22 1 8:1 / / rw - ext4 /dev/sda1 rw';
const table = (...lines: string[]) => parseMountTable([ROOT, ...lines].join('\n'));
/** A driver whose volumes are file systems, as rclone; and one whose volumes are directories, as hostdir. */
const FUSE_HOST = '40 22 0:60 / /vols/elasticsearch1data rw - fuse.rclone x rw';
const FUSE = '41 22 0:60 / /data rw - fuse.rclone x rw';
const DIRECTORY = '41 22 8:1 /store/volumes/elasticsearch1data/data /data rw - ext4 /dev/sda1 rw';

const says = (path: string, found?: { device: string; inode: string }): DriverAnswer => ({
  kind: 'mountpoint',
  path,
  found,
});
const SILENT: DriverAnswer = { kind: 'silent', why: 'the driver does not say where it is' };

function decide(facts: Partial<MountFacts>, mounter: IsolatorMounter = dvdi) {
  return decideMount(mounter, volume, {
    path: '/data',
    found: { device: '0:60', inode: '1', isDirectory: true },
    own: table(FUSE_HOST, FUSE),
    machine: table(FUSE_HOST),
    driver: says('/vols/elasticsearch1data'),
    ...facts,
  });
}
const onDisk = { device: '8:1', inode: '7', isDirectory: true };
const why = (facts: Partial<MountFacts>, mounter?: IsolatorMounter) => {
  const decision = decide(facts, mounter);
  return decision.kind === 'refuse' ? decision.why : decision.kind;
};

describe('what an isolator has mounted is accepted', () => {
  it('when it is the file system that the driver has mounted', () => {
    expect(decide({})).toMatchObject({ kind: 'expected', mount: { device: '0:60', mountPoint: '/data' } });
    expect(decide({})).not.toHaveProperty('weakness');
  });

  it('when it is the directory that the driver names', () => {
    const driver = says('/store/volumes/elasticsearch1data/data');
    expect(why({ found: onDisk, own: table(DIRECTORY), driver })).toBe('expected');
  });

  it('when device and inode are the same, whatever the tables say', () => {
    const driver = says('/behind/a/link', { device: '8:1', inode: '7' });
    expect(why({ found: onDisk, own: table(DIRECTORY), driver })).toBe('expected');
    const other = says('/behind/a/link', { device: '8:1', inode: '8' });
    expect(why({ found: onDisk, own: table(DIRECTORY), driver: other })).toMatch(/another volume/);
  });

  it('when it lies in the volume whose root the driver names, as with REX-Ray', () => {
    const device = '40 22 252:0 / /rexray/elasticsearch1data rw - ext4 /dev/vdb rw';
    const bound = '41 22 252:0 /data /data rw - ext4 /dev/vdb rw';
    const found = { ...onDisk, device: '252:0' };
    expect(why({ found, own: table(device, bound), driver: says('/rexray/elasticsearch1data') })).toBe(
      'expected',
    );
    // On the machine's own file system that would be any directory of it.
    const driver = says('/store');
    expect(why({ found: onDisk, own: table(DIRECTORY), driver })).toMatch(/another volume/);
  });

  it('when the driver does not say, by the name of the volume in its path, and says so', () => {
    expect(decide({ driver: SILENT })).toMatchObject({
      kind: 'expected',
      weakness: expect.stringContaining('/vols/elasticsearch1data'),
    });
    expect(decide({ driver: SILENT, found: onDisk, own: table(DIRECTORY) })).toMatchObject({
      kind: 'expected',
    });
  });
});

describe('what an isolator has mounted is refused', () => {
  it('when there is nothing: the isolator is missing, and no word goes to the agent’s disk', () => {
    const found = onDisk;
    const text = why({ found, own: table(FUSE_HOST) });
    expect(text).toMatch(/nothing is mounted at \/data.*agent's own disk/);
    expect(text).toMatch(/--isolation=com_emccode_mesos_DockerVolumeDriverIsolator/);
    expect(why({ found, own: table(FUSE_HOST) }, own)).toMatch(
      /--isolation=filesystem\/linux,docker\/volume/,
    );
  });

  it('when the directory itself is missing, with what to make', () => {
    expect(why({ found: undefined })).toMatch(/mkdir -p \/data.*--isolation=com_emccode/);
    expect(why({ found: undefined, path: '/tmp/config' })).toMatch(/mesos-module-dvdi would have made it/);
    expect(why({ found: undefined, path: '/tmp/config' }, own)).toMatch(/mkdir -p \/tmp\/config/);
    expect(why({ found: { ...onDisk, isDirectory: false } })).toMatch(/no directory/);
  });

  it('edge case 40: when it is mounted in another namespace only', () => {
    const text = why({ found: onDisk, own: table(), machine: table(FUSE) });
    expect(text).toMatch(
      /something is on the machine: its mounts do not reach this mount namespace.*make-rshared/,
    );
    expect(why({ found: onDisk, own: table(), machine: undefined })).toMatch(/no isolator has mounted it/);
  });

  it('edge case 40: when the device of the path is not the one that is mounted there', () => {
    expect(why({ found: onDisk })).toMatch(/on device 8:1, but 0:60 is mounted there for us.*hidden/);
  });

  it('when a mount over a directory above hides it, then and later', () => {
    const mounted = '41 22 0:60 / /srv/data rw - fuse.rclone x rw';
    const over = '50 22 0:9 / /srv rw - tmpfs t rw';
    const hidden = { path: '/srv/data', own: table(FUSE_HOST, mounted, over) };
    expect(why(hidden)).toMatch(/hidden at \/srv\/data by another mount, over a directory above/);
    const [, before] = table(mounted);
    expect(mountChange(before!, hidden.own)).toMatch(/over a directory above \/srv\/data/);
  });

  it('when the directory that was mounted has been removed, and another one made in its place', () => {
    const gone = DIRECTORY.replace('/data /data', '/data//deleted /data');
    const driver = says('/store/volumes/elasticsearch1data/data', { device: '8:1', inode: '9' });
    expect(why({ found: onDisk, own: table(gone), driver })).toMatch(/removed after it was mounted/);
    expect(why({ found: onDisk, own: table(gone), driver: SILENT })).toMatch(/removed after it was mounted/);
  });

  it('when it is another volume', () => {
    expect(why({ driver: says('/vols/elasticsearch2data') })).toMatch(
      /what is mounted at \/data \(fuse.rclone 0:60\) is not the volume.*another volume/,
    );
    const driver = says('/store/volumes/elasticsearch2data/data');
    expect(why({ found: onDisk, own: table(DIRECTORY), driver })).toMatch(/another volume/);
    expect(why({ driver: { kind: 'no-such-volume' } })).toMatch(/the driver has no such volume/);
  });

  it('when it is read-only', () => {
    const found = { device: '0:60', inode: '1', isDirectory: true };
    expect(why({ found, own: table(FUSE_HOST, FUSE.replace(' rw - ', ' ro,nosuid - ')) })).toMatch(
      /read-only/,
    );
    expect(why({ found, own: table(FUSE_HOST, FUSE.replace('x rw', 'x ro')) })).toMatch(/read-only/);
  });

  it('when nobody can tell: a disk of the machine at that path', () => {
    const disk = '41 22 8:2 / /data rw - ext4 /dev/sdb rw';
    const found = { ...onDisk, device: '8:2' };
    expect(why({ found, own: table(disk), machine: undefined, driver: SILENT })).toMatch(/nobody can tell/);
    const named = '41 22 8:1 /srv/elasticsearch1data /data rw - ext4 /dev/sda1 rw';
    const everywhere = { found: onDisk, own: table(named), machine: table(named) };
    expect(why({ ...everywhere, driver: SILENT })).toMatch(/mounted for the whole machine/);
  });
});

describe('a mount that is looked at again', () => {
  const before = table(FUSE).at(-1)!;
  it('is the same, gone, or covered', () => {
    expect(mountChange(before, table(FUSE_HOST, FUSE))).toBeUndefined();
    expect(mountChange(before, table(FUSE_HOST))).toBe('/data is not mounted any more');
    expect(mountChange(before, table(FUSE, '50 41 0:9 / /data rw - tmpfs t rw'))).toMatch(
      /mounted over \/data/,
    );
  });
});
