/** The copier on real file systems; the programs that it calls are the machine's. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COPY_MARKER_FILE, MARKER_FILE } from '@mesos-elasticsearch/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addPeculiar, fillVolume, patterned, sparseFile, treeOf } from '../testing/volume-tree.ts';
import type { PlanVolume } from './copy-plan.ts';
import { copyVolume, measureVolume } from './copy-volume.ts';
import type { VolumeProgress } from './progress.ts';
import { verifyVolume } from './verify-volume.ts';

const root = process.getuid?.() === 0;
const mounting = root ? '' : ' (skipped: needs root)';
const UID = root ? 4711 : (process.getuid?.() ?? 0);
const SEGMENT = 'nodes/0/indices/aGVsbG8gd29ybGQgMQ/0/index/_0.cfs';

let scratch: string;
let volume: PlanVolume;
let progress: VolumeProgress;
const from = (path = '') => join(volume.source, path);
const to = (path = '') => join(volume.target, path);

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'copy-volume-'));
  const [source, target] = [join(scratch, 'old'), join(scratch, 'new')];
  for (const directory of [source, target]) mkdirSync(directory);
  volume = {
    ...{ role: 'data', source, target, readBack: target, arrivesWithinMs: 0 },
    ...{ sourceText: 'volume old of driver a (data)', targetText: 'volume new of driver b (new-data)' },
  };
  progress = { role: 'data', bytesTotal: 0, bytesCopied: 0, bytesVerified: 0, files: 0, notKept: [] };
  fillVolume(source, UID);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

async function copy(): Promise<void> {
  progress.bytesCopied = 0;
  await measureVolume(volume, progress);
  await copyVolume(volume, progress);
}
async function verify(): Promise<void> {
  progress.bytesVerified = 0;
  await verifyVolume(volume, progress);
}
/** One byte, behind the back of whoever looks at sizes and times. */
function change(path: string, at: number): void {
  const { mtime } = statSync(path);
  const content = readFileSync(path);
  content[at] = content[at]! ^ 1;
  writeFileSync(path, content);
  utimesSync(path, mtime, mtime);
}
/** What the verification always has to say where it cannot look. */
const keptAll = () => progress.notKept.filter((what) => !what.includes('no getfattr on this agent'));

describe('a copy of a volume', () => {
  it('is what the old one is: content, names, modes, owners, times to the nanosecond, links and holes', async () => {
    addPeculiar(from(), UID);
    execFileSync('touch', [
      '-d',
      '2023-04-05 06:07:08.123456789',
      from(SEGMENT),
      from('nodes/0/indices/empty'),
    ]);
    await copy();
    await verify();
    expect(treeOf(to())).toEqual(treeOf(from()));
    expect(lstatSync(to(SEGMENT), { bigint: true }).mtimeNs % 1_000_000_000n).toBe(123_456_789n);
    expect(statSync(to(SEGMENT)).ino).toBe(statSync(to(`${SEGMENT}.linked`)).ino);
    expect(statSync(to()).uid).toBe(statSync(from()).uid);
    expect(keptAll()).toEqual([]);
    expect(progress.bytesTotal).toBeGreaterThan(67_000_000);
    expect(progress).toMatchObject({ bytesCopied: progress.bytesTotal, bytesVerified: progress.bytesTotal });
  });

  it('keeps a sparse file of a gigabyte sparse', async () => {
    sparseFile(from('sparse'), 1024 ** 3);
    await copy();
    await verify();
    expect(statSync(to('sparse')).size).toBe(1024 ** 3);
    expect(statSync(to('sparse')).blocks * 512).toBeLessThan(1024 * 1024);
  });

  it('takes 20,000 small files', async () => {
    for (let at = 0; at < 20_000; at += 1) {
      const directory = from(`many/${String(at % 100)}`);
      if (at < 100) mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, String(at)), `file ${String(at)}`);
    }
    const started = performance.now();
    await copy();
    const copied = performance.now();
    await verify();
    expect(progress.files).toBeGreaterThan(20_000);
    if (process.env.MEASURE !== undefined) {
      const seconds = [copied - started, performance.now() - copied].map((ms) => (ms / 1000).toFixed(1));
      process.stderr.write(`20,000 files: copied in ${seconds.join(' s, verified in ')} s\n`);
    }
  }, 600_000);

  it('takes names that are no text', async () => {
    const name = Buffer.concat([Buffer.from(`${from()}/`), Buffer.from([0x66, 0xff, 0xfe])]);
    writeFileSync(name, 'bytes');
    await copy();
    await verify();
    expect(
      readdirSync(to(), { encoding: 'buffer' }).some((each) => each.equals(Buffer.from([0x66, 0xff, 0xfe]))),
    ).toBe(true);
  });

  it('leaves alone what is not part of it, in both roots', async () => {
    writeFileSync(from(MARKER_FILE), 'old');
    writeFileSync(to(COPY_MARKER_FILE), 'copy');
    mkdirSync(to('lost+found'));
    await copy();
    await verify();
    expect(existsSync(to(MARKER_FILE))).toBe(false);
    expect(readFileSync(to(COPY_MARKER_FILE), 'utf8')).toBe('copy');
    expect(existsSync(to('lost+found'))).toBe(true);
  });

  it('removes what the old volume does not have, and replaces what is of another kind', async () => {
    mkdirSync(to('nodes/0/indices/gone/0'), { recursive: true });
    writeFileSync(to('nodes/0/indices/gone/0/x'), 'of a former life');
    mkdirSync(to('nodes/0/node.lock'));
    writeFileSync(to('nodes/0/_state'), 'a file where a directory is to be');
    symlinkSync('/etc', to('other'));
    await copy();
    await verify();
    expect(treeOf(to())).toEqual(treeOf(from()));
    expect(existsSync('/etc/passwd')).toBe(true);
  });

  it('says what it leaves out', async () => {
    execFileSync('mkfifo', [from('nodes/pipe')]);
    await copy();
    await verify();
    expect(keptAll()).toEqual(['fifos, sockets and devices (of nodes/pipe)']);
  });

  it('takes extended attributes along', async ({ skip }) => {
    const there = ['setfattr', 'getfattr'].every((name) => {
      return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, name)));
    });
    skip(!there, 'no getfattr and setfattr here (Debian package attr)');
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', from(SEGMENT)]);
    await copy();
    await verify();
    expect(progress.notKept).toEqual([]);
    expect(
      execFileSync('getfattr', ['--absolute-names', '-n', 'user.note', '--only-values', to(SEGMENT)], {
        encoding: 'utf8',
      }),
    ).toBe('kept');
    execFileSync('setfattr', ['-x', 'user.note', to(SEGMENT)]);
    await verify();
    expect(progress.notKept).toEqual([`extended attributes (of ${SEGMENT})`]);
  });
});

describe('a copy that is begun again', () => {
  it('does not write what is there already, and writes what was cut off', async () => {
    await copy();
    // The mark by which it is seen that nobody wrote here: another byte, and the time as it was.
    change(to(SEGMENT), 2_000_000);
    const half = 'nodes/0/indices/aGVsbG8gd29ybGQgMQ/0/translog/translog-7.tlog';
    truncateSync(to(half), 30_000);
    await copy();
    expect(progress.bytesCopied).toBe(progress.bytesTotal);
    expect(readFileSync(to(half))).toEqual(readFileSync(from(half)));
    await expect(verify()).rejects.toThrow(`: ${SEGMENT} differs at byte 2000000. `);
  });

  it('trusts the content where the times say nothing', async () => {
    await copy();
    const now = new Date();
    utimesSync(to(SEGMENT), now, now);
    writeFileSync(to('nodes/0/_state/global-12.st'), Buffer.from([1, 2, 3, 4]));
    await copy();
    await verify();
    expect(treeOf(to())).toEqual(treeOf(from()));
  });

  it('separates files that are one file there and two here', async () => {
    await copy();
    const [one, other] = ['nodes/0/twin-1', 'nodes/0/twin-2'];
    writeFileSync(from(one), 'same');
    writeFileSync(from(other), 'same');
    writeFileSync(to(one), 'same');
    linkSync(to(one), to(other));
    await copy();
    await verify();
    expect(statSync(to(one)).ino).not.toBe(statSync(to(other)).ino);
  });
});

describe('a verification', () => {
  it('refuses a byte that is another one, names the file, and lets the next try mend it', async () => {
    await copy();
    change(to(SEGMENT), 2_000_000);
    await expect(verify()).rejects.toThrow(
      `volume new of driver b (new-data) does not hold what volume old of driver a (data) holds: ${SEGMENT} differs at byte 2000000`,
    );
    await copy();
    await verify();
    expect(treeOf(to())).toEqual(treeOf(from()));
  });

  it.each([
    ['a file that is missing', () => rmSync(to(SEGMENT)), `${SEGMENT} is missing`],
    ['a directory that is missing', () => rmSync(to('nodes'), { recursive: true }), 'nodes is missing'],
    ['a file that is shorter', () => truncateSync(to(SEGMENT), 5), 'has 5 bytes, not 3145745'],
    ['a file too much', () => writeFileSync(to('nodes/more'), ''), 'nodes has more too much'],
  ])('refuses %s', async (_, harm, text) => {
    await copy();
    harm();
    await expect(verify()).rejects.toThrow(text);
    await copy();
    await verify();
  });

  it('says what is not kept and is no failure', async () => {
    await copy();
    chmodSync(to(SEGMENT), 0o755);
    utimesSync(to('nodes'), new Date(), new Date());
    await verify();
    expect(keptAll()).toEqual(['times (of nodes)', `modes (of ${SEGMENT})`]);
  });

  it('waits for what a driver has not written yet, as long as anything arrives', async () => {
    await copy();
    const content = readFileSync(to(SEGMENT));
    rmSync(to(SEGMENT));
    volume = { ...volume, arrivesWithinMs: 20_000 };
    const verified = verify();
    setTimeout(() => writeFileSync(to(SEGMENT), content), 1_500);
    await verified;
    rmSync(to(SEGMENT));
    volume = { ...volume, arrivesWithinMs: 1_500 };
    await expect(verify()).rejects.toThrow('is missing');
  });
});

describe('a volume at its end', () => {
  it.skipIf(!root)(
    `full: says so, keeps the old one as it was, and goes on where there is room${mounting}`,
    async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', to()]);
      try {
        const before = treeOf(from());
        await expect(copy()).rejects.toThrow(
          /volume new of driver b \(new-data\) is full \(ENOSPC\) \(at nodes\/.*must hold what/,
        );
        expect(treeOf(from())).toEqual(before);
        execFileSync('mount', ['-o', 'remount,size=32m', to()]);
        await copy();
        await verify();
      } finally {
        execFileSync('umount', [to()]);
      }
    },
  );

  it.skipIf(!root)(`read-only: says so${mounting}`, async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,ro', 'tmpfs', to()]);
    try {
      await expect(copy()).rejects.toThrow('volume new of driver b (new-data) is mounted read-only (EROFS)');
    } finally {
      execFileSync('umount', [to()]);
    }
  });

  it('changed under the copy: somebody else has it', async () => {
    writeFileSync(from('nodes/growing'), patterned(40_000_000));
    const copying = copy();
    const grow = setInterval(() => writeFileSync(from('nodes/growing'), 'x', { flag: 'a' }), 1);
    await expect(copying.finally(() => clearInterval(grow))).rejects.toThrow(
      'nodes/growing has changed while it was copied',
    );
  });
});
