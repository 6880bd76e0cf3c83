import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { volumeName, type VolumeSpec } from '@mesos-elasticsearch/contract';
import {
  MOUNT_LEDGER_VARIABLE,
  openMountLedger,
  recorded,
  recordKey,
  type ConsumerId,
} from '@mesos-elasticsearch/dvdcli-bridge';
import { fakeVolumes } from '@mesos-elasticsearch/dvdcli-bridge/testing';
import { recordedUses } from './recorded-uses.ts';

const volume: VolumeSpec = { name: volumeName('elasticsearch1data'), driver: 'fake', options: {} };
const other = { ...volume, name: volumeName('elasticsearch2data') };
const USER = process.getuid?.() ?? 0;
let home: string;
let ledger: string;
let environment: Record<string, string>;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'uses-'));
  ledger = join(home, 'ledger');
  environment = { [MOUNT_LEDGER_VARIABLE]: ledger };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it('names who has the volume by the ledger, and nobody of another volume', async () => {
  const volumes = recorded(fakeVolumes({ directory: home }), openMountLedger({ directory: ledger }));
  for (const each of [volume, other]) await volumes.ensure(each);
  await volumes.attach(volume, 'elasticsearch-1.4' as ConsumerId);
  await volumes.attach(other, 'elasticsearch-2.1' as ConsumerId);
  const { uses, notSeen } = recordedUses(volume, environment, USER);
  expect(uses).toEqual([`elasticsearch-1.4, by the mount ledger (attached at ${join(home, volume.name)})`]);
  expect(notSeen).toEqual([]);
  await volumes.detach(volume, 'elasticsearch-1.4' as ConsumerId);
  expect(recordedUses(volume, environment, USER).uses).toEqual([]);
});

it('says of a damaged record that it was not seen', () => {
  openMountLedger({ directory: ledger });
  writeFileSync(join(ledger, 'x.json'), '{');
  const { uses, notSeen } = recordedUses(volume, environment, USER);
  expect(uses).toEqual([]);
  expect(notSeen).toEqual([expect.stringContaining('/x.json of the mount ledger (')]);
});

it.each(['.json', '.json.1.damaged'])(
  'takes what it cannot read of this very volume for a use (%s)',
  (end) => {
    openMountLedger({ directory: ledger });
    const file = `${recordKey(volume)}${end}`;
    writeFileSync(join(ledger, file), '{');
    expect(recordedUses(volume, environment, USER)).toMatchObject({
      uses: [expect.stringMatching(`${file} of the mount ledger names.*findmnt`)],
      damaged: true,
    });
    expect(recordedUses(other, environment, USER)).toMatchObject({ uses: [], damaged: false });
  },
);

it('takes a ledger that it may not read for a use', () => {
  writeFileSync(ledger, 'no directory');
  expect(recordedUses(volume, environment, USER)).toMatchObject({
    uses: [expect.stringMatching(/mount ledger .*which cannot be read/)],
    damaged: true,
  });
});

it('finds the record of a name that differs in case only, where the driver may take both for one', async () => {
  const volumes = recorded(fakeVolumes({ directory: home }), openMountLedger({ directory: ledger }));
  await volumes.ensure(volume);
  await volumes.attach(volume, 'elasticsearch-1.4' as ConsumerId);
  const upper = { ...volume, name: volumeName('Elasticsearch1Data') };
  expect(recordedUses(upper, environment, USER).consumers).toEqual(['elasticsearch-1.4']);
});

it('makes no ledger where there is none', () => {
  expect(recordedUses(volume, environment, USER)).toMatchObject({ uses: [], damaged: false, notSeen: [] });
  expect(readdirSync(home)).toEqual([]);
});

it('finds, as root, what the executors of another user have on record', async () => {
  const theirs = join(home, 'mesos-elasticsearch-1000', 'mounts');
  const volumes = recorded(fakeVolumes({ directory: home }), openMountLedger({ directory: theirs }));
  await volumes.ensure(volume);
  await volumes.attach(volume, 'elasticsearch-1.4' as ConsumerId);
  const found = recordedUses(volume, {}, 0, home);
  expect(found.consumers).toEqual(['elasticsearch-1.4']);
  expect(recordedUses(other, {}, 0, home).consumers).toEqual([]);
});

it('does not wait for a pipe in the place of a record', () => {
  openMountLedger({ directory: ledger });
  expect(spawnSync('mkfifo', [join(ledger, `${recordKey(volume)}.json`)]).status).toBe(0);
  expect(recordedUses(volume, environment, USER)).toMatchObject({
    uses: [expect.stringMatching(/it is not a file/)],
    damaged: true,
  });
});
