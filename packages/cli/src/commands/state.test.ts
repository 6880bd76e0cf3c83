import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epoch, nodeId, type MarkerRecord } from '@mesos-elasticsearch/contract';
import { directoryLeases, openDirectoryLedger } from '@mesos-elasticsearch/coordination';
import { frameworkRecord, leaseRecord, nodeRecord } from '@mesos-elasticsearch/coordination/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeStateDocument } from '../state/document.ts';
import { UNFINISHED } from '../state/write-rebuilt.ts';
import { stateCommand } from './state.ts';

let scratch: string;
let old: string;
let fresh: string;
const node = nodeId(1);
const holder = { ...nodeRecord(1).holder!, taskId: 'task-1', host: 'agent1' };
const held = leaseRecord({ epoch: epoch(3), counter: 7, host: 'agent1' });
const framework = frameworkRecord({ frameworkId: 'F1', bootstrapped: true });

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'state-command-'));
  [old, fresh] = [join(scratch, 'old'), join(scratch, 'fresh')];
  await Promise.all([mkdir(old), mkdir(fresh)]);
});
afterEach(() => rm(scratch, { recursive: true }));

async function run(...words: string[]) {
  let text = '';
  const command = stateCommand({ write: (more) => (text += more), nowMs: () => 1_900_000_000_000 });
  const error = await command.parseAsync(words, { from: 'user' }).then(
    () => '',
    (failure: unknown) => (failure as Error).message,
  );
  return { text, error };
}

/** A scheduler was here: one node runs in epoch 3, its lease is held. */
async function deploy(directory: string) {
  const ledger = await openDirectoryLedger(directory);
  await ledger.writeFramework(framework, 0);
  await ledger.writeNode(nodeRecord(1, { epoch: 3, phase: 'running', holder, dataOnRecord: true }), 0);
  const leases = directoryLeases(directory);
  await leases.openEpoch(node, epoch(3));
  await leases.take({ ...held, counter: 0 });
  await leases.renew(held);
  await ledger.close();
}

async function load(directory: string) {
  const ledger = await openDirectoryLedger(directory);
  const snapshot = await ledger.load();
  await ledger.close();
  return snapshot;
}

describe('state export', () => {
  it('writes ledger and leases, to a file that only its owner may read', async () => {
    await deploy(old);
    const out = join(scratch, 'backup.json');
    expect(await run('export', '--stateDirectory', old, '--out', out)).toEqual({ text: '', error: '' });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const { framework: exported, nodes, leases } = decodeStateDocument(await readFile(out, 'utf8'));
    expect(exported.record).toEqual(framework);
    expect(nodes).toMatchObject([{ version: 1, record: { nodeId: 1, epoch: 3, phase: 'running' } }]);
    expect(leases).toEqual([{ nodeId: 1, epoch: 3, state: 'open', lease: held }]);
    expect((await run('export', '--stateDirectory', old, '--out', out)).error).toMatch(/there already/);
    await chmod(out, 0o600);
  });

  it('refuses what is no ledger, or in use by a scheduler', async () => {
    expect((await run('export', '--stateDirectory', fresh)).error).toMatch(/no ledger in/);
    expect((await run('export', '--stateDirectory', join(scratch, 'typo'))).error).toMatch(/is not there/);
    expect((await run('export')).error).toMatch(/either --stateDirectory or --zookeeperUrl/);
    await deploy(old);
    const scheduler = await openDirectoryLedger(old);
    expect((await run('export', '--stateDirectory', old)).error).toMatch(/in use by/);
    await scheduler.close();
  });
});

describe('state rebuild', () => {
  async function backup() {
    await deploy(old);
    const out = join(scratch, 'backup.json');
    await run('export', '--stateDirectory', old, '--out', out);
    return out;
  }

  it('makes a ledger in which the node is in doubt, and its lease renewable by the holder alone', async () => {
    const { text, error } = await run('rebuild', '--stateDirectory', fresh, '--from-export', await backup());
    expect(error).toBe('');
    expect(text).toMatch(/node 1: suspect, epoch 3, task task-1 on agent1, data on record/);
    const { framework: written, nodes } = await load(fresh);
    expect(written?.record).toEqual({ ...framework, wantedNodes: 1 });
    expect(nodes.get(node)?.record).toMatchObject({
      phase: 'suspect',
      epoch: 3,
      holder,
      suspectPolicy: 'wait',
    });
    const leases = directoryLeases(fresh);
    // Until its holder has renewed it here, that it stands still proves nothing.
    expect(await leases.read(node, epoch(3))).toEqual({
      state: 'open',
      lease: { ...held, selfFencing: false, guarded: false },
    });
    expect(await leases.take(leaseRecord({ epoch: epoch(3), taskId: 'another' }))).toBe('refused');
    expect(await leases.renew({ ...held, counter: 8 })).toBe('renewed');
    expect(await leases.read(node, epoch(3))).toMatchObject({ lease: { counter: 8, guarded: true } });
  });

  it('believes a marker over an older export, and lets nobody take the lost lease', async () => {
    const marker: MarkerRecord = {
      format: 1,
      clusterIdentity: framework.clusterIdentity,
      frameworkName: 'elasticsearch',
      clusterName: 'mesos-ha',
      nodeId: node,
      role: 'data',
      epoch: epoch(5),
      volumeIdentity: held.holder,
    };
    const path = join(scratch, 'marker.json');
    await writeFile(path, JSON.stringify(marker));
    const { error } = await run(
      'rebuild',
      '--stateDirectory',
      fresh,
      '--from-export',
      await backup(),
      '--marker',
      path,
    );
    expect(error).toBe('');
    expect((await load(fresh)).nodes.get(node)?.record).toMatchObject({
      epoch: 5,
      holder: { taskId: 'unknown-1-5' },
      leftBehind: [{ agentId: 'agent-1', taskId: 'task-1' }],
    });
    const state = await directoryLeases(fresh).read(node, epoch(5));
    expect(state).toMatchObject({ state: 'open', lease: { guarded: false, selfFencing: false } });
  });

  it('believes the leases that are left in the place', async () => {
    const file = await backup();
    const leases = directoryLeases(fresh);
    await leases.openEpoch(node, epoch(4));
    await leases.take(leaseRecord({ epoch: epoch(4), taskId: 'task-4' }));
    await run('rebuild', '--stateDirectory', fresh, '--from-export', file);
    expect((await load(fresh)).nodes.get(node)?.record).toMatchObject({
      epoch: 4,
      holder: { taskId: 'task-4' },
    });
    expect(await leases.read(node, epoch(4))).toMatchObject({ lease: { guarded: true, taskId: 'task-4' } });
  });

  it('only shows, when told so', async () => {
    const { text } = await run(
      'rebuild',
      '--stateDirectory',
      fresh,
      '--from-export',
      await backup(),
      '--dry-run',
    );
    expect(text).toMatch(/node 1: suspect.*Nothing was written/s);
    expect((await load(fresh)).framework).toBeUndefined();
  });

  it('never writes over a ledger, but finishes what it began', async () => {
    const file = await backup();
    expect((await run('rebuild', '--stateDirectory', old, '--from-export', file)).error).toMatch(
      /there is a ledger already, of framework elasticsearch with 1 nodes: nothing was written/,
    );
    const ledger = await openDirectoryLedger(fresh);
    await ledger.writeFramework({ ...framework, frameworkName: UNFINISHED }, 0);
    await ledger.writeNode(nodeRecord(1, { epoch: 3, phase: 'suspect' }), 0);
    await ledger.close();
    expect((await run('rebuild', '--stateDirectory', fresh, '--from-export', file)).error).toBe('');
    const { framework: written, nodes } = await load(fresh);
    expect(written?.record.frameworkName).toBe('elasticsearch');
    expect(nodes.get(node)).toMatchObject({ version: 2, record: { dataOnRecord: true } });
  });

  it('says which evidence cannot be used', async () => {
    const path = join(scratch, 'broken.json');
    await writeFile(path, '{}');
    expect((await run('rebuild', '--stateDirectory', fresh, '--from-export', path)).error).toMatch(
      /broken.json cannot be used/,
    );
    expect((await run('rebuild', '--stateDirectory', fresh, '--marker', path)).error).toMatch(
      /broken.json cannot be used/,
    );
    expect((await run('rebuild', '--stateDirectory', fresh)).error).toMatch(/no ledger can be rebuilt/);
  });
});
