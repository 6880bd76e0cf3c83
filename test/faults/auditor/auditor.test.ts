/** An oracle that cannot see is none: two holders are planted, and it must name both. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleForNode } from '@mesos-elasticsearch/local/testing';
import { startAuditor, type Auditor } from './start-auditor.ts';

const notRoot = process.getuid?.() !== 0;
const WHY_NOT = notRoot ? ' (skipped: needs root)' : '';

let program: string;
let store: string;
let auditor: Auditor;
const holders: ChildProcess[] = [];

beforeAll(async () => {
  program = await bundleForNode(fileURLToPath(new URL('./main.ts', import.meta.url)), 'auditor.mjs');
});
beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), 'audited-'));
  for (const volume of ['one', 'two']) {
    await mkdir(join(store, volume, 'data'), { recursive: true });
    await writeFile(join(store, volume, 'data', 'log'), '');
  }
  auditor = await startAuditor(program, [`${store}/*/data`]);
});
afterEach(async () => {
  await auditor.stop();
  for (const holder of holders.splice(0)) await killed(holder);
  await rm(store, { recursive: true });
});
afterAll(() => rm(dirname(program), { recursive: true }));

const fileOf = (volume: string) => join(store, volume, 'data', 'log');

/** Holds a file open as a task's process does: `how` is the shell's redirection. */
async function hold(
  task: string,
  file: string,
  how: '<' | '>>',
  wrap: readonly string[] = [],
): Promise<ChildProcess> {
  const script = 'exec 3' + how + '"$1"; echo held; exec sleep 1000';
  const [first, ...rest] = [...wrap, 'sh', '-c', script, 'sh', file];
  const child = spawn(first, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: { PATH: process.env['PATH'], MESOS_DIRECTORY: `/sandboxes/${task}/runs/1` },
  });
  holders.push(child);
  await once(child.stdout, 'data');
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  process.kill(-child.pid!, 'SIGKILL');
  await gone;
}

/** Seen at least once more since now. */
async function looked(times = 12): Promise<void> {
  const { looks } = await auditor.audit();
  await expect
    .poll(async () => (await auditor.audit()).looks, { timeout: 10_000 })
    .toBeGreaterThan(looks + times);
}

describe('the auditor', () => {
  it('names two tasks that write to one volume at the same time, by pid, command and time', async () => {
    const before = Date.now();
    const first = await hold('a', fileOf('one'), '>>');
    const second = await hold('b', fileOf('one'), '>>');
    await expect.poll(async () => (await auditor.audit()).overlaps.length, { timeout: 10_000 }).toBe(1);
    const [overlap] = (await auditor.audit()).overlaps;
    expect(overlap!.volume).toBe('one');
    expect(overlap!.holders.map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
    expect(overlap!.holders[0].command).toContain('sleep 1000');
    expect(overlap!.firstMs).toBeGreaterThanOrEqual(before);
  });

  it('sees a frozen holder as a holder', async () => {
    const first = await hold('a', fileOf('one'), '>>');
    process.kill(first.pid!, 'SIGSTOP');
    await hold('b', fileOf('one'), '>>');
    await expect.poll(async () => (await auditor.audit()).overlaps.length, { timeout: 10_000 }).toBe(1);
  });

  it('says nothing of one after the other, of two volumes, of one task twice, or of a reader', async () => {
    const first = await hold('a', fileOf('one'), '>>');
    await hold('a', fileOf('one'), '>>');
    await hold('b', fileOf('two'), '>>');
    await hold('c', fileOf('two'), '<');
    await looked();
    for (const holder of holders) await killed(holder);
    await hold('d', fileOf('one'), '>>');
    // The driver's own records beside the volume's files are not the volume.
    await hold('e', join(store, 'one', 'record'), '>>');
    await looked();
    const audit = await auditor.audit();
    expect(audit.overlaps).toEqual([]);
    const held = audit.holdings.find(({ pid }) => pid === first.pid);
    expect(held).toMatchObject({ volume: 'one', task: '/sandboxes/a/runs/1' });
    expect(held!.lastWritingMs).toBeGreaterThanOrEqual(held!.firstMs);
    const later = audit.holdings.find(({ task }) => task === '/sandboxes/d/runs/1');
    expect(later!.firstMs).toBeGreaterThan(held!.lastMs);
  });

  it.skipIf(notRoot)(`sees through a bind mount in a mount namespace of its own${WHY_NOT}`, async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'elsewhere-'));
    const inside = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$1" "$2" && shift 2 && exec "$@"', 'sh'];
    await hold('a', fileOf('one'), '>>');
    await hold('b', join(elsewhere, 'log'), '>>', [...inside, dirname(fileOf('one')), elsewhere]);
    await expect.poll(async () => (await auditor.audit()).overlaps.length, { timeout: 10_000 }).toBe(1);
    await rm(elsewhere, { recursive: true });
  });
});
