/** What the mount ledger of a host has of a node, where it cannot be told whether somebody still uses it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launchSpecSchema, NODE_MARK_VARIABLE, nodeMark } from '@mesos-elasticsearch/contract';
import { openMountLedger, recorded, recordKey, type ConsumerId } from '@mesos-elasticsearch/dvdcli-bridge';
import { looksHere } from '../jar/look.ts';
import { DirectoryVolumes } from '../testing/directory-volumes.ts';
import { launchSpec } from '../testing/launch-specs.ts';
import { hostMounts } from './host-mounts.ts';

const silent = () => undefined;
const log = { info: silent, warn: silent, error: silent };
const specOf = (epoch: number) =>
  launchSpecSchema.parse(launchSpec({ epoch, taskId: `task.${String(epoch)}` }));

describe('the mounts of an earlier epoch', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'host-mounts-'));
  });
  afterEach(() => rm(root, { recursive: true }));
  const config = () => ({
    mountLedgerDirectory: join(root, 'mounts'),
    pluginDirectories: [join(root, 'plugins')],
    childEnvironment: { PATH: process.env.PATH ?? '' },
  });

  it.each([
    ['a look fails', () => Promise.reject(new Error('no look'))],
    ['somebody uses them', () => Promise.resolve('java (pid 7) has /x open')],
  ])('are left, and said to be, where %s', async (_, marked) => {
    const self = openMountLedger({ directory: join(root, 'mounts') }).self;
    const dead = openMountLedger({ directory: join(root, 'mounts'), self: { ...self, startTicks: 1 } });
    const volumes = new DirectoryVolumes(join(root, 'volumes'));
    const spec = specOf(1);
    const mark = `${NODE_MARK_VARIABLE}=${nodeMark(spec)}`;
    await recorded(volumes, dead, { mark }).attach(spec.volumes.data, 'task.1' as ConsumerId);
    const mounts = hostMounts(config(), log, { ...looksHere, marked });
    const ours = await mounts.recover(specOf(2));
    expect(ours.left).toEqual([expect.stringMatching(/elasticsearch1data.*(no look|pid 7)/)]);
    // An executor of another node reports it, and leaves it.
    const theirs = await mounts.recover({ ...specOf(2), nodeId: 2 as typeof spec.nodeId });
    expect(theirs).toEqual({ letGo: [], left: [], others: ['elasticsearch1data of hostdir for task.1'] });
    expect(volumes.calls).toEqual(['attach elasticsearch1data']);
  });

  it('may be still there, where their record was damaged: this node waits, another one says so', async () => {
    const { directory } = openMountLedger({ directory: config().mountLedgerDirectory });
    const file = join(directory, `${recordKey(specOf(1).volumes.data)}.json`);
    await writeFile(file, '');
    const mounts = hostMounts(config(), log, looksHere);
    const volume = (name: string) => ({ name, driver: 'hostdir', options: {} });
    const volumes = { config: volume('elasticsearch2config'), data: volume('elasticsearch2data') };
    const theirs = await mounts.recover(launchSpecSchema.parse(launchSpec({ nodeId: 2, volumes })));
    const aside = expect.stringContaining(`${file}.1.damaged`);
    expect(theirs).toEqual({ letGo: [], left: [], others: [aside] });
    expect(await mounts.recover(specOf(2))).toEqual({ letGo: [], left: [aside], others: [] });
  });
});

it('an address of a Docker Engine that makes no sense is said, and stops no driver that needs no Engine', async () => {
  const root = await mkdtemp(join(tmpdir(), 'host-mounts-'));
  const warned: unknown[] = [];
  const config = {
    mountLedgerDirectory: join(root, 'mounts'),
    pluginDirectories: [join(root, 'plugins')],
    childEnvironment: { DOCKER_HOST: 'nonsense' },
  };
  const mounts = hostMounts(config, { ...log, warn: (fields) => warned.push(fields) }, looksHere);
  expect(mounts.volumesOf(specOf(1)).capabilities.path).toBe('plugin-socket');
  expect(JSON.stringify(warned)).toContain('the address \\"nonsense\\" has no scheme');
  await rm(root, { recursive: true });
});
