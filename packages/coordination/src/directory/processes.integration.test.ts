import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { epoch, nodeId } from '@mesos-elasticsearch/contract';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledgerErrorCode } from '../testing/ledger-contract.ts';
import { leaseRecord } from '../testing/records.ts';
import { openDirectoryLedger } from './ledger.ts';
import { directoryLeases } from './leases.ts';

/** A process that writes records of node 1 as fast as it can and prints the version of each that resolved. */
const WRITER = `
  import { openDirectoryLedger } from './directory/ledger.ts';
  import { frameworkRecord, nodeRecord } from './testing/records.ts';
  const ledger = await openDirectoryLedger(process.argv[2]);
  const { framework, nodes } = await ledger.load();
  if (!framework) await ledger.writeFramework(frameworkRecord(), 0);
  let version = nodes.get(1)?.version ?? 0;
  for (;;) {
    version = await ledger.writeNode(nodeRecord(1, { why: 'x'.repeat(20_000) }), version);
    console.log(version);
  }
`;

/** A process that lives through a lease: takes, renews and gives it back, and prints the answers. */
const EXECUTOR = `
  import { directoryLeases } from './directory/leases.ts';
  import { leaseRecord } from './testing/records.ts';
  const leases = directoryLeases(process.argv[2]);
  const answers = [
    await leases.take(leaseRecord()),
    await leases.renew(leaseRecord({ counter: 1 })),
    await leases.giveBack(leaseRecord({ counter: 2 })),
  ];
  console.log(answers.join(' '));
`;
const NOBODY = 65_534;

let scratch: string;
let script: string;
let executorScript: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ledger-processes-'));
  script = join(scratch, 'writer.mjs');
  executorScript = join(scratch, 'executor.mjs');
  await bundle(WRITER, script);
  await bundle(EXECUTOR, executorScript);
  await chmod(scratch, 0o755);
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await rm(scratch, { recursive: true });
});

async function bundle(contents: string, outfile: string): Promise<void> {
  await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, '..'), loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['vitest'],
    logLevel: 'error',
  });
}

/** Resolves once the writer has written; `written` grows with every version it says is durable. */
async function startWriter(root: string): Promise<{ child: ChildProcess; written: () => number }> {
  const child = spawn(process.execPath, [script, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  let last = 0;
  const lines = createInterface({ input: child.stdout }).on('line', (line) => (last = Number(line)));
  await once(lines, 'line');
  return { child, written: () => last };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'close');
  child.kill('SIGKILL');
  await gone;
}

describe('a writer killed in the middle of its work', () => {
  it('leaves a ledger that opens at once and holds everything it was told to be durable', async () => {
    const root = join(scratch, 'killed');
    for (let round = 0; round < 5; round += 1) {
      const { child, written } = await startWriter(root);
      await kill(child);
      const ledger = await openDirectoryLedger(root);
      const { nodes } = await ledger.load();
      expect(nodes.get(nodeId(1))?.version).toBeGreaterThanOrEqual(written());
      await ledger.close();
    }
  });
});

describe('a frozen writer', () => {
  it('keeps the directory to itself, and the error names it', async () => {
    const root = join(scratch, 'frozen');
    const { child } = await startWriter(root);
    child.kill('SIGSTOP');
    expect(await ledgerErrorCode(openDirectoryLedger(root))).toBe('in-use');
    await expect(openDirectoryLedger(root)).rejects.toThrow(`process ${String(child.pid)} on host`);
    await kill(child);
    const ledger = await openDirectoryLedger(root);
    await ledger.close();
  });
});

describe('a writer whose lock file is taken away', () => {
  it('writes nothing more', async () => {
    const root = join(scratch, 'robbed');
    const ledger = await openDirectoryLedger(root);
    await rename(join(root, 'lock'), join(root, 'lock.old'));
    await expect(ledger.load()).rejects.toThrow("lost the writer's lock");
    await ledger.close();
  });

  it('is told where the lock program is missing', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = scratch;
    try {
      await expect(openDirectoryLedger(join(scratch, 'no-flock'))).rejects.toThrow(/install util-linux/);
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('the directory of leases', () => {
  it('serves an executor of another user than the scheduler', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can start a process of another user');
    const root = join(scratch, 'other-user');
    const ledger = await openDirectoryLedger(root);
    const leases = directoryLeases(root);
    await leases.openEpoch(nodeId(1), epoch(1));
    const child = spawn(process.execPath, [executorScript, root], {
      uid: NOBODY,
      gid: NOBODY,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(child);
    const [answers] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    expect(answers).toBe('taken renewed given-back');
    expect(await leases.closeEpoch(nodeId(1), epoch(1))).toEqual(leaseRecord({ counter: 2 }));
    await ledger.close();
  });

  it('is open to executors of every user, the ledger to its own user only', async () => {
    const root = join(scratch, 'modes');
    const ledger = await openDirectoryLedger(root);
    const leases = directoryLeases(root);
    await leases.openEpoch(nodeId(1), epoch(1));
    await leases.take(leaseRecord());
    await ledger.close();
    const mode = async (path: string) => ((await stat(join(root, path))).mode & 0o7777).toString(8);
    expect(await mode('nodes')).toBe('700');
    expect(await mode('leases/1')).toBe('755');
    expect(await mode('leases/1/epoch-1')).toBe('1777');
    expect(await mode('leases/1/epoch-1/lease.json')).toBe('644');
  });
});
