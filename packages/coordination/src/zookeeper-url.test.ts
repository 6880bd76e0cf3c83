import { describe, expect, it } from 'vitest';
import {
  parseZookeeperCredentials,
  parseZookeeperUrl,
  redactZookeeperUrl,
  ZooKeeperUrlError,
} from './zookeeper-url.ts';

const secret = 'mesos:p@ss:wo,rd';

describe('a ZooKeeper URL', () => {
  it.each([
    ['zk://z1/mesos', { servers: ['z1:2181'], path: '/mesos' }],
    ['zk://z1:2181,z2,10.0.0.3:2183/a/b', { servers: ['z1:2181', 'z2:2181', '10.0.0.3:2183'], path: '/a/b' }],
    ['zk://z1/mesos/', { servers: ['z1:2181'], path: '/mesos' }],
    ['zk://z1', { servers: ['z1:2181'], path: '/' }],
    ['zk://z1/', { servers: ['z1:2181'], path: '/' }],
    ['zk://[::1]:2182/m', { servers: ['[::1]:2182'], path: '/m' }],
    [
      'zk://mesos:p@ss:wo,rd@z1:2181,z2/mesos',
      { servers: ['z1:2181', 'z2:2181'], path: '/mesos', credentials: secret },
    ],
  ])('%s is read', (text, expected) => {
    expect(parseZookeeperUrl(text)).toEqual(expected);
  });

  it.each([
    'z1:2181/mesos',
    'http://z1/mesos',
    'zk:///mesos',
    'zk://z1,,z2/mesos',
    'zk://z1:0/mesos',
    'zk://z1:70000/mesos',
    'zk://z1:x/mesos',
    'zk://z1/a//b',
    'zk://z1/a b',
    'zk://z1/a/../b',
    'zk://user@z1/mesos',
    'zk://:p@z1/mesos',
    'zk://user:@z1/mesos',
  ])('%s is refused', (text) => {
    expect(() => parseZookeeperUrl(text)).toThrow(ZooKeeperUrlError);
  });

  it('shows no password, neither in logs nor in errors', () => {
    expect(redactZookeeperUrl(parseZookeeperUrl('zk://mesos:hidden@z1,z2/mesos'))).toBe(
      'zk://mesos:…@z1:2181,z2:2181/mesos',
    );
    for (const text of ['zk://mesos:hidden@z1/a//b', 'zk://mesos:hidden@z1:x/b', 'zk:/mesos:hidden@z1']) {
      expect(() => parseZookeeperUrl(text)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining('hidden') }),
      );
    }
    expect(() => parseZookeeperCredentials(':hidden')).toThrow(/^wanted user:password/);
  });
});
