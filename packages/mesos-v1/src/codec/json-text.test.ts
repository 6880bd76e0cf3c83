import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeSyntaxError, parseJson, printJson } from './json-text.ts';

describe('JSON text', () => {
  it('keeps every digit of a long integer, wherever it stands', () => {
    const text =
      '{"a":[-12345678901234567890, 1795345827483000001],"b":"1234567890123456789 \\" 12345678901234567"}';
    expect(parseJson(text)).toEqual({
      a: ['-12345678901234567890', '1795345827483000001'],
      b: '1234567890123456789 " 12345678901234567',
    });
  });

  it('leaves fractions and exponents to JSON.parse', () => {
    expect(parseJson('[0.12345678901234567, 12345678901234567.5, 1234567890123456e2]')).toEqual([
      0.12345678901234567, 12345678901234567.5, 1234567890123456e2,
    ]);
  });

  it('reads and prints any JSON as JSON.parse and JSON.stringify do', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(printJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('prints bigint as a number and infinity as Mesos reads it', () => {
    expect(printJson({ at: 1795345827483000001n, never: Infinity })).toBe(
      '{"at":1795345827483000001,"never":"Infinity"}',
    );
  });

  it.each([
    ['{not json', 1, 'not json'],
    ['{"a":\n oops}', 2, 'oops}'],
    ['{"a"', 1, ''],
    ['hello', 1, 'hello'],
  ])('says where %j stops being JSON', (text, line, near) => {
    let fault: unknown;
    try {
      parseJson(text);
    } catch (error) {
      fault = error;
    }
    expect(describeSyntaxError(text, fault)).toBe(`syntax error at line ${line} near: ${near}`);
  });
});
