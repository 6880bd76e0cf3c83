import { describe, expect, it } from 'vitest';
import { parseMesosDuration } from './duration.ts';
import { executorEnvironment, ExecutorEnvironmentError } from './executor-environment.ts';

describe('Mesos durations', () => {
  it.each([
    ['15mins', 900_000],
    ['2secs', 2000],
    ['1.5hrs', 5_400_000],
    ['500ms', 500],
    ['1us', 0.001],
    ['250ns', 0.00025],
    ['1days', 86_400_000],
    ['2weeks', 1_209_600_000],
    ['0ns', 0],
    ['15', null],
    ['15 mins', null],
    ['-1secs', null],
    ['secs', null],
    ['', null],
  ])('%j is %j ms', (text, ms) => {
    expect(parseMesosDuration(text)).toBe(ms);
  });
});

describe('the environment of an executor', () => {
  const complete = {
    MESOS_FRAMEWORK_ID: 'f',
    MESOS_EXECUTOR_ID: 'e',
    MESOS_SLAVE_ID: 's',
    MESOS_AGENT_ENDPOINT: '127.0.0.1:5051',
    MESOS_CHECKPOINT: '1',
    MESOS_RECOVERY_TIMEOUT: '1mins',
    MESOS_SUBSCRIPTION_BACKOFF_MAX: '5secs',
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '3secs',
    MESOS_SANDBOX: '/sandbox',
    MESOS_DIRECTORY: '/directory',
  };

  it('is read as the agent wrote it', () => {
    expect(executorEnvironment(complete)).toEqual({
      frameworkId: 'f',
      executorId: 'e',
      agentId: 's',
      agentEndpoint: '127.0.0.1:5051',
      sandbox: '/sandbox',
      checkpoint: true,
      recoveryTimeoutMs: 60_000,
      backoffMaxMs: 5000,
      shutdownGraceMs: 3000,
    });
  });

  it('has the durations of an agent by default, for they come only with checkpointing', () => {
    const { MESOS_FRAMEWORK_ID, MESOS_EXECUTOR_ID, MESOS_AGENT_ENDPOINT } = complete;
    const read = executorEnvironment({ MESOS_FRAMEWORK_ID, MESOS_EXECUTOR_ID, MESOS_AGENT_ENDPOINT });
    expect(read).toMatchObject({ checkpoint: false, recoveryTimeoutMs: 900_000, shutdownGraceMs: 5000 });
  });

  it('names everything that is missing or wrong at once', () => {
    const wrong = {
      ...complete,
      MESOS_FRAMEWORK_ID: '',
      MESOS_EXECUTOR_ID: 'a/b',
      MESOS_AGENT_ENDPOINT: 'host',
    };
    const read = () =>
      executorEnvironment({ ...wrong, MESOS_CHECKPOINT: 'maybe', MESOS_RECOVERY_TIMEOUT: '15' });
    expect(read).toThrow(ExecutorEnvironmentError);
    expect(read).toThrow(
      expect.objectContaining({
        faults: [
          'MESOS_FRAMEWORK_ID is missing',
          'MESOS_EXECUTOR_ID must be a Mesos id, not "a/b"',
          'MESOS_AGENT_ENDPOINT must be ip:port, not "host"',
          'MESOS_CHECKPOINT must be 1 or 0, not "maybe"',
          'MESOS_RECOVERY_TIMEOUT must be a duration such as 5secs or 15mins, not "15"',
        ],
      }),
    );
  });
});
