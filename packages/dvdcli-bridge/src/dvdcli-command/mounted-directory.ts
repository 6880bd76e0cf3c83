import { lstatSync } from 'node:fs';
import { isUnder, readMountTable, type MountEntry } from '../mount-table.ts';
import { judgeMountpointPath } from '../mountpoint-path.ts';
import type { MountpointVerdict } from '../mountpoint.ts';

/** These answer from this machine alone; any other may keep whoever asks waiting for ever. */
const LOCAL_FILE_SYSTEMS = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'f2fs',
  'zfs',
  'overlay',
  'tmpfs',
]);

/**
 * As {@link checkMountpoint}, for a process that has to end afterwards: a file system that hangs would hold a thread
 * of Node, and Node waits for its threads when it exits. So what may hang is asked by a child, which can be left behind.
 */
export async function checkMountedDirectory(path: string, limitMs: number): Promise<MountpointVerdict> {
  const judged = judgeMountpointPath(path);
  if (judged.kind === 'bad') return judged;
  const answer = answersAtOnce(judged.path, mountTable())
    ? lookAt(judged.path)
    : await askChild(judged.path, limitMs);
  if (answer === 'no-answer') return { kind: 'no-answer' };
  return answer === 'directory'
    ? { kind: 'fine', path: judged.path }
    : { kind: 'bad', why: `${judged.said}, which is not a directory of this host` };
}

function mountTable(): readonly MountEntry[] {
  try {
    return readMountTable();
  } catch {
    return [];
  }
}

/** Every file system on the way to the path is a local one, and no link leads away from that way. */
function answersAtOnce(path: string, table: readonly MountEntry[]): boolean {
  const passed = table.filter((entry) => isUnder(path, entry.mountPoint));
  if (passed.length === 0 || !passed.every((entry) => LOCAL_FILE_SYSTEMS.has(entry.fileSystem))) return false;
  const steps = path.split('/').slice(1);
  return !steps.some((_, index) => isLink(`/${steps.slice(0, index + 1).join('/')}`));
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function lookAt(path: string): 'directory' | 'other' {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? 'directory' : 'other';
}

function askChild(path: string, limitMs: number): Promise<'directory' | 'other' | 'no-answer'> {
  return new Promise((resolve) => {
    const { spawn } = process.getBuiltinModule('node:child_process');
    const child = spawn('test', ['-d', path], { stdio: 'ignore' });
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      resolve('no-answer');
    }, limitMs);
    child.on('error', () => {
      clearTimeout(limit);
      resolve('no-answer');
    });
    child.on('exit', (code) => {
      clearTimeout(limit);
      resolve(code === 0 ? 'directory' : code === null ? 'no-answer' : 'other');
    });
  });
}
