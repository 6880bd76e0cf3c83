import {
  COPY_MARKER_FILE,
  decodeLaunchSpec,
  encodeLaunchSpec,
  MARKER_FILE,
  type LaunchSpecInput,
} from '@mesos-elasticsearch/contract';
import { describe, expect, it } from 'vitest';
import { CLUSTER_IDENTITY, MIGRATION, migrationSpec } from '../testing/launch-specs.ts';
import { decideMarker, type VolumeFinding } from './marker.ts';
import { decideMigration, migrationProblem } from './migration-decision.ts';
import type { CopySlot } from './slots.ts';

const ID = (digit: string) => `00000000-0000-4000-8000-00000000000${digit}`;
const [OLD_CONFIG, OLD_DATA, FORMER] = [ID('1'), ID('2'), ID('3')] as const;
const FRESH = { config: ID('a'), data: ID('b') };
/** The task has epoch 9; the node last ran in epoch 8, and before a migration, on the new driver, in 5. */
const spec = (parts: Partial<LaunchSpecInput> = {}) =>
  decodeLaunchSpec(encodeLaunchSpec(migrationSpec({ epoch: 9, ...parts })));
const overwriting = { migration: { ...MIGRATION, overwriteFormer: true } };

const node = { clusterIdentity: CLUSTER_IDENTITY, nodeId: 1 };
const marker = (role: 'config' | 'data', change: object = {}) => {
  const volumeIdentity = role === 'data' ? OLD_DATA : OLD_CONFIG;
  const names = { frameworkName: 'elasticsearch', clusterName: 'mesos-es' };
  return JSON.stringify({ format: 1, ...node, ...names, role, epoch: 8, volumeIdentity, ...change });
};
const copyMarker = (change: object = {}) =>
  JSON.stringify({
    ...{ format: 1, ...node, role: 'data', migration: MIGRATION.id, volumeIdentity: OLD_DATA, epoch: 8 },
    ...change,
  });
const EMPTY: VolumeFinding = { marker: undefined, entries: ['lost+found'] };
const marked = (change: object = {}): VolumeFinding => ({
  marker: marker('data', { volumeIdentity: FORMER, epoch: 5, ...change }),
  entries: [MARKER_FILE, 'nodes'],
});
const copied = (change: object = {}, more: Partial<VolumeFinding> = {}): VolumeFinding => ({
  ...{ marker: undefined, copyMarker: copyMarker(change), entries: [COPY_MARKER_FILE, 'nodes'] },
  ...more,
});

function decide(found: Partial<Record<CopySlot, VolumeFinding>>, parts: Partial<LaunchSpecInput> = {}) {
  const findings = {
    config: { marker: marker('config'), entries: [MARKER_FILE] },
    data: { marker: marker('data'), entries: [MARKER_FILE, 'nodes'] },
    'new-config': EMPTY,
    'new-data': EMPTY,
    ...found,
  };
  return decideMigration(spec(parts), findings, FRESH, decideMarker);
}

describe('the new volume', () => {
  it.each([
    ['begun: it is empty', EMPTY, 'begin', {}],
    [
      'begun: a write of ours was cut off',
      { marker: undefined, entries: [`${COPY_MARKER_FILE}.new`] },
      'begin',
      {},
    ],
    ['resumed: an earlier try of this migration', copied(), 'resume', {}],
    ['resumed: a try in our own epoch', copied({ epoch: 9 }), 'resume', {}],
    [
      'resumed: marked as whole, and not yet rid of the copy marker',
      copied({}, { marker: marker('data') }),
      'resume',
      {},
    ],
    ['resumed: over what it held before', copied({}, { marker: marked().marker }), 'resume', {}],
    ['resumed: whole, but nobody was told', marked({ epoch: 8 }), 'resume', {}],
    [
      'resumed: whole, nobody was told, and a later try has claimed the old one since',
      marked({ epoch: 7 }),
      'resume',
      { migration: { ...MIGRATION, sinceEpoch: 6 } },
    ],
    [
      'resumed: whole, taken back before anything ran on it, and not written to since',
      marked({ epoch: 5, copyOf: { migration: MIGRATION.id, volumeIdentity: OLD_DATA } }),
      'resume',
      {},
    ],
    ['written over: older data of this node, as was ordered', marked(), 'overwrite', overwriting],
  ] as const)('is %s', (_, finding, start, parts) => {
    expect(decide({ 'new-data': finding }, parts)).toMatchObject({ kind: 'copy', task: { data: { start } } });
  });

  it.each([
    [
      'data without a marker',
      { marker: undefined, entries: ['nodes'] },
      'is not empty (nodes) and has no marker',
      {},
    ],
    [
      'anything at all without a marker',
      { marker: undefined, entries: ['README'] },
      'is not empty (README)',
      overwriting,
    ],
    [
      'data from before this turn',
      marked({ epoch: 6 }),
      'was held in epoch 6, the old volume in 8: it has older data',
      { migration: { ...MIGRATION, sinceEpoch: 6 } },
    ],
    ['older data of this node', marked(), 'was held in epoch 5, the old volume in 8: it has older data', {}],
    [
      'a whole copy of another migration',
      marked({ copyOf: { migration: ID('7'), volumeIdentity: OLD_DATA } }),
      'it has older data of this node',
      {},
    ],
    [
      'a whole copy of another volume',
      marked({ copyOf: { migration: MIGRATION.id, volumeIdentity: FORMER } }),
      'it has older data of this node',
      {},
    ],
    [
      'a copy of this migration that is ahead of the old volume',
      marked({ epoch: 9, copyOf: { migration: MIGRATION.id, volumeIdentity: OLD_DATA } }),
      'it has the newer data',
      overwriting,
    ],
    [
      'newer data of this node',
      marked({ epoch: 9 }),
      'in epoch 9, the old volume in 8: it has the newer data',
      overwriting,
    ],
    ['a marker newer than we are', marked({ epoch: 10 }), 'newer than ours (9)', overwriting],
    [
      'another node',
      marked({ nodeId: 2 }),
      'belongs to another node ID: its marker says 2, we are 1',
      overwriting,
    ],
    [
      'another cluster',
      marked({ clusterIdentity: ID('7') }),
      'belongs to another cluster identity',
      overwriting,
    ],
    ['the other role', marked({ role: 'config' }), 'belongs to another volume role', overwriting],
    ['a torn marker', { marker: '{"for', entries: [MARKER_FILE] }, 'is not JSON', overwriting],
    [
      'the old volume’s own marker',
      { marker: marker('data'), entries: [] },
      'is the old volume itself',
      overwriting,
    ],
    [
      'another migration’s copy',
      copied({ migration: ID('7') }),
      'unfinished copy of another migration',
      overwriting,
    ],
    [
      'a copy of another volume',
      copied({ volumeIdentity: FORMER }),
      'of another volume identity',
      overwriting,
    ],
    ['another node’s copy', copied({ nodeId: 2 }), 'unfinished copy of another node ID', overwriting],
    [
      'another cluster’s copy',
      copied({ clusterIdentity: ID('7') }),
      'of another cluster identity',
      overwriting,
    ],
    [
      'a copy of the other role',
      copied({ role: 'config' }),
      'unfinished copy of another volume role',
      overwriting,
    ],
    [
      'a copy newer than we are',
      copied({ epoch: 10 }),
      'epoch 10, which is newer than ours (9)',
      overwriting,
    ],
    [
      'a torn copy marker',
      copied({}, { copyMarker: '{' }),
      `its copy marker ${COPY_MARKER_FILE} cannot be read`,
      {},
    ],
  ] as const)('is refused for %s', (_, finding, text, parts) => {
    const decision = decide({ 'new-data': finding }, parts);
    expect(decision).toMatchObject({ kind: 'refuse', why: expect.stringContaining(text) });
    expect(decision).toMatchObject({
      why: expect.stringContaining('volume elasticsearch1data of driver other (new-data)'),
    });
  });
});

describe('the old volume', () => {
  it.each([
    ['empty', EMPTY, 'is empty, but data is on record'],
    ['without a marker', { marker: undefined, entries: ['nodes'] }, 'but no marker'],
    ['somebody else’s', { marker: marker('data', { nodeId: 3 }), entries: [] }, 'another node ID'],
    ['newer than we are', { marker: marker('data', { epoch: 10 }), entries: [] }, 'newer than ours (9)'],
    ['itself an unfinished copy', copied(), 'is the unfinished copy of another volume'],
  ] as const)('is refused: %s', (_, data, text) => {
    expect(decide({ data }, { adoptVolumes: true, dataOnRecord: false })).toMatchObject({
      kind: 'refuse',
      why: expect.stringContaining(text),
    });
  });

  it('is claimed with our epoch; the copy gets an identity of its own', () => {
    expect(decide({})).toMatchObject({
      task: {
        data: {
          source: { epoch: 9, volumeIdentity: OLD_DATA },
          copyMarker: { epoch: 9, volumeIdentity: OLD_DATA, migration: MIGRATION.id, role: 'data' },
          target: { epoch: 9, volumeIdentity: FRESH.data, role: 'data' },
        },
        config: { source: { volumeIdentity: OLD_CONFIG }, target: { volumeIdentity: FRESH.config } },
      },
    });
  });

  it('is compared as it was found, not as we claim it: a new volume that is ahead stays so', () => {
    const ahead = { 'new-data': marked({ epoch: 9 }) };
    expect(decide(ahead, { ...overwriting, epoch: 12 })).toMatchObject({ kind: 'refuse' });
  });

  it('is refused together: config that is wrong keeps data from being touched', () => {
    expect(decide({ 'new-config': { marker: undefined, entries: ['elasticsearch.yml'] } })).toMatchObject({
      kind: 'refuse',
    });
  });
});

describe('a launch spec of a migration', () => {
  it.each([
    ['without a target', { migration: undefined }, 'does not say where to'],
    [
      'through the Engine',
      { volumePath: { kind: 'engine' } },
      'start the scheduler with --volumePath plugin-socket',
    ],
    ['to itself', { migration: { ...MIGRATION, to: migrationSpec().volumes } }, 'to itself'],
  ] as const)('is wrong %s', (_, parts, text) => {
    const { migration, ...rest } = { ...spec(), ...parts } as ReturnType<typeof spec>;
    expect(migrationProblem({ ...rest, ...(migration && { migration }) })).toContain(text);
  });

  it('is right otherwise, and nothing is asked of another task', () => {
    expect(migrationProblem(spec())).toBeUndefined();
    expect(migrationProblem({ ...spec(), purpose: 'run', volumePath: { kind: 'engine' } })).toBeUndefined();
  });
});
