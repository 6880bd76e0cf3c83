import { describe, expect, it } from 'vitest';
import { driverNameSchema, volumeName } from '@mesos-elasticsearch/contract';
import { isDriverName, isShortDriverName, isVolumeName } from './names.ts';

describe('driver names', () => {
  it.each([
    ['rexray', true, true],
    ['rexray:latest', true, false],
    ['vieux/sshfs', true, false],
    ['vieux/sshfs:latest', true, false],
    ['registry.example/a/b:1.0', true, false],
    ['a'.repeat(255), true, true],
    ['a'.repeat(256), false, false],
    ['', false, false],
    ['.', false, false],
    ['..', false, false],
    ['../plugins/evil', false, false],
    ['a/../b', false, false],
    ['a..b', false, false],
    ['a/./b', false, false],
    ['a//b', false, false],
    ['/a', false, false],
    ['a/', false, false],
    ['a:', false, false],
    ['a:b:c', false, false],
    ['a:b/c', false, false],
    ['-a', false, false],
    ['a b', false, false],
    ['a\n', false, false],
    ['a\0b', false, false],
  ])('%j: a driver name %s, a file of a plugin directory %s; the contract agrees', (text, driver, short) => {
    expect([isDriverName(text), isShortDriverName(text)]).toEqual([driver, short]);
    expect(driverNameSchema.safeParse(text).success).toBe(driver);
  });
});

describe('volume names', () => {
  it.each(['elasticsearch1data', 'a', 'bad/../name', '.x', 'a'.repeat(255), 'a'.repeat(256)])(
    '%j: as the contract says',
    (text) => {
      const agreed = ((): boolean => {
        try {
          return volumeName(text) === text;
        } catch {
          return false;
        }
      })();
      expect(isVolumeName(text)).toBe(agreed);
    },
  );
});
