/** The lock of the mount ledger between real processes. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LockBusyError, LockLostError, lockFile } from './file-lock.ts';

let home: string;
let path: string;
let children: ChildProcess[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'file-lock-'));
  path = join(home, 'lock');
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** A process of its own that has the lock, by the same code. */
async function holder(): Promise<ChildProcess> {
  const { build } = await import('esbuild');
  const outfile = join(home, 'holder.mjs');
  await build({
    stdin: {
      contents: `import { lockFile } from './file-lock.ts';
        await lockFile(process.argv[2], 5000);
        console.log('locked');
        setInterval(() => undefined, 1000);`,
      resolveDir: import.meta.dirname,
      loader: 'ts',
    },
    ...{ outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' },
  });
  const child = spawn(process.execPath, [outfile, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}
/** Of our children; util-linux's flock and its cat. */
const keepers = (): number[] =>
  execFileSync('pgrep', ['-f', `--`, `${path} cat`])
    .toString()
    .trim()
    .split('\n')
    .map(Number);
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

describe('the lock', () => {
  it('is had by one, and by the next when it is released', async () => {
    const first = await lockFile(path, 1_000);
    await expect(lockFile(path, 50)).rejects.toThrow(LockBusyError);
    const waiting = lockFile(path, 5_000);
    await first.release();
    await (await waiting).release();
  });

  it('stays with a process that is frozen, and ends with one that is killed', async () => {
    const child = await holder();
    child.kill('SIGSTOP');
    await expect(lockFile(path, 100)).rejects.toThrow(LockBusyError);
    child.kill('SIGKILL');
    await (await lockFile(path, 5_000)).release();
  });

  it('names its holder by pid to who asks in vain, and says that it is stopped', async () => {
    const child = await holder();
    const [keeper] = keepers();
    const refused = (): Promise<string> =>
      lockFile(path, 100).then(
        () => 'locked',
        (error: unknown) => (error instanceof LockBusyError ? error.message : String(error)),
      );
    expect(await refused()).toContain(`flock (pid ${keeper}) of node (pid ${child.pid})`);
    process.kill(keeper!, 'SIGSTOP');
    expect(await refused()).toContain(`flock (pid ${keeper}, stopped`);
    process.kill(keeper!, 'SIGCONT');
    child.kill('SIGSTOP');
    await expect.poll(refused).toContain(`node (pid ${child.pid}, stopped`);
  });

  it('is given back in time though its keeper is frozen, and the next one gets it', async () => {
    const lock = await lockFile(path, 1_000);
    for (const each of keepers()) process.kill(each, 'SIGSTOP');
    expect(held(lock)).toBe(true);
    await lock.release();
    await (await lockFile(path, 1_000)).release();
  });

  it('is given back in time though the end that its keeper waits for is frozen', async () => {
    const lock = await lockFile(path, 1_000);
    const [keeper] = keepers();
    for (const each of childrenOf(keeper!)) process.kill(each, 'SIGSTOP');
    await lock.release();
    await (await lockFile(path, 1_000)).release();
  });

  it('is not waited for longer than told by who has a frozen keeper of its own', async () => {
    const first = await lockFile(path, 1_000);
    const [holds] = keepers();
    const asking = lockFile(path, 300).catch(String);
    await expect.poll(() => keepers().length).toBe(2);
    const asks = keepers().find((pid) => pid !== holds)!;
    process.kill(asks, 'SIGSTOP');
    expect(await asking).toContain(`flock (pid ${asks}) did not answer`);
    await first.release();
    await (await lockFile(path, 1_000)).release();
  });

  it('is known to be lost when its keeper is killed', async () => {
    const lock = await lockFile(path, 1_000);
    const [keeper] = keepers();
    process.kill(keeper!, 'SIGKILL');
    await expect.poll(() => held(lock)).toBe(false);
    expect(() => lock.assertHeld()).toThrow(LockLostError);
    await lock.release();
  });

  it('is known to be lost when its file is removed, and is not had by who waited for that file', async () => {
    const first = await lockFile(path, 1_000);
    const waiting = lockFile(path, 5_000).catch((error: unknown) => error);
    await expect.poll(() => keepers().length).toBe(2);
    rmSync(path);
    expect(() => first.assertHeld()).toThrow(LockLostError);
    const next = await lockFile(path, 1_000);
    await first.release();
    expect(await waiting).toBeInstanceOf(LockBusyError);
    next.assertHeld();
    await next.release();
  });

  it('cannot be had where there is no directory, which is not "busy"', async () => {
    await expect(lockFile(join(home, 'nowhere/lock'), 50)).rejects.toThrow('cannot be locked');
  });
});

function held(lock: { assertHeld(): void }): boolean {
  try {
    lock.assertHeld();
    return true;
  } catch {
    return false;
  }
}
