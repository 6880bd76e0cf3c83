import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  VOLUME_ROLES,
  epoch,
  nodeId,
  parseNodeId,
  parseVolumeName,
  volumeName,
  volumeNameOf,
} from './node-id.ts';

const anyNodeId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(nodeId);
const anyFramework = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);

describe('node IDs', () => {
  it('have no upper limit short of what a number can count', () => {
    expect(nodeId(Number.MAX_SAFE_INTEGER)).toBe(9007199254740991);
    expect(parseNodeId('9007199254740991')).toBe(9007199254740991);
    expect(() => parseNodeId('9007199254740992')).toThrow(TypeError);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('are not %s', (value) => {
    expect(() => nodeId(value)).toThrow(/whole number from 1/);
    expect(() => epoch(value)).toThrow(/whole number from 1/);
  });

  it.each(['', '0', '01', '+1', '-1', '1.0', '1e3', ' 1', '1\n', '0x1', '١'])(
    'are not read from %j',
    (text) => {
      expect(() => parseNodeId(text)).toThrow(TypeError);
    },
  );
});

describe('volume names', () => {
  it('are the framework, the number and the role', () => {
    expect(volumeNameOf('elasticsearch', nodeId(1), 'config')).toBe('elasticsearch1config');
    expect(volumeNameOf('elasticsearch', nodeId(12), 'data')).toBe('elasticsearch12data');
  });

  it('lead back to the node and the role, for every framework name', () => {
    fc.assert(
      fc.property(anyFramework, anyNodeId, fc.constantFrom(...VOLUME_ROLES), (framework, id, role) => {
        expect(parseVolumeName(framework, volumeNameOf(framework, id, role))).toEqual({ nodeId: id, role });
      }),
    );
  });

  it('of different nodes or roles are different', () => {
    fc.assert(
      fc.property(anyFramework, anyNodeId, anyNodeId, (framework, one, other) => {
        fc.pre(one !== other);
        expect(volumeNameOf(framework, one, 'data')).not.toBe(volumeNameOf(framework, other, 'data'));
      }),
    );
  });

  it.each([
    'other1data',
    'elasticsearch0data',
    'elasticsearch01data',
    'elasticsearch1logs',
    'elasticsearchdata',
  ])('of others are not ours: %s', (name) => {
    expect(parseVolumeName('elasticsearch', name)).toBeUndefined();
  });

  it.each(['', 'a', '../etc', 'a/b', '.hidden', '-flag', 'two words', 'x'.repeat(256)])(
    'that no driver should see are refused: %j',
    (name) => {
      expect(() => volumeName(name)).toThrow(/not a volume name/);
    },
  );
});
