/**
 * A process that attaches, detaches or recovers gets SIGKILL before every step between ledger and driver; another process
 * then recovers. The driver must hold exactly what records and live users account for.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import { startHostdirPlugin, type RunningPlugin } from '../hostdir/start.ts';
import { volumePlugin } from '../plugin/client.ts';
import { pluginSocketVolumes } from '../plugin-socket/volumes.ts';
import { buildPrograms } from '../testing/bundles.ts';
import { startCountingPlugin, type CountingPlugin } from '../testing/counting-plugin.ts';
import type { LedgerOrder } from '../testing/ledger-program.ts';
import type { ConsumerId } from '../volumes.ts';
import { openMountLedger } from './ledger.ts';
import { recorded } from './recorded.ts';
import { recover, type RecoveryReport } from './recover.ts';

const written = (operation: string, what: string): string[] =>
  ['write', 'rename', 'sync-directory'].map((step) => `${operation}: ${what} ${step}`);
/** The last use takes the file with it. */
const ended = (operation: string, stays: number): string[] =>
  stays > 0
    ? written(operation, 'end')
    : ['unlink', 'sync-directory'].map((step) => `${operation}: end ${step}`);
/** Every step there is. A new one fails the test that lists them, and belongs here: then it is killed at, too. */
const STEPS = {
  attach: () => [
    'attach: lock',
    ...written('attach', 'intent'),
    'attach: ask the driver',
    'attach: record the answer',
    ...written('attach', 'result'),
    'attach: unlock',
  ],
  detach: (stays: number) => [
    'detach: lock',
    ...written('detach', 'intent'),
    'detach: ask the driver',
    'detach: record the answer',
    ...ended('detach', stays),
    'detach: unlock',
  ],
  recover: (stays: number) => [
    'recover: lock',
    ...written('recover', 'intent'),
    'detach: ask the driver',
    'detach: record the answer',
    ...ended('recover', stays),
    'recover: unlock',
  ],
};
const PLUGIN_STEPS = {
  attach: ['Mount is asked for', 'Mount is done'],
  detach: ['Unmount is asked for', 'Unmount is done'],
  recover: ['Unmount is asked for', 'Unmount is done'],
} as const;
type Operation = keyof typeof STEPS;
const OPERATIONS = Object.keys(STEPS) as Operation[];

const [LEAVING, STAYING] = ['node.1', 'node.2'] as unknown as [ConsumerId, ConsumerId];

let root: string;
let program: string;
let hostdir: string;
let round: string;
let number = 0;
let children: ChildProcess[];
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'lk-'));
  hostdir = (await buildPrograms(root)).hostdir;
  program = join(root, 'program.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../testing/ledger-program.ts')],
    ...{ outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' },
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  number += 1;
  round = join(root, String(number));
  children = [];
});
afterEach(() => children.forEach((child) => child.kill('SIGKILL')));

interface Ran {
  readonly signal: string | null;
  readonly steps: readonly string[];
  readonly report: RecoveryReport | undefined;
}
/** `whenStarted` learns the pid, so that the driver may kill it in the middle of a call. */
async function run(
  operation: Operation,
  parts: Partial<LedgerOrder> & { volume: string; driver: string },
  whenStarted: (child: ChildProcess) => void = () => undefined,
): Promise<Ran> {
  const places = { ledger: join(round, 'ledger'), plugins: join(root, 'plugins') };
  const order: LedgerOrder = { operation, ...places, consumer: LEAVING, ...parts };
  const child = spawn(process.execPath, [program, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  whenStarted(child);
  let [said, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code !== 0 && signal === null) throw new Error(errors);
  const steps = said.split('\n').filter((line) => line !== '');
  const report = operation === 'recover' && code === 0 ? (JSON.parse(errors) as RecoveryReport) : undefined;
  return { signal, steps, report };
}
const records = (): string[] => {
  const ledger = openMountLedger({ directory: join(round, 'ledger') });
  return ledger.keys().flatMap((key) => ledger.peek(key)?.uses.map(({ consumer }) => consumer) ?? []);
};

/** What a driver says it has mounted, and for how many. */
interface Driver {
  readonly name: string;
  mounts(volume: string): Promise<number>;
}

/** What happened before the operation under test. */
async function before(operation: Operation, volume: string, driver: string): Promise<void> {
  if (operation !== 'attach') await run('attach', { volume, driver });
}

/** After a crash of any kind: nothing is leaked, nothing in use is unmounted, no record is lost. */
async function mustRecover(driver: Driver, volume: string, stays: number): Promise<void> {
  const mounted = await driver.mounts(volume);
  expect(mounted, 'mounts without a record').toBeLessThanOrEqual(records().length);
  expect(mounted, 'unmounted in use').toBeGreaterThanOrEqual(stays);
  await recoverHere();
  expect(await driver.mounts(volume), 'unmounted in use').toBeGreaterThanOrEqual(stays);
  if (stays === 0) {
    expect([await driver.mounts(volume), records()]).toEqual([0, []]);
    return;
  }
  // Who stayed goes, in order; then nobody is left.
  expect(records()).toContain(STAYING);
  await staying(driver.name, volume, 'detach');
  await recoverHere();
  expect([await driver.mounts(volume), records()]).toEqual([0, []]);
}

/** This process is not the one that was killed. */
async function recoverHere(): Promise<void> {
  const ledger = openMountLedger({ directory: join(round, 'ledger') });
  const volumes = pluginSocketVolumes({ directories: [join(root, 'plugins')] });
  await recover(ledger, { volumesFor: () => volumes, impatient: true, lockLimitMs: 5_000 });
}

/** This very process is the consumer that lives. */
async function staying(driver: string, volume: string, operation: 'attach' | 'detach'): Promise<void> {
  const volumes = recorded(
    pluginSocketVolumes({ directories: [join(root, 'plugins')] }),
    openMountLedger({ directory: join(round, 'ledger') }),
  );
  const outcome = await volumes[operation]({ driver, name: volumeName(volume) }, STAYING);
  if (outcome.kind !== 'done') throw outcome.error;
}

describe('a driver that knows its consumers (hostdir)', () => {
  let plugin: RunningPlugin;
  const client = () => volumePlugin({ driver: 'hostdir', directories: [join(root, 'plugins')] });
  const driver: Driver = {
    name: 'hostdir',
    mounts: async (volume) => {
      const got = await client().get(volume);
      if (got.kind !== 'done' || got.value.kind !== 'present')
        throw new Error('the driver has no such volume');
      return got.value.volume.mounts?.length ?? 0;
    },
  };
  const fresh = async (): Promise<string> => {
    const volume: VolumeSpec = { name: volumeName(`vol${number}`), driver: 'hostdir', options: {} };
    await client().create(volume.name, {});
    return volume.name;
  };
  beforeAll(async () => {
    plugin = await startHostdirPlugin({
      ...{ program: hostdir, store: join(root, 'store'), instance: 'agent1' },
      pluginDirectory: join(root, 'plugins'),
    });
  });
  afterAll(() => plugin.stop());

  const all = OPERATIONS.flatMap((operation) => [0, 1].map((stays) => ({ operation, stays })));
  it.each(all)('takes these steps and no others to $operation with $stays others', async (parts) => {
    const volume = await fresh();
    await before(parts.operation, volume, 'hostdir');
    if (parts.stays === 1) await staying('hostdir', volume, 'attach');
    const { steps } = await run(parts.operation, { volume, driver: 'hostdir' });
    expect(steps).toEqual(STEPS[parts.operation](parts.stays));
  });

  const cases = all.flatMap((each) =>
    STEPS[each.operation](each.stays).map((killBefore) => ({ ...each, killBefore })),
  );
  it.each(cases)('$operation killed before "$killBefore" with $stays others', async (parts) => {
    const { operation, killBefore, stays } = parts;
    const volume = await fresh();
    await before(operation, volume, 'hostdir');
    if (stays === 1) await staying('hostdir', volume, 'attach');
    const ran = await run(operation, { volume, driver: 'hostdir', killBefore });
    expect(ran).toMatchObject({ signal: 'SIGKILL' });
    await mustRecover(driver, volume, stays);
    expect(readdirSync(join(round, 'ledger')).filter((name) => name.endsWith('.damaged'))).toEqual([]);
  });

  it('edge case 31: a volume in which a process has a file open stays, whoever attached it is gone', async () => {
    const volume = await fresh();
    await run('attach', { volume, driver: 'hostdir' });
    const path = await client().path(volume);
    const held = join(path.kind === 'done' ? path.value : '', 'held');
    const user = spawn('sh', ['-c', 'exec 3>"$0"; echo up; exec sleep 600', held], { cwd: '/' });
    children.push(user);
    await once(user.stdout, 'data');
    const { report } = await run('recover', { volume, driver: 'hostdir' });
    expect(report?.kept).toMatchObject([{ why: expect.stringContaining('held open') }]);
    expect([await driver.mounts(volume), records()]).toEqual([1, [LEAVING]]);
    user.kill('SIGKILL');
    await once(user, 'close');
    await mustRecover(driver, volume, 0);
  });
});

describe('a driver that only counts', () => {
  let plugin: CountingPlugin;
  const driver: Driver = { name: 'counting', mounts: async (volume) => plugin.mounts(volume) };
  beforeAll(async () => {
    plugin = await startCountingPlugin(join(root, 'plugins'), 'counting');
  });
  afterAll(() => plugin.stop());

  const cases = OPERATIONS.flatMap((operation) =>
    [0, 1].flatMap((stays) =>
      [...STEPS[operation](stays), ...PLUGIN_STEPS[operation]].map((killBefore) => ({
        ...{ operation, stays, killBefore },
      })),
    ),
  );
  it.each(cases)('$operation killed before "$killBefore" with $stays others', async (parts) => {
    const { operation, killBefore, stays } = parts;
    const volume = `vol${number}`;
    await before(operation, volume, 'counting');
    if (stays === 1) await staying('counting', volume, 'attach');
    const ran = await run(operation, { volume, driver: 'counting', killBefore }, (child) => {
      plugin.onStep = (step) => {
        if (step === killBefore) child.kill('SIGKILL');
      };
    });
    plugin.onStep = () => undefined;
    expect(ran).toMatchObject({ signal: 'SIGKILL' });
    await mustRecover(driver, volume, stays);
  });
});
