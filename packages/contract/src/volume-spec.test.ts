import { describe, expect, it } from 'vitest';
import { driverNameSchema, parseVolumeOptions, volumeSpecSchema } from './volume-spec.ts';

describe('volume options', () => {
  it.each([
    ['', {}],
    ['size=5', { size: '5' }],
    ['size=5,iops=150', { size: '5', iops: '150' }],
    [',size=5,,iops=150,', { size: '5', iops: '150' }],
    ['key=a=b=c', { key: 'a=b=c' }],
    ['empty=', { empty: '' }],
    [' size = 5 ', { size: ' 5 ' }],
  ])('%j reads as %j', (text, expected) => {
    expect(parseVolumeOptions(text)).toEqual(expected);
  });

  it.each(['constructor', '__proto__', 'toString'])('takes the key %s as any other', (key) => {
    expect(Object.entries(parseVolumeOptions(`${key}=x`))).toEqual([[key, 'x']]);
  });

  it.each([
    ['size', /"size" is not of the form key=value/],
    ['=5', /not of the form/],
    ['size=5,size=6', /"size" is given twice/],
  ])('%j is refused', (text, message) => {
    expect(() => parseVolumeOptions(text)).toThrow(message);
  });
});

describe('a volume spec', () => {
  const spec = { name: 'elasticsearch1data', driver: 'hostdir', options: { size: '5' } };

  it('is read as it is', () => {
    expect(volumeSpecSchema.parse(spec)).toEqual(spec);
  });

  it.each([
    { ...spec, name: '../data' },
    { ...spec, options: { size: 5 } },
    { ...spec, mode: 'rw' },
  ])('is refused: %j', (wrong) => {
    expect(volumeSpecSchema.safeParse(wrong).success).toBe(false);
  });

  it.each([
    '../rexray',
    'a/../b',
    'a..b',
    '',
    '.x',
    '/a',
    'a/',
    'a//b',
    'a:',
    'a:b:c',
    ':latest',
    'a b',
    'a:b/c',
  ])('refuses driver %j', (driver) => {
    expect(driverNameSchema.safeParse(driver).success).toBe(false);
  });
  it.each(['rexray', 'rexray:edge', 'vieux/sshfs', 'vieux/sshfs:latest', 'a/b/c:1.0-rc_2'])(
    'takes driver %j',
    (driver) => {
      expect(driverNameSchema.parse(driver)).toBe(driver);
    },
  );
});
