import { describe, expect, it } from 'vitest';
import { decideRemoval, isNodeVolume, type Inside, type RemovalCase } from './removal.ts';

const empty: Inside = { kind: 'no-marker', entries: 0 };
const marked: Inside = {
  kind: 'marker',
  file: '.mesos-elasticsearch-volume.json',
  owner: 'node 1 of framework es',
  marker: {},
};
const unseen: Inside = { kind: 'not-seen', why: 'it is not mounted here' };
const idle: RemovalCase = { name: 'scratch', confirmed: undefined, usedBy: [], inside: empty };

describe('a volume', () => {
  it('goes when nobody has it and no cluster owns it', () => {
    expect(decideRemoval(idle)).toEqual({ kind: 'remove' });
  });
  it.each<[string, Partial<RemovalCase>, RegExp]>([
    ['it is in use', { usedBy: ['java (pid 7) has /v/nodes open'] }, /java \(pid 7\)/],
    ['it has a marker', { inside: marked }, /belongs to node 1 of framework es/],
    ['nobody has looked inside', { inside: unseen }, /nobody has seen.*not mounted here/],
    ["it is named as a node's", { name: 'es12data' }, /that of a node's volume/],
    ['another name was typed', { confirmed: 'scratch2' }, /names "scratch2"/],
  ])('stays when %s', (_, given, why) => {
    expect(decideRemoval({ ...idle, ...given })).toMatchObject({
      kind: 'refuse',
      why: expect.stringMatching(why),
    });
  });
  it.each<[string, Partial<RemovalCase>]>([
    ['it has a marker', { inside: marked }],
    ['nobody has looked inside', { inside: unseen }],
    ["it is named as a node's", { name: 'es12data', confirmed: 'es12data' }],
  ])('goes although %s when its name was typed once more', (_, given) => {
    expect(decideRemoval({ ...idle, confirmed: 'scratch', ...given })).toEqual({ kind: 'remove' });
  });
  it('stays in use whatever was typed', () => {
    const used = { ...idle, confirmed: 'scratch', usedBy: ['/mnt/x is mounted'] };
    expect(decideRemoval(used).kind).toBe('refuse');
  });
  it.each([
    ['elasticsearch1data', true],
    ['es10config', true],
    ['data', false],
    ['es0data', false],
    ['es1data2', false],
  ])('named %s is a node’s: %s', (name, is) => {
    expect(isNodeVolume(name)).toBe(is);
  });
});
