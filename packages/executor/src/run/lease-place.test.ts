import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchSpec } from '@mesos-elasticsearch/contract';
import { afterAll, describe, expect, it } from 'vitest';
import { SetupError } from '../ports.ts';
import { leasesAt } from './lease-place.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lease-place-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const SECRET = 'executors:s3cret';

type ZooKeeperPlace = Extract<LaunchSpec['lease']['place'], { kind: 'zookeeper' }>;
function leaseWith(credentials: ZooKeeperPlace['credentials'], servers = ['zk-1:2181']): LaunchSpec['lease'] {
  const place: ZooKeeperPlace = {
    ...{ kind: 'zookeeper', servers, path: '/mesos/elasticsearch/mesos-ha', sessionTimeoutMs: 10_000 },
    ...(credentials && { credentials }),
  };
  return { place, policy: 'fence', durationMs: 30_000 };
}

describe('leases in ZooKeeper', () => {
  it('connect to nothing before the first call', () => {
    expect(leasesAt(leaseWith(undefined), {}, silent)).toHaveProperty('close');
  });

  it('take the credentials out of the variable, so that no child sees them', () => {
    const environment: NodeJS.ProcessEnv = { ZK_AUTH: SECRET, PATH: '/bin' };
    leasesAt(leaseWith({ kind: 'variable', name: 'ZK_AUTH' }), environment, silent);
    expect(environment).toEqual({ PATH: '/bin' });
  });

  it('read the credentials from a file, without its last newline', () => {
    const path = join(scratch, 'credentials');
    writeFileSync(path, `${SECRET}\n`);
    expect(leasesAt(leaseWith({ kind: 'file', path }), {}, silent)).toHaveProperty('close');
  });

  it('are refused by name when credentials are missing or no credentials, and the text itself is not told', () => {
    const at = (credentials: ZooKeeperPlace['credentials'], environment = {}) => {
      return () => leasesAt(leaseWith(credentials), environment, silent);
    };
    expect(at({ kind: 'variable', name: 'ZK_AUTH' })).toThrow(/ZK_AUTH, which is not set/);
    expect(at({ kind: 'file', path: join(scratch, 'nowhere') })).toThrow(SetupError);
    const wrong = at({ kind: 'variable', name: 'ZK_AUTH' }, { ZK_AUTH: 's3cret' });
    expect(wrong).toThrow(/^(?!.*s3cret).*user:password/);
  });

  it('are refused for a server that is not written as one', () => {
    expect(() => leasesAt(leaseWith(undefined, ['a:b:c']), {}, silent)).toThrow(SetupError);
  });
});
