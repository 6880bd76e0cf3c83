/** Who uses a volume, by /proc: real processes and real mounts. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeUsers } from '../volume-users.ts';
import { procVolumeUsers } from './volume-users.ts';

let home: string;
let volume: string;
let children: ChildProcess[];
let mounted: string[];
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'volume-users-')));
  volume = join(home, 'real/es1data');
  mkdirSync(volume, { recursive: true });
  children = [];
  mounted = [];
});
afterEach(async () => {
  for (const child of children) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  for (const path of mounted.reverse()) execFileSync('umount', [path]);
  rmSync(home, { recursive: true, force: true });
});

/** A process that runs until the end of the test, once it has said that it is up. */
async function start(command: readonly string[], env = process.env): Promise<ChildProcess> {
  const [program = '', ...rest] = command;
  const child = spawn(program, rest, { cwd: '/', env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}
const holding = (path: string): Promise<ChildProcess> =>
  start(['sh', '-c', 'exec 3>"$0"; echo up; exec sleep 600', path]);
function mount(path: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'volume-users-test', path]);
  mounted.push(path);
}
const below = (path: string): Promise<string | undefined> => procVolumeUsers().below(path);

describe('who uses a volume', () => {
  it('is found though the driver names the volume by a path with a link in it', async () => {
    symlinkSync('real', join(home, 'link'));
    expect(await below(join(home, 'link/es1data'))).toBeUndefined();
    const user = await holding(join(volume, 'held'));
    expect(await below(join(home, 'link/es1data'))).toContain(`(pid ${user.pid})`);
  });
});

/** Holds a file open in its second thread, and ends the first. */
const TWO_THREADS = `
import ctypes, sys, threading, time
held = open(sys.argv[1], 'w')
threading.Thread(target=lambda: time.sleep(600)).start()
print('up', flush=True)
ctypes.CDLL(None).pthread_exit(None)
`;
const noPython = spawnSync('python3', ['-c', 'import ctypes']).status !== 0;

it.skipIf(noPython)('a process is seen whose first thread has ended (skipped without python3)', async () => {
  const env = { ...process.env, THE_MARK: 'mine' };
  const user = await start(['python3', '-c', TWO_THREADS, join(volume, 'held')], env);
  const state = (): string => readFileSync(`/proc/${user.pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
  await expect.poll(state).toBe('Z');
  expect(await below(volume)).toContain(`(pid ${user.pid}) has ${join(volume, 'held')} open`);
  expect(await procVolumeUsers().marked('THE_MARK=mine')).toContain(`(pid ${user.pid})`);
  expect(volumeUsers(volume).users).toMatchObject([{ pid: user.pid }]);
});

const missing = process.getuid?.() === 0 ? undefined : 'mounting needs root';
const why = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`who uses a volume that is hidden by another mount${why}`, () => {
  beforeEach(() => mount(volume));

  it('is found by what it has open', async () => {
    const user = await holding(join(volume, 'held'));
    mount(volume);
    expect(await below(volume)).toContain(`(pid ${user.pid})`);
  });

  it('is found by what it has mounted elsewhere in a mount namespace of its own', async () => {
    const elsewhere = join(home, 'elsewhere');
    mkdirSync(elsewhere);
    const inside = 'mount --bind "$0" "$1" && umount "$0" && echo up && exec sleep 600';
    const user = await start(['unshare', '-m', 'sh', '-c', inside, volume, elsewhere]);
    mount(volume);
    expect(await below(volume)).toBe(`sleep (pid ${user.pid}) has it mounted at ${elsewhere}`);
  });
});
