import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { BenchOptions, BenchReport } from './main.ts';

/** The whole of one `dvdcli` in units of the cheapest thing that Node can do. */
const LIMIT = 1.4;
const PROGRAM = resolve('packages/dvdcli-bridge/dist/dvdcli.mjs');
const WARM_UP_ROUNDS = 3;

interface Candidate {
  readonly name: string;
  readonly program: string;
  readonly argv: readonly string[];
  readonly stdout: string;
}

interface Pair {
  readonly ms: number;
  readonly unitMs: number;
}

/**
 * Whole-process times of `mount` and `unmount` against a plugin in a process of its own that only answers, each
 * right after a `node -e 0`. The plugin's work is in the figures, its start is not.
 */
export async function benchDvdcli({ rounds }: BenchOptions): Promise<BenchReport> {
  const home = mkdtempSync(join(tmpdir(), 'bench-'));
  const mountpoint = join(home, 'mountpoint');
  mkdirSync(mountpoint);
  const plugin = await startPlugin(join(home, 'bench.sock'), mountpoint);
  try {
    const named = ['--volumedriver=bench', '--volumename=volume1'];
    const node = { name: 'node -e 0', program: process.execPath, argv: ['-e', '0'], stdout: '' };
    const emptyFile = join(home, 'empty.mjs');
    writeFileSync(emptyFile, '');
    const verbs = [
      // The least that any program in one such file can take.
      { name: 'an empty .mjs', program: process.execPath, argv: [emptyFile], stdout: '' },
      { name: 'dvdcli mount', program: PROGRAM, argv: ['mount', ...named], stdout: `${mountpoint}\n` },
      { name: 'dvdcli unmount', program: PROGRAM, argv: ['unmount', ...named], stdout: '' },
    ];
    const pairs = new Map<string, Pair[]>(verbs.map(({ name }) => [name, []]));
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      for (const candidate of verbs) {
        const unitMs = timeOf(node, home);
        const ms = timeOf(candidate, home);
        if (round >= 0) pairs.get(candidate.name)?.push({ ms, unitMs });
      }
    }
    return report(pairs, node.name);
  } finally {
    plugin.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  }
}

async function startPlugin(socketPath: string, mountpoint: string): Promise<ChildProcess> {
  const argv = [process.argv[1] ?? '', 'serve-answers', socketPath, mountpoint];
  const plugin = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((ready, failed) => {
    plugin.stdout.once('data', ready);
    plugin.once('exit', () => failed(new Error('the plugin did not start')));
  });
  return plugin;
}

/** @throws Error where the run did not do what is measured */
function timeOf({ name, program, argv, stdout }: Candidate, pluginDirectory: string): number {
  const env = {
    ...process.env,
    // The interpreter that the command's first line looks for is the one it is compared with.
    PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
    VOLUME_PLUGIN_DIRECTORIES: pluginDirectory,
  };
  const started = performance.now();
  const ran = spawnSync(program, argv, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const ms = performance.now() - started;
  if (ran.status !== 0 || ran.stdout !== stdout)
    throw new Error(`${name} ended with ${String(ran.status)}: ${ran.stdout}${ran.stderr}`);
  return ms;
}

/** The ratio is the median of each pair's own: what slows the machine down for a while slows both halves of a pair. */
function report(pairs: ReadonlyMap<string, readonly Pair[]>, unit: string): BenchReport {
  const rows = [...pairs].map(([name, runs]) => ({
    name,
    count: runs.length,
    ms: median(runs.map(({ ms }) => ms)),
    unitMs: median(runs.map(({ unitMs }) => unitMs)),
    ratio: median(runs.map(({ ms, unitMs }) => ms / unitMs)),
  }));
  const lines = rows.map(
    ({ name, count, ms, unitMs, ratio }) =>
      `  ${name.padEnd(15)} median ${ms.toFixed(1).padStart(6)} ms of ${count}, ${unit} ${unitMs.toFixed(1).padStart(6)} ms   ${ratio.toFixed(2)} x ${unit}`,
  );
  const withinLimit = rows.every(({ ratio }) => ratio <= LIMIT);
  return { text: `${lines.join('\n')}\n  limit ${LIMIT}: ${withinLimit ? 'kept' : 'NOT kept'}`, withinLimit };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
