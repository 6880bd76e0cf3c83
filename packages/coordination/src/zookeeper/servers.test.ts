import { describe, expect, it } from 'vitest';
import { checkCredentials, digestIdentity, parseServer } from './servers.ts';

describe('the address of a server', () => {
  it.each([
    ['zk-1', 'zk-1', 2181],
    ['zk-1.example.org:2182', 'zk-1.example.org', 2182],
    ['10.0.0.1:2181', '10.0.0.1', 2181],
    ['[2001:db8::1]:2183', '2001:db8::1', 2183],
    ['[::1]', '::1', 2181],
    ['[fe80::1%eth0]:1', 'fe80::1%eth0', 1],
  ])('%s is %s, port %i', (text, host, port) => {
    expect(parseServer(text)).toEqual({ host, port });
  });

  it.each([
    '',
    ':2181',
    'a:b',
    'a:0',
    'a:65536',
    '::1',
    '2001:db8::1:2181',
    'user:pw@host:1',
    'a b',
    'a/b:1',
  ])('"%s" is none', (text) => {
    expect(() => parseServer(text)).toThrow(/is no address of a ZooKeeper server/);
  });
});

describe('credentials', () => {
  it('name an identity as ZooKeeper does', () => {
    // What DigestAuthenticationProvider.generateDigest of ZooKeeper 3.8.0 gives.
    expect(digestIdentity('super:test')).toBe('super:D/InIHSb7yEEbrWz8b9l71RjZJU=');
    expect(digestIdentity('user:with:colons')).toMatch(/^user:[A-Za-z0-9+/]{27}=$/);
  });

  it.each(['', 'user', 'user:', ':password', 'us er:password'])(
    '"%s" are none, and are not repeated',
    (text) => {
      expect(() => {
        checkCredentials(text);
      }).toThrow(/^the credentials for ZooKeeper must be written as user:password$/);
    },
  );
});
