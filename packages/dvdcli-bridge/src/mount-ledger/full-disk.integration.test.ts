/** The mount ledger on a disk without room for a record: a real one, of a few pages. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import { durableFiles } from '../hostdir/durable-files.ts';
import { fakeVolumes, type FakeVolumes } from '../testing/fake-volumes.ts';
import type { ConsumerId } from '../volumes.ts';
import { recordKey } from './core/record.ts';
import { openMountLedger, type MountLedger } from './ledger.ts';
import { recorded } from './recorded.ts';

const PAGE = 4096;
const spec: VolumeSpec = { name: volumeName('es1data'), driver: 'fake', options: {} };
const consumer = (number: number): ConsumerId => `node.${String(number).padStart(200, '0')}` as ConsumerId;

const missing = process.getuid?.() === 0 ? undefined : 'mounting needs root';
const why = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`a full disk${why}`, () => {
  let home: string;
  let disk: string;
  let fake: FakeVolumes;
  let ledger: MountLedger;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'full-disk-'));
    disk = join(home, 'disk');
    ledger = openMountLedger({ directory: disk });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'full-disk-test', disk]);
    fake = fakeVolumes({ directory: join(home, 'volumes') });
  });
  afterEach(() => {
    execFileSync('umount', [disk]);
    rmSync(home, { recursive: true, force: true });
  });

  /** All but so many pages. */
  function fill(leftPages: number): void {
    const path = join(disk, 'filler');
    for (let pages = 1; ; pages += 1) {
      try {
        writeFileSync(path, Buffer.alloc(pages * PAGE));
      } catch {
        writeFileSync(path, Buffer.alloc((pages - 1 - leftPages) * PAGE));
        return;
      }
    }
  }
  const names = (): string[] => readdirSync(disk).filter((name) => name !== 'filler');

  it('leaves the old text whole where there is room for a part of the new one only, and names the file', () => {
    const path = join(disk, 'record.json');
    const files = durableFiles();
    files.replace(path, 'as it was');
    fill(1);
    expect(() => files.replace(path, 'x'.repeat(2 * PAGE))).toThrow(
      expect.objectContaining({
        code: 'ENOSPC',
        message: expect.stringMatching(`^${path} cannot be written: .*no space left`),
      }),
    );
    expect([readFileSync(path, 'utf8'), names()]).toEqual(['as it was', ['record.json']]);
  });

  it('keeps a volume from being attached that could not be put on record, and says where there is no room', async () => {
    await fake.ensure(spec);
    const volumes = recorded(fake, ledger);
    const key = recordKey(spec);
    for (let number = 1; number <= 8; number += 1) await volumes.attach(spec, consumer(number));
    const before = ledger.peek(key);
    expect(readFileSync(join(disk, `${key}.json`)).length).toBeGreaterThan(PAGE);
    fill(1);
    const refused = await volumes.attach(spec, consumer(9));
    expect(refused).toMatchObject({
      kind: 'not-done',
      error: { message: expect.stringMatching(`${key}.json cannot be written: .*no space left`) },
    });
    expect(fake.store.volumes.get(`fake\0es1data`)?.consumers).toHaveLength(8);
    expect(ledger.peek(key)).toEqual(before);
    // What is on record is let go of all the same.
    expect(await volumes.detach(spec, consumer(8))).toMatchObject({ kind: 'done' });
    expect(names().filter((name) => name.startsWith('.tmp-'))).toEqual([]);
  });
});
