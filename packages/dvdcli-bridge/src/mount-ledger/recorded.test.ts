/** The mount ledger as a story: who is on record, what is believed, what recovery does. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import { currentProcess } from '../hostdir/processes.ts';
import type { MountEntry } from '../mount-table.ts';
import { fakeVolumes, type FakeVolumes } from '../testing/fake-volumes.ts';
import { volumesContract } from '../testing/volumes-contract.ts';
import type { ConsumerId, Volumes } from '../volumes.ts';
import { recordKey, type MountRecord } from './core/record.ts';
import { LockBusyError, type FileLock } from './file-lock.ts';
import { openMountLedger, type MountLedger } from './ledger.ts';
import { recorded } from './recorded.ts';
import { recover, type RecoveryOptions, type RecoveryReport } from './recover.ts';
import type { VolumeUsers } from './volume-users.ts';

const spec: VolumeSpec = { name: volumeName('es1data'), driver: 'fake', options: {} };
const [one, two] = ['node.1', 'node.2'] as unknown as [ConsumerId, ConsumerId];

let home: string;
let fake: FakeVolumes;
let said: string[];
let table: MountEntry[];
let now: Date;
/** What is to be seen of processes: nobody, unless told. */
let users: { owner: ReturnType<VolumeUsers['owner']>; below: string | undefined; marked: string | undefined };

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'mount-ledger-'));
  fake = fakeVolumes({ directory: join(home, 'volumes') });
  said = [];
  table = [];
  now = new Date('2026-01-01T00:00:00Z');
  users = { owner: 'gone', below: undefined, marked: undefined };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const locked = new Set<string>();
/** Among the ledgers of this process; file-lock.integration.test.ts has the one between processes. */
async function lock(path: string): Promise<FileLock> {
  if (locked.has(path)) throw new LockBusyError(path);
  locked.add(path);
  return { assertHeld: () => undefined, release: async () => void locked.delete(path) };
}

/** As another process, or another boot, would open it. */
function open(parts: { bootId?: string; pid?: number } = {}): MountLedger {
  return openMountLedger({
    directory: join(home, 'ledger'),
    self: { ...currentProcess(), ...parts },
    say: (message, fields) => void said.push(`${message} ${JSON.stringify(fields)}`),
    now: () => now,
    mountTable: () => table,
    lock,
  });
}
const volumesOf = (ledger: MountLedger, inner: Volumes = fake): Volumes =>
  recorded(inner, ledger, { lockLimitMs: 200 });
const file = (): string => join(home, 'ledger', `${recordKey(spec)}.json`);
const record = (): MountRecord | undefined => open().peek(recordKey(spec));
const uses = (): string[] => record()?.uses.map(({ consumer, state }) => `${consumer} ${state}`) ?? [];
const holders = (): string[] => [...(fake.store.volumes.get(`fake\0es1data`)?.consumers ?? [])];
function recovery(options: Partial<RecoveryOptions> = {}, ledger = open()): Promise<RecoveryReport> {
  const seen: VolumeUsers = {
    owner: () => users.owner,
    marked: () => Promise.resolve(users.marked),
    below: () => Promise.resolve(users.below),
  };
  return recover(ledger, { volumesFor: () => fake, users: seen, lockLimitMs: 50, ...options });
}
const mountAt = (hostPath: string, device = '0:99'): MountEntry => ({
  ...{ device, root: '/', mountPoint: hostPath, fileSystem: 'fuse' },
});
/** The fake with a mount table: its attach mounts, its detach unmounts unless `leaves`. */
function mounting(leaves = false): Volumes {
  const path = join(home, 'volumes', spec.name);
  return {
    ...fake,
    attach: async (volume, consumer) => {
      table = [mountAt(path)];
      return fake.attach(volume, consumer);
    },
    detach: async (volume, consumer) => {
      if (!leaves && holders().length <= 1) table = [];
      return fake.detach(volume, consumer);
    },
  };
}

volumesContract('the in-memory double, recorded', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'recorded-'));
  const ledger = openMountLedger({ directory: join(directory, 'ledger'), lock });
  const elsewhere = openMountLedger({ directory: join(directory, 'elsewhere'), lock });
  const inner = fakeVolumes({ directory });
  const { store } = inner;
  return {
    volumes: recorded(inner, ledger),
    restarted: () => recorded(fakeVolumes({ directory, store }), ledger),
    elsewhere: recorded(fakeVolumes({ directory, store, machine: 'machine2' }), elsewhere),
    driver: 'fake',
    optionsFor: () => ({}),
    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
});

describe('a use of a volume', () => {
  beforeEach(async () => {
    await fake.ensure(spec);
  });

  it('is on the disk before the driver is asked, with process and boot, and until the unmount is proven', async () => {
    const at: string[][] = [];
    const watched: Volumes = {
      ...fake,
      attach: (...given) => (at.push(uses()), fake.attach(...given)),
      detach: (...given) => (at.push(uses()), fake.detach(...given)),
    };
    const volumes = recorded(watched, open(), { mark: 'NODE=1' });
    await volumes.attach(spec, one);
    expect(record()?.uses[0]).toMatchObject({
      ...{ consumer: 'node.1', state: 'attached', path: 'plugin-socket', mark: 'NODE=1' },
      process: { pid: process.pid, bootId: currentProcess().bootId },
      mount: { hostPath: join(home, 'volumes/es1data'), isMount: false },
    });
    await volumes.detach(spec, one);
    expect(at).toEqual([['node.1 attaching'], ['node.1 detaching']]);
    expect(record()).toBeUndefined();
  });

  it('edge case 30: a crash between Mount and record leaves the intent, and recovery undoes it', async () => {
    const dying: Volumes = {
      ...fake,
      attach: async (...given) => {
        await fake.attach(...given);
        throw new Error('killed');
      },
    };
    await volumesOf(open(), dying).attach(spec, one);
    expect([uses(), holders()]).toEqual([['node.1 attaching'], ['node.1']]);
    expect((await recovery()).letGo).toEqual([{ driver: 'fake', volume: 'es1data', consumer: 'node.1' }]);
    expect([uses(), holders()]).toEqual([[], []]);
  });

  it('stays on record when an attach is unknown, and goes when it certainly came to nothing', async () => {
    const volumes = volumesOf(open());
    fake.failNext('attach', 'not-done', 'unknown', 'not-done');
    await volumes.attach(spec, one);
    expect(uses()).toEqual([]);
    await volumes.attach(spec, one);
    // The refusal says nothing of the first try.
    await volumes.attach(spec, one);
    expect(uses()).toEqual(['node.1 attaching']);
    expect(record()?.uses[0]?.errors?.count).toBe(1);
  });

  it('is counted: the volume is on record for as long as one of its consumers is', async () => {
    const volumes = volumesOf(open());
    await volumes.attach(spec, one);
    await volumes.attach(spec, two);
    await volumes.detach(spec, one);
    expect([uses(), holders()]).toEqual([['node.2 attached'], ['node.2']]);
    expect(await volumes.remove(spec)).toMatchObject({ kind: 'not-done', error: { code: 'in-use' } });
    await volumes.detach(spec, two);
    expect(await volumes.remove(spec)).toMatchObject({ kind: 'done' });
  });

  it('is refused to a second consumer where the path cannot tell them apart, and nobody unmounts under it', async () => {
    const blind: Volumes = { ...fake, capabilities: { ...fake.capabilities, countsConsumers: false } };
    await volumesOf(open(), blind).attach(spec, one);
    const second = volumesOf(open({ pid: 1 }), blind);
    expect(await second.attach(spec, two)).toMatchObject({ kind: 'not-done', error: { code: 'in-use' } });
    expect(await second.detach(spec, two)).toMatchObject({ kind: 'done' });
    expect(holders()).toEqual(['node.1']);
  });

  it('is not believed to be over while the mount table shows its mount', async () => {
    const volumes = volumesOf(open(), mounting(true));
    await volumes.attach(spec, one);
    expect(await volumes.detach(spec, one)).toMatchObject({ kind: 'not-done', error: { code: 'in-use' } });
    expect(record()?.uses[0]).toMatchObject({ state: 'detaching', errors: { count: 1 } });
    table = [mountAt(join(home, 'volumes/es1data'), '0:100')];
    expect(await volumes.detach(spec, one)).toMatchObject({ kind: 'done' });
  });

  it('has what a try mounted that was cut off, and is not believed to be over while that is there', async () => {
    const inner = mounting(true);
    const cutOff = {
      ...inner,
      attach: async (...given: Parameters<Volumes['attach']>) => {
        await inner.attach(...given);
        throw new Error('killed');
      },
    };
    await volumesOf(open(), cutOff).attach(spec, one);
    const volumes = volumesOf(open(), inner);
    await volumes.attach(spec, one);
    expect(await volumes.detach(spec, one)).toMatchObject({ kind: 'not-done', error: { code: 'in-use' } });
  });

  it('hands the duty to see the mount end to who stays', async () => {
    const inner = mounting();
    const volumes = volumesOf(open(), inner);
    await volumes.attach(spec, one);
    await volumes.attach(spec, two);
    expect(record()?.uses.map(({ mount }) => mount?.mountedBefore)).toEqual([false, true]);
    await volumes.detach(spec, one);
    expect(record()?.uses.map(({ mount }) => mount?.mountedBefore)).toEqual([false]);
    const leaving = volumesOf(open(), { ...inner, detach: (...given) => fake.detach(...given) });
    expect(await leaving.detach(spec, two)).toMatchObject({ kind: 'not-done' });
  });

  it('does not begin where it cannot be recorded', async () => {
    const ledger = open();
    rmSync(join(home, 'ledger'), { recursive: true });
    writeFileSync(join(home, 'ledger'), 'a file');
    expect(await volumesOf(ledger).attach(spec, one)).toMatchObject({ kind: 'not-done' });
    expect(holders()).toEqual([]);
  });

  it('is not recorded in a place that is no directory of this user alone', () => {
    const directory = join(home, 'ledger');
    mkdirSync(directory);
    chmodSync(directory, 0o1777);
    expect(() => open()).toThrow(`${directory} can be written by everybody`);
    chmodSync(directory, 0o750);
    expect(open().keys()).toEqual([]);
    rmSync(directory, { recursive: true });
    mkdirSync(join(home, 'elsewhere'));
    symlinkSync('elsewhere', directory);
    expect(() => open()).toThrow('is not a directory of user');
    rmSync(directory);
    symlinkSync('nowhere', directory);
    expect(() => open()).toThrow(directory);
    rmSync(directory);
    writeFileSync(directory, '');
    expect(() => open()).toThrow(directory);
  });

  it('is left alone while another process is at work on the same volume', async () => {
    await volumesOf(open()).attach(spec, one);
    const key = recordKey(spec);
    await open().alone(key, 'test', 1_000, async () => {
      for (const verb of ['attach', 'detach'] as const) {
        const refused = { kind: 'not-done', error: { code: 'in-use' } };
        expect(await volumesOf(open())[verb](spec, one)).toMatchObject(refused);
      }
      const why = `another process is at work on it: ${join(home, 'ledger', `${key}.lock`)}`;
      expect((await recovery()).unread).toEqual([{ key, why }]);
    });
    expect(await volumesOf(open()).detach(spec, one)).toMatchObject({ kind: 'done' });
  });
});

describe('recovery', () => {
  beforeEach(async () => {
    await fake.ensure(spec);
    await volumesOf(open()).attach(spec, one);
  });

  it('edge case 31: keeps what is in use, and unmounts what nobody uses any more', async () => {
    const kept = async (): Promise<string[]> => (await recovery()).kept.map(({ why }) => why);
    users.owner = 'runs';
    expect(await kept()).toEqual([`its process (pid ${process.pid}) runs`]);
    users.owner = 'cannot-tell';
    expect(await kept()).toEqual([`its process (pid ${process.pid}) is of another process namespace`]);
    users.owner = 'gone';
    users.below = 'java (pid 7) has /x open';
    expect(await kept()).toEqual(['java (pid 7) has /x open']);
    expect(holders()).toEqual(['node.1']);
    users.below = undefined;
    expect((await recovery()).letGo).toHaveLength(1);
    expect([holders(), uses()]).toEqual([[], []]);
  });

  it('keeps what a process of the consumer may be about to use, though it has nothing open yet', async () => {
    await recorded(fake, open(), { mark: 'NODE=1' }).attach(spec, one);
    users.marked = 'java (pid 7) belongs to the consumer (NODE=1)';
    expect((await recovery()).kept.map(({ why }) => why)).toEqual([users.marked]);
    expect(holders()).toEqual(['node.1']);
  });

  it('does what its caller has a right to, and no more', async () => {
    expect((await recovery({ forbids: () => 'of another node' })).kept).toMatchObject([
      { why: 'of another node' },
    ]);
    expect((await recovery({ volumesFor: () => undefined })).kept).toHaveLength(1);
    expect(holders()).toEqual(['node.1']);
  });

  it('keeps the error of an unmount with time and count, and tries again later and later', async () => {
    fake.failNext('detach', 'not-done', 'unknown');
    const first = await recovery();
    expect(first.failed).toMatchObject([{ retryAtMs: now.getTime() + 1_000 }]);
    expect((await recovery()).failed).toHaveLength(1);
    expect(record()?.uses[0]?.errors).toMatchObject({ count: 1, first: now.toISOString() });
    now = new Date(now.getTime() + 1_000);
    expect((await recovery()).failed).toMatchObject([{ retryAtMs: now.getTime() + 2_000 }]);
    expect(record()?.uses[0]?.errors).toMatchObject({
      ...{ count: 2, first: '2026-01-01T00:00:00.000Z', last: '2026-01-01T00:00:01.000Z' },
      says: expect.stringContaining('unknown'),
    });
    expect((await recovery({ impatient: true })).letGo).toHaveLength(1);
    expect([holders(), uses()]).toEqual([[], []]);
  });

  it('tells the driver also of a mount of an earlier boot', async () => {
    await volumesOf(open({ bootId: 'an earlier one' })).attach(spec, one);
    expect((await recovery({}, open())).letGo).toHaveLength(1);
    expect(holders()).toEqual([]);
  });

  it('does not unmount a second time, by a driver that may only count, under those who stay', async () => {
    await volumesOf(open()).attach(spec, two);
    fake.failNext('detach', 'late');
    await volumesOf(open()).detach(spec, one);
    users.owner = 'runs';
    expect((await recovery({ impatient: true })).kept).toHaveLength(2);
    users.owner = 'gone';
    await recovery({ impatient: true });
    await recovery({ impatient: true });
    expect([holders(), uses()]).toEqual([[], []]);
  });

  it.each([
    ['an empty file', ''],
    ['half a record', '{"format":1,"driver":"fa'],
    ['another format', '{"format":2}'],
    ['the record of another volume', undefined],
  ])('edge case 32: %s is put aside, said by name, and the rest is recovered', async (_, text) => {
    const other = { ...spec, name: volumeName('es2data') };
    await fake.ensure(other);
    await volumesOf(open()).attach(other, two);
    const foreign = readFileSync(join(home, 'ledger', `${recordKey(other)}.json`), 'utf8');
    writeFileSync(file(), text ?? foreign);
    const report = await recovery();
    expect(report.letGo).toEqual([{ driver: 'fake', volume: 'es2data', consumer: 'node.2' }]);
    expect(readdirSync(join(home, 'ledger')).filter((name) => name.endsWith('.damaged'))).toEqual([
      `${recordKey(spec)}.json.1.damaged`,
    ]);
    expect(said.join()).toContain(`${recordKey(spec)}.json.1.damaged`);
    // Treated as empty: the volume can be attached and let go of again.
    expect(await volumesOf(open()).attach(spec, one)).toMatchObject({ kind: 'done' });
  });

  it('never takes a damaged record for one of nobody, until its file is taken away', async () => {
    writeFileSync(file(), '');
    const aside = `${file()}.1.damaged`;
    const unread = async () => (await recovery()).unread;
    const expected = [{ key: recordKey(spec), why: expect.stringContaining(aside) }];
    expect([await unread(), await unread()]).toEqual([expected, expected]);
    const refused = { kind: 'not-done', error: { code: 'in-use', message: expect.stringContaining(aside) } };
    expect(await volumesOf(open()).remove(spec)).toMatchObject(refused);
    const blind: Volumes = { ...fake, capabilities: { ...fake.capabilities, countsConsumers: false } };
    for (const verb of ['attach', 'detach'] as const)
      expect(await volumesOf(open(), blind)[verb](spec, two)).toMatchObject(refused);
    expect(holders()).toEqual(['node.1']);
    rmSync(aside);
    expect((await recovery()).unread).toEqual([]);
    expect(await volumesOf(open(), blind).detach(spec, one)).toMatchObject({ kind: 'done' });
    expect(await volumesOf(open()).remove(spec)).toMatchObject({ kind: 'done' });
  });
});
