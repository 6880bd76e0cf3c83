import { describe, expect, it } from 'vitest';
import { decide } from '../system-packages.mjs';
import { judge, readFacts, reasonIn, summary } from './tally.mjs';

const lines = (...facts) => facts.map((fact) => `${JSON.stringify(fact)}\n`).join('');
const passed = { kind: 'test', name: 'a > works', state: 'passed' };
const failed = { kind: 'test', name: 'a > breaks', state: 'failed' };
const skipped = { kind: 'test', name: 'a > needs docker', state: 'skipped', reason: 'dockerd is missing' };
const end = { kind: 'end' };

function judged(text, exitCode, more = {}) {
  return judge({ project: 'unit', facts: readFacts(text), exitCode, ...more });
}

describe('the sum of a test run', () => {
  it('counts tests by state, and names what was skipped and why', () => {
    const { text, exitCode } = summary([judged(lines(passed, passed, skipped, end), 0)]);
    expect(text).toContain('unit: a > needs docker\n      because dockerd is missing');
    expect(text.split('\n').at(-1)).toBe('2 passed, 0 failed, 1 skipped');
    expect(exitCode).toBe(0);
  });

  it('is a failure when a test failed', () => {
    const { text, exitCode } = summary([judged(lines(passed, failed, end), 1)]);
    expect(text.split('\n').at(-1)).toBe('1 passed, 1 failed, 0 skipped');
    expect(exitCode).toBe(1);
  });

  it('says of what failed why, in a few lines', () => {
    const why = ['expected 1 to be 2', '', ...Array.from({ length: 30 }, (_, index) => `line ${index}`)].join(
      '\n',
    );
    const { text } = summary([judged(lines({ ...failed, why }, end), 1)]);
    expect(text).toContain('unit: a > breaks\n      expected 1 to be 2\n      line 0\n');
    expect(text).not.toContain('line 20');
  });

  it('is a failure when nothing ran, even if everything was skipped', () => {
    expect(summary([]).text).toContain('0 passed, 1 failed, 0 skipped');
    expect(summary([judged(lines(skipped, end), 0)]).exitCode).toBe(1);
  });

  it.each([
    ['a run that broke off', lines(passed) + '{"kind":"te', 1, {}, 'broke off'],
    ['a run that broke off with a fine exit code', lines(passed), 0, {}, 'broke off'],
    ['a run that took too long', lines(passed), null, { timedOutAfterS: 9 }, 'not finished within 9 s'],
    ['an exit code without a failed test', lines(passed, end), 1, {}, 'exit code 1'],
    ['a hook that failed', lines(passed, { kind: 'failure', name: 'hook' }, end), 1, {}, 'hook'],
  ])('counts %s as a failure, and what passed before as passed', (_, text, exitCode, more, says) => {
    const result = judged(text, exitCode, more);
    expect(result.passed).toBe(1);
    expect(result.failures).toHaveLength(1);
    expect(result.failures[0]).toContain(says);
  });
});

describe('the reason of a skipped group', () => {
  it.each([
    ['x > group (skipped: no dockerd) > test', 'no dockerd'],
    ['group (skipped: not root (uid 7)) > test', 'not root (uid 7)'],
    ['group > test', 'no reason given'],
  ])('in %j is %j', (name, reason) => {
    expect(reasonIn(name)).toBe(reason);
  });
});

describe('missing system packages', () => {
  const missing = [{ name: 'rclone' }, { name: 'fuse3' }];
  const debian = 'NAME="Debian"\nID=debian\n';
  it.each([
    [{ missing: [], isRoot: true, osRelease: debian, terminal: true }, { kind: 'nothing' }],
    [
      { missing, isRoot: true, osRelease: debian, terminal: false },
      { kind: 'install', ask: false },
    ],
    [
      { missing, isRoot: true, osRelease: 'ID_LIKE="ubuntu debian"', terminal: true },
      { kind: 'install', ask: true },
    ],
    [
      { missing, isRoot: false, osRelease: debian, terminal: true },
      { kind: 'name', how: 'sudo apt-get install rclone fuse3' },
    ],
    [
      { missing, isRoot: true, osRelease: 'ID=alpine', terminal: false },
      { kind: 'name', how: "install (Debian's names): rclone fuse3" },
    ],
  ])('in %j lead to %j', (situation, decision) => {
    expect(decide(situation)).toEqual(decision);
  });
});
