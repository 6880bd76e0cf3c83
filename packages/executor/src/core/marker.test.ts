import { describe, expect, it } from 'vitest';
import {
  decodeLaunchSpec,
  encodeLaunchSpec,
  MARKER_FILE,
  type LaunchSpecInput,
} from '@mesos-elasticsearch/contract';
import { CLUSTER_IDENTITY, launchSpec } from '../testing/launch-specs.ts';
import { decideMarker, type VolumeFinding } from './marker.ts';

const FRESH = '00000000-0000-4000-8000-00000000000f';
const OLD = '00000000-0000-4000-8000-00000000000a';
const spec = (parts: Partial<LaunchSpecInput> = {}) =>
  decodeLaunchSpec(encodeLaunchSpec(launchSpec({ epoch: 5, ...parts })));

const ours = {
  format: 1,
  clusterIdentity: CLUSTER_IDENTITY,
  frameworkName: 'elasticsearch',
  clusterName: 'mesos-es',
  nodeId: 1,
  role: 'data',
  epoch: 4,
  volumeIdentity: OLD,
};
const marked = (change: object, entries: readonly string[] = [MARKER_FILE, '_state']): VolumeFinding => ({
  marker: JSON.stringify({ ...ours, ...change }),
  entries,
});
const unmarked = (...entries: string[]): VolumeFinding => ({ marker: undefined, entries });
const decide = (finding: VolumeFinding, parts: Partial<LaunchSpecInput> = {}) =>
  decideMarker(spec(parts), 'data', finding, FRESH);

describe('a volume with a marker', () => {
  it.each([
    [
      'another cluster identity',
      { clusterIdentity: '11111111-2222-4333-8444-555555555555' },
      'another cluster identity',
    ],
    ['another framework', { frameworkName: 'other' }, 'another framework name: its marker says other'],
    ['another cluster', { clusterName: 'other' }, 'another cluster name'],
    ['another node', { nodeId: 2 }, 'another node ID: its marker says 2, we are 1'],
    ['the other role', { role: 'config' }, 'another volume role'],
    ['a newer epoch', { epoch: 6 }, 'epoch 6, which is newer than ours (5)'],
    ['a newer format', { format: 2 }, 'format 2, this executor knows 1'],
    ['no format', { format: undefined }, 'format none'],
    ['a damaged field', { epoch: 'x' }, 'damaged (epoch)'],
    ['an unknown field', { surprise: true }, 'damaged'],
  ])('is refused for %s', (_, change, text) => {
    const decision = decide(marked(change), { adoptVolumes: true });
    expect(decision).toMatchObject({ kind: 'refuse', why: expect.stringContaining(text) });
    expect(decision).toMatchObject({
      why: expect.stringContaining('volume elasticsearch1data of driver hostdir'),
    });
  });

  it('is refused when the marker is torn', () => {
    expect(decide({ marker: '{"form', entries: [MARKER_FILE] })).toMatchObject({ kind: 'refuse' });
  });

  it.each([1, 4, 5])('is ours in epoch %i: rewritten with our epoch, the same identity', (epoch) => {
    expect(decide(marked({ epoch }), { dataOnRecord: true })).toMatchObject({
      ...{ kind: 'write', claimed: false, previousEpoch: epoch },
      marker: { epoch: 5, volumeIdentity: OLD },
    });
  });
});

describe('a volume whose data was moved to another driver', () => {
  const id = '22222222-2222-4333-8444-555555555555';
  const moved = marked({ movedTo: { driver: 'rexray', migration: id } });

  it('is refused: what is on it is old', () => {
    const decision = decide(moved);
    expect(decision).toMatchObject({
      kind: 'refuse',
      why: expect.stringContaining('its data was moved to driver rexray') as unknown,
    });
    expect(decide(moved, { takenBack: OLD })).toMatchObject({ kind: 'refuse' });
  });

  it.each([
    ['when that migration was taken back', { takenBack: id }],
    [
      'for the task of that migration, when nobody was told that the copy was whole',
      {
        purpose: 'migrate' as const,
        migration: { id, to: launchSpec().volumes, overwriteFormer: false },
      },
    ],
  ])('counts again %s, and is marked so', (_, parts) => {
    const decision = decide(moved, parts);
    expect(decision).toMatchObject({ kind: 'write', previousEpoch: 4 });
    expect(decision.kind === 'write' && decision.marker.movedTo).toBeUndefined();
  });
});

describe('a volume that is the unfinished copy of another', () => {
  it.each([
    ['alone', undefined],
    ['beside a marker of ours', JSON.stringify(ours)],
  ])('is refused, its copy marker %s', (_, marker) => {
    const finding = { marker, copyMarker: '{}', entries: ['_state'] };
    expect(decide(finding, { adoptVolumes: true })).toMatchObject({
      kind: 'refuse',
      why: expect.stringContaining('is the unfinished copy of another volume'),
    });
  });
});

describe('a volume without a marker', () => {
  it.each([
    ['nothing', unmarked()],
    ['lost+found only', unmarked('lost+found')],
    ['files that are not Elasticsearch’s', unmarked('README', 'analysis')],
  ])('is claimed with %s on it', (_, finding) => {
    expect(decide(finding)).toMatchObject({
      ...{ kind: 'write', claimed: true, previousEpoch: undefined },
      marker: { ...ours, epoch: 5, volumeIdentity: FRESH },
    });
  });

  it('is refused when it is empty and data is on record', () => {
    expect(decide(unmarked('lost+found'), { dataOnRecord: true })).toMatchObject({
      kind: 'refuse',
      why: expect.stringContaining('is empty, but data is on record for node 1'),
    });
  });

  it.each(['nodes', '_state', 'indices', 'node.lock', 'mesos-es'])('is refused with %s on it', (name) => {
    expect(decide(unmarked(name))).toMatchObject({
      kind: 'refuse',
      why: expect.stringContaining('--adoptVolumes'),
    });
  });

  it('is adopted with data on it when that was asked for', () => {
    expect(decide(unmarked('nodes'), { adoptVolumes: true, dataOnRecord: true })).toMatchObject({
      kind: 'write',
      claimed: false,
      marker: { volumeIdentity: FRESH },
    });
  });

  it('has other signs of use on the config volume', () => {
    const decision = decideMarker(spec(), 'config', unmarked('elasticsearch.yml'), FRESH);
    expect(decision).toMatchObject({ kind: 'refuse' });
  });
});
