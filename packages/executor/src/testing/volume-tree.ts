/** What Elasticsearch leaves in a data directory, small, with everything in it that a copy can get wrong. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { COPY_MARKER_FILE, MARKER_FILE } from '@mesos-elasticsearch/contract';

const INDEX = 'nodes/0/indices/aGVsbG8gd29ybGQgMQ/0';
const OLD = new Date('2024-02-29T12:34:56.789Z');

/** @param uid of Elasticsearch's user; only root gives files away */
export function fillVolume(root: string, uid: number): void {
  const put = (path: string, content: string | Buffer, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode });
  };
  put('nodes/0/_state/global-12.st', Buffer.from([0x3f, 0xd7, 0x6c, 0x17]));
  put('nodes/0/node.lock', '');
  put(`${INDEX}/_state/state-3.st`, 'shard state');
  put(`${INDEX}/index/_0.cfs`, patterned(3 * 1024 * 1024 + 17));
  put(`${INDEX}/index/_0.si`, 'segment info', 0o600);
  put(`${INDEX}/index/segments_4`, 'segments');
  put(`${INDEX}/translog/translog-7.tlog`, patterned(70_000));
  put(`${INDEX}/translog/translog.ckp`, Buffer.alloc(88));
  mkdirSync(join(root, 'nodes/0/indices/empty'), { mode: 0o750 });
  giveAll(root, uid);
}

/** What rclone cannot hold: two names of one file, a symbolic link, holes. */
export function addPeculiar(root: string, uid: number): void {
  linkSync(join(root, `${INDEX}/index/_0.cfs`), join(root, `${INDEX}/index/_0.cfs.linked`));
  symlinkSync('nodes/0', join(root, 'current'));
  sparseFile(join(root, `${INDEX}/index/holes`), 64 * 1024 * 1024);
  giveAll(root, uid);
}

/** Data at its start, in its middle and nowhere else. */
export function sparseFile(path: string, size: number): void {
  writeFileSync(path, 'head');
  truncateSync(path, size);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(5000, 7), 0, 5000, Math.floor(size / 2) + 123);
  closeSync(file);
}

export function patterned(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 1) buffer[at] = (at * 31 + (at >> 8)) & 0xff;
  return buffer;
}

function giveAll(root: string, uid: number): void {
  const walk = (path: string): void => {
    const stats = lstatSync(path);
    if (process.getuid?.() === 0) (stats.isSymbolicLink() ? lchownSync : chownSync)(path, uid, uid);
    if (stats.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name));
    if (!stats.isSymbolicLink()) utimesSync(path, OLD, OLD);
  };
  walk(root);
  chmodSync(root, 0o755);
}

const NOT_COMPARED = new Set([MARKER_FILE, COPY_MARKER_FILE, 'lost+found']);

/** One line for each thing below: path, kind, mode, owner, time in nanoseconds, size, content. */
export function treeOf(root: string, what: 'everything' | 'content' = 'everything'): readonly string[] {
  const lines: string[] = [];
  const walk = (at: string): void => {
    for (const name of readdirSync(join(root, at)).sort()) {
      if (at === '' && NOT_COMPARED.has(name)) continue;
      const path = join(at, name);
      const stats = lstatSync(join(root, path), { bigint: true });
      const content = stats.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(root, path)))
            .digest('hex')
            .slice(0, 12)
        : stats.isSymbolicLink()
          ? readlinkSync(join(root, path))
          : '';
      const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? String(stats.size) : 'link';
      const kept = `${(stats.mode & 0o7777n).toString(8)} ${stats.uid}:${stats.gid} ${stats.mtimeNs}`;
      lines.push([path, kind, content, ...(what === 'everything' ? [kept] : [])].join(' '));
      if (stats.isDirectory()) walk(path);
    }
  };
  walk('');
  return lines;
}
