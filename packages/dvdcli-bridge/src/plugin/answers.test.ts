/** Answers of wrong types and sizes: none of them is a success, and none is an absence. */
import { describe, expect, it } from 'vitest';
import { readAnswer, readGet, readList, readMountpoint } from './answers.ts';

const here = (path: string): string => path;
const get = (body: unknown) => readGet('v1', 200, JSON.stringify(body), here);
const list = (body: unknown) => readList(readAnswer(200, JSON.stringify(body)), here);
/** Each as the one argument of its row: a list would be taken for several. */
const alone = (...values: unknown[]): [unknown][] => values.map((value) => [value]);
const NONSENSE = { kind: 'refused', code: 'bad-answer', happened: undefined };

describe('an answer that makes no sense', () => {
  it.each(alone(7, 0, true, false, {}, [], ['disk is on fire'], { message: 'no' }))(
    'has the error %j, which is no text: it is neither a success nor a refusal',
    (error) => {
      expect(readAnswer(200, JSON.stringify({ Err: error, Mountpoint: '/v1' }))).toMatchObject(NONSENSE);
      expect(readAnswer(200, JSON.stringify({ err: error }))).toMatchObject(NONSENSE);
    },
  );
  it.each(alone(7, 'v1', true, [], [{ Name: 'v1' }], { Name: 7 }, { Name: 'v1', Mountpoint: 7 }))(
    'describes the volume as %j: that is no absent volume',
    (volume) => {
      expect(get({ Volume: volume })).toMatchObject(NONSENSE);
    },
  );
  it.each(alone(7, 'v1', {}, true, [null], [7], [{ Name: 'v2' }, 'v1'], [{ Name: 'v1', Mountpoint: {} }]))(
    'lists %j: no volume is missing in it',
    (volumes) => {
      expect(list({ Volumes: volumes })).toMatchObject(NONSENSE);
    },
  );
  it.each(alone(7, {}, [], true))('gives the mountpoint %j', (mountpoint) => {
    const answer = readAnswer(200, JSON.stringify({ Mountpoint: mountpoint }));
    expect(readMountpoint(answer, here)).toMatchObject(NONSENSE);
  });
  it.each(['{"a":', '[', '{"Volume":', '{"Volume":{"Name":"v1","Status":{"a":'])(
    'nests %j a hundred thousand times',
    (open) => {
      const body = open.repeat(100_000);
      const close = [...open.matchAll(/[[{]/g)].map(([bracket]) => (bracket === '[' ? ']' : '}'));
      const whole = `${body}1${close.reverse().join('').repeat(100_000)}`;
      expect(readAnswer(200, `{"Status":${whole}}`)).toMatchObject(NONSENSE);
      expect(readGet('v1', 200, whole, here)).toMatchObject(NONSENSE);
    },
  );
});

describe('an answer that makes sense', () => {
  it.each([{}, { Err: '' }, { Err: null }, { err: null }])('is %j, which knows of no error', (body) => {
    expect(readAnswer(200, JSON.stringify(body))).toMatchObject({ kind: 'ok' });
  });
  it.each([{}, { Volume: null }, { Volume: {} }, { Volume: { Name: '' } }])(
    'is %j, which names no volume',
    (body) => {
      expect(get(body)).toMatchObject({ value: { kind: 'absent' } });
    },
  );
  it.each([{}, { Volumes: null }, { Volumes: [] }])('lists %j, which is nothing', (body) => {
    expect(list(body)).toEqual({ kind: 'ok', value: [] });
  });
  it('has as many brackets in a text as it likes', () => {
    const odd = `${'['.repeat(1_000)}"\\${'{'.repeat(1_000)}`;
    expect(get({ Volume: { Name: 'v1', Status: { odd } } })).toMatchObject({
      value: { kind: 'present', volume: { status: { odd } } },
    });
  });
  it('is an error of a megabyte, of which the beginning is passed on', () => {
    const answer = readAnswer(200, JSON.stringify({ Err: `disk is on fire ${'!'.repeat(1 << 20)}` }));
    expect(answer).toMatchObject({ kind: 'refused', happened: false });
    expect(answer.kind === 'refused' && answer.says).toMatch(/^disk is on fire !{1000}/);
    expect(answer.kind === 'refused' && answer.says.length).toBeLessThan(10_000);
  });
});
