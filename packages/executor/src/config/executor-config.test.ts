import { describe, expect, it } from 'vitest';
import { loadExecutorConfig } from './executor-config.ts';

const given = {
  PATH: '/bin',
  MESOS_FRAMEWORK_ID: 'f',
  MESOS_EXECUTOR_ID: 'e',
  MESOS_AGENT_ENDPOINT: '10.0.0.1:5051',
  MESOS_DIRECTORY: '/sandbox',
  MESOS_CHECKPOINT: '1',
  MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '2mins',
  MESOS_EXECUTOR_AUTHENTICATION_TOKEN: 'secret',
  ELASTICSEARCH_NODE_ID: '7',
  VOLUME_PLUGIN_DIRECTORIES: '/a:/b',
  SOMETHING_ELSE: 'x',
};

describe('the executor’s configuration', () => {
  it('comes from the agent’s environment', () => {
    expect(loadExecutorConfig(given, '/cwd')).toMatchObject({
      endpoint: new URL('http://10.0.0.1:5051'),
      sandbox: '/sandbox',
      environmentNodeId: '7',
      pluginDirectories: ['/a', '/b'],
      shutdownStopMs: 100_000,
    });
  });

  it('names every missing variable at once', () => {
    expect(() => loadExecutorConfig({}, '/cwd')).toThrow(
      /MESOS_FRAMEWORK_ID.*MESOS_EXECUTOR_ID.*MESOS_AGENT_ENDPOINT/,
    );
  });

  it('has one mount ledger for all executors of a host, outside of their sandboxes', () => {
    const directory = (user: number, more: Record<string, string> = {}) =>
      loadExecutorConfig({ ...given, ...more }, '/cwd', user).mountLedgerDirectory;
    expect(directory(0)).toBe('/var/run/mesos-elasticsearch/mounts');
    expect(directory(1000)).toBe('/tmp/mesos-elasticsearch-1000/mounts');
    expect(directory(0, { MOUNT_LEDGER_DIRECTORY: '/var/lib/mounts' })).toBe('/var/lib/mounts');
  });

  it('keeps the token and what is not for children from them', () => {
    const { childEnvironment } = loadExecutorConfig(given, '/cwd');
    expect(childEnvironment).toEqual({ PATH: '/bin', MESOS_DIRECTORY: '/sandbox' });
  });

  it('leaves part of a short grace period for the unmount', () => {
    const short = { ...given, MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '5secs', LIBPROCESS_SSL_ENABLED: '1' };
    const config = loadExecutorConfig(short, '/cwd');
    expect(config.shutdownStopMs).toBe(2_500);
    expect(config.endpoint.protocol).toBe('https:');
  });
});
