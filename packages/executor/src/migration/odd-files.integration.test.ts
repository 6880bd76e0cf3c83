/** Everything that a file system lets anybody make, copied and read back. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlanVolume } from './copy-plan.ts';
import { copyVolume, measureVolume } from './copy-volume.ts';
import type { VolumeProgress } from './progress.ts';
import { verifyVolume } from './verify-volume.ts';

let scratch: string;
let volume: PlanVolume;
let progress: VolumeProgress;
const from = (path = '') => join(volume.source, path);
const to = (path = '') => join(volume.target, path);
const raw = (...bytes: number[]) => Buffer.concat([Buffer.from(`${volume.source}/`), Buffer.from(bytes)]);

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'odd-files-'));
  const [source, target] = [join(scratch, 'old'), join(scratch, 'new')];
  for (const directory of [source, target]) mkdirSync(directory);
  volume = {
    ...{ role: 'data', source, target, readBack: target, arrivesWithinMs: 0 },
    ...{ sourceText: 'volume old of driver a (data)', targetText: 'volume new of driver b (new-data)' },
  };
});
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwX', scratch]);
  rmSync(scratch, { recursive: true, force: true });
});

async function moved(): Promise<void> {
  progress = { role: 'data', bytesTotal: 0, bytesCopied: 0, bytesVerified: 0, files: 0, notKept: [] };
  await measureVolume(volume, progress);
  await copyVolume(volume, progress);
  await verifyVolume(volume, progress);
  expect(progress.bytesCopied).toBe(progress.bytesTotal);
  expect(progress.bytesVerified).toBe(progress.bytesTotal);
}
/** Path, kind, mode, owner, time, size, target and number of names of each; in bytes, for a name need not be text. */
function listing(root: string, kinds = 'fdl'): string[] {
  const format = '%P|%y %m %U:%G %T@ %l %n\\0';
  const found = execFileSync('find', ['.', '-mindepth', '1', '-printf', format], {
    cwd: root,
    maxBuffer: 1e9,
  });
  const lines = found.toString('latin1').split('\0').sort();
  return lines.filter((line) => kinds.includes(/\|(.)/.exec(line.slice(line.lastIndexOf('|')))?.[1] ?? 'f'));
}
const notKept = () => progress.notKept.filter((what) => !what.includes('no getfattr'));
/** Twice: what is there already must be known again. */
async function movesAsItIs(): Promise<void> {
  await moved();
  expect(listing(to())).toEqual(listing(from()));
  await moved();
  expect(listing(to())).toEqual(listing(from()));
}

describe('a volume with odd things in it', () => {
  it('is copied with names that hold line ends, blanks, leading dashes, no text, or as much as fits', async () => {
    for (const name of [
      'a\nb',
      ' ',
      '-rf',
      '--',
      '*',
      "it's",
      '"',
      '\\',
      'ä',
      'x'.repeat(255),
      '$(reboot)',
      '\t',
    ]) {
      mkdirSync(from(`in/${name}`), { recursive: true });
      writeFileSync(from(`in/${name}/${name}`), name);
      writeFileSync(from(name), name);
    }
    const inside = [...Buffer.from('in/')];
    writeFileSync(raw(...inside, 0xff, 0xfe), 'no text');
    mkdirSync(raw(...inside, 0xc3, 0x28));
    writeFileSync(raw(...inside, 0xc3, 0x28, 0x2f, 0x80), 'no text in what is no text');
    // The same text, and not the same name.
    writeFileSync(from('é'), 'composed');
    writeFileSync(from('é'), 'decomposed');
    await movesAsItIs();
    expect(notKept()).toEqual([]);
  });

  it('is copied with files of our own names further down', async () => {
    mkdirSync(from('sub/lost+found'), { recursive: true });
    for (const name of [
      '.mesos-elasticsearch-probe',
      '.mesos-elasticsearch-volume.json',
      '.mesos-elasticsearch-copy.json',
    ])
      writeFileSync(from(`sub/${name}`), 'somebody’s');
    await movesAsItIs();
  });

  it('is copied with links to nowhere, to themselves, out of the volume, and of several names', async () => {
    writeFileSync(from('file'), 'content');
    symlinkSync('nowhere', from('dangling'));
    symlinkSync('loop', from('loop'));
    symlinkSync('/etc/passwd', from('out'));
    symlinkSync('.', from('here'));
    linkSync(from('dangling'), from('dangling-too'));
    mkdirSync(from('z'));
    for (let at = 0; at < 20; at += 1) linkSync(from('file'), from(`z/name-${String(at)}`));
    await moved();
    const of = (root: string) =>
      listing(root).map((line) => (line.includes('dangling') ? line.slice(0, -1) : line));
    expect(of(to())).toEqual(of(from()));
    await moved();
    expect(of(to())).toEqual(of(from()));
  });

  it('is copied with modes that keep people out, and with those that let them in as somebody else', async () => {
    mkdirSync(from('closed/inside'), { recursive: true });
    writeFileSync(from('closed/inside/file'), 'x');
    writeFileSync(from('nobody'), 'x');
    writeFileSync(from('setuid'), 'x');
    for (const [path, mode] of [
      ['closed/inside/file', 0o400],
      ['closed/inside', 0o500],
      ['closed', 0o500],
    ] as const)
      chmodSync(from(path), mode);
    chmodSync(from('nobody'), process.getuid?.() === 0 ? 0o000 : 0o400);
    chmodSync(from('setuid'), 0o6755);
    mkdirSync(from('sticky'));
    chmodSync(from('sticky'), 0o1777);
    await movesAsItIs();
    expect(notKept()).toEqual([]);
  });

  it('is copied without its fifos and sockets, which are named, and nothing waits for a writer', async () => {
    execFileSync('mkfifo', [from('fifo')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(from('socket'), resolve));
    writeFileSync(from('file'), 'x');
    await moved();
    await moved();
    await new Promise((resolve) => server.close(resolve));
    expect(listing(to(), 'f')).toEqual(listing(from(), 'f'));
    expect(notKept()).toEqual(['fifos, sockets and devices (of fifo and 1 more)']);
  });

  it('is copied in its full depth', async () => {
    const deep = Array.from({ length: 400 }, (_, at) => `d${String(at % 10)}`).join('/');
    mkdirSync(from(deep), { recursive: true });
    writeFileSync(from(`${deep}/file`), 'at the bottom');
    await movesAsItIs();
  });

  it(
    'is copied with nothing, with empty files, and with more than four gigabytes of hole',
    { timeout: 240_000 },
    async () => {
      await movesAsItIs();
      for (let at = 0; at < 50; at += 1) writeFileSync(from(`empty-${String(at)}`), '');
      const size = 4 * 1024 ** 3 + 12_345;
      writeFileSync(from('huge'), 'head');
      truncateSync(from('huge'), size);
      truncateSync(from('empty-1'), 1);
      await moved();
      expect(statSync(to('huge')).size).toBe(size);
      expect(statSync(to('huge')).blocks).toBeLessThan(100);
      expect(listing(to())).toEqual(listing(from()));
    },
  );
});
