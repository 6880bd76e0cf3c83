import { lstatSync } from 'node:fs';
import { isUnder, readMountTable, type MountEntry } from '../mount-table.ts';
import { judgeMountpointPath } from '../mountpoint-path.ts';
import type { MountpointVerdict } from '../mountpoint.ts';
import { CommandFailure } from './failure.ts';

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

type Found = 'directory' | 'other' | 'no-answer' | { readonly refused: string };

/**
 * As {@link checkMountpoint}, for a process that has to end afterwards: a file system that hangs would hold a thread
 * of Node, and Node waits for its threads when it exits. So what may hang is asked by a child, which can be left behind.
 * @throws CommandFailure where this process cannot find out
 */
export async function checkMountedDirectory(path: string, limitMs: number): Promise<MountpointVerdict> {
  const judged = judgeMountpointPath(path);
  if (judged.kind === 'bad') return judged;
  const found = await find(judged.path, limitMs);
  if (found === 'no-answer') return { kind: 'no-answer' };
  if (found === 'directory') return { kind: 'fine', path: judged.path };
  const end = found === 'other' ? 'is not a directory of this host' : `cannot be used (${found.refused})`;
  return { kind: 'bad', why: `${judged.said}, which ${end}` };
}

async function find(path: string, limitMs: number): Promise<Found> {
  try {
    if (answersAtOnce(path, mountTable())) return lookAt(path);
  } catch (error) {
    // A name that is too long, a file where a directory should be, a directory that is closed to this user.
    return { refused: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
  try {
    return await askChild(path, limitMs);
  } catch (error) {
    // The path may well be fine, and in use by others, so the mount is not taken back.
    const { code = String(error) } = error as NodeJS.ErrnoException;
    const message = `whether ${path} is a directory could not be found out (${code}); the volume stays mounted`;
    throw new CommandFailure(message, { code: 'bad-mountpoint', certain: false });
  }
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

/** Rejects where no child can be started. */
function askChild(path: string, limitMs: number): Promise<'directory' | 'other' | 'no-answer'> {
  return new Promise((resolve, reject) => {
    const { spawn } = process.getBuiltinModule('node:child_process');
    const child = spawn('test', ['-d', path], {
      stdio: 'ignore',
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    });
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      resolve('no-answer');
    }, limitMs);
    child.on('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    child.on('exit', (code) => {
      clearTimeout(limit);
      resolve(code === 0 ? 'directory' : code === null ? 'no-answer' : 'other');
    });
  });
}
