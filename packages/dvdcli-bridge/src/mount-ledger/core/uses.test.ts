/** What a record believes of the mount table. */
import { describe, expect, it } from 'vitest';
import { volumeName } from '@mesos-elasticsearch/contract';
import type { ProcessIdentity } from '../../hostdir/core/attachment.ts';
import { parseMountTable } from '../../mount-table.ts';
import type { MountRecord } from './record.ts';
import { parseRecord, recordKey, serialiseRecord } from './record.ts';
import {
  beginAttach,
  beginDetach,
  contradiction,
  describeMount,
  endUse,
  noteAttached,
  type Actor,
} from './uses.ts';

const volume = { driver: 'odd', name: volumeName('es1data') };
const process: ProcessIdentity = {
  ...{ pid: 7, startTicks: 1, bootId: 'this', host: 'h', machineId: 'm', pidNamespace: 'pid:[1]' },
};
const actor: Actor = { process, path: 'plugin-socket', mark: undefined, now: '2026-01-01T00:00:00.000Z' };
const rebooted: Actor = { ...actor, process: { ...process, bootId: 'the next' } };

const ROOT = '22 1 8:1 / / rw - ext4 /dev/sda1 rw';
const VOLUME = '30 22 0:50 / /vols/es1data rw - fuse x rw';
const table = (...lines: string[]) => parseMountTable([ROOT, ...lines].join('\n'));

/** One consumer after the other, each with the table before and after its Mount. */
function attached(path: string, ...tables: ReturnType<typeof table>[]): MountRecord {
  let record: MountRecord | undefined;
  for (const [index, after] of tables.slice(1).entries()) {
    const consumer = `node.${index + 1}`;
    const mount = describeMount(volume.name, { hostPath: path, inTable: path }, tables[index]!, after);
    record = noteAttached(beginAttach(record, volume, consumer, actor), consumer, { mount }, actor);
  }
  return record!;
}
const detaching = (record: MountRecord, consumer = 'node.1', by = actor): MountRecord =>
  beginDetach(record, volume, consumer, by);

describe("a driver's word that a volume is unmounted", () => {
  it('is not believed while its mount is hidden by another one at the same place', () => {
    const record = detaching(attached('/vols/es1data', table(), table(VOLUME)));
    const over = '31 30 0:60 / /vols/es1data rw - tmpfs x rw';
    expect(contradiction(record, 'node.1', table(VOLUME, over))).toMatch(/\/vols\/es1data is still mounted/);
    expect(contradiction(record, 'node.1', table(over))).toBeUndefined();
  });

  it('is not believed while its mount is hidden by one over a directory above', () => {
    const record = detaching(attached('/vols/es1data', table(), table(VOLUME)));
    const over = '31 22 0:60 / /vols rw - tmpfs x rw';
    expect(contradiction(record, 'node.1', table(VOLUME, over))).toMatch(/still mounted/);
  });

  it('is not believed where the driver gave a directory of what it had mounted', () => {
    const record = detaching(attached('/vols/es1data/data', table(), table(VOLUME)));
    expect(contradiction(record, 'node.1', table(VOLUME))).toMatch(/\/vols\/es1data is still mounted/);
    expect(contradiction(record, 'node.1', table())).toBeUndefined();
    // And it is read back as it was written.
    expect(parseRecord(serialiseRecord(record), recordKey(volume))).toEqual(record);
  });

  it('is not believed of the last one either, who did not see that mount come', () => {
    const first = attached('/vols/es1data/data', table(), table(VOLUME), table(VOLUME));
    const left = endUse(detaching(first), 'node.1')!;
    expect(contradiction(detaching(left, 'node.2'), 'node.2', table(VOLUME))).toMatch(/still mounted/);
  });

  it('is believed where the driver has one mount for all its volumes, or none', () => {
    const share = '30 22 0:50 / /vols rw - nfs x rw';
    const shared = detaching(attached('/vols/es1data', table(), table(share)));
    expect(contradiction(shared, 'node.1', table(share))).toBeUndefined();
    const plain = detaching(attached('/vols/es1data', table(), table()));
    expect(contradiction(plain, 'node.1', table())).toBeUndefined();
  });

  it('is believed where the mount was there before, or is of an earlier boot', () => {
    const others = detaching(attached('/vols/es1data', table(VOLUME), table(VOLUME)));
    expect(contradiction(others, 'node.1', table(VOLUME))).toBeUndefined();
    const before = attached('/vols/es1data', table(), table(VOLUME));
    const earlier = detaching(before, 'node.1', rebooted);
    expect(contradiction(earlier, 'node.1', table(VOLUME))).toBeUndefined();
    expect(earlier.uses[0]?.mount?.hostPath).toBe('/vols/es1data');
    expect(beginAttach(before, volume, 'node.1', rebooted).uses[0]?.mount).toBeUndefined();
  });
});
