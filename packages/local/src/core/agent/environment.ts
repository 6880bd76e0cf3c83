/** The complete environment of an executor: nothing of the agent's own is inherited (reference, section 2.2). */
import type { AgentId, CommandInfo } from '@mesos-elasticsearch/mesos-v1';
import { formatDuration } from '../duration.ts';
import type { ExecutorRun } from './state.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface ExecutorSurroundings {
  readonly agentId: AgentId;
  readonly ip: string;
  readonly port: number;
  readonly recoveryTimeoutMs: number;
  readonly subscriptionBackoffMaxMs: number;
  readonly shutdownGraceMs: number;
  /** The agent's `--executor_environment_variables`. */
  readonly operator: Readonly<Record<string, string>>;
}

export function commandEnvironment(command: CommandInfo | undefined): Record<string, string> {
  const variables = command?.environment?.variables ?? [];
  return Object.fromEntries(variables.map(({ name, value }) => [name, value ?? '']));
}

/** Precedence: the command's own variables, the agent's, the operator's. */
export function executorEnvironment(run: ExecutorRun, around: ExecutorSurroundings): Record<string, string> {
  const own = run.info.shutdownGracePeriod?.nanoseconds;
  const graceMs = own === undefined ? around.shutdownGraceMs : Number(own / 1_000_000n);
  const endpoint = `${around.ip}:${around.port}`;
  return {
    PATH: DEFAULT_PATH,
    ...around.operator,
    MESOS_FRAMEWORK_ID: run.frameworkId,
    MESOS_EXECUTOR_ID: run.executorId,
    MESOS_DIRECTORY: run.directory,
    MESOS_SANDBOX: run.directory,
    MESOS_SLAVE_ID: around.agentId,
    MESOS_SLAVE_PID: `slave(1)@${endpoint}`,
    MESOS_AGENT_ENDPOINT: endpoint,
    MESOS_CHECKPOINT: run.checkpoint ? '1' : '0',
    MESOS_HTTP_COMMAND_EXECUTOR: '0',
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: formatDuration(graceMs),
    ...(run.checkpoint
      ? {
          MESOS_RECOVERY_TIMEOUT: formatDuration(around.recoveryTimeoutMs),
          MESOS_SUBSCRIPTION_BACKOFF_MAX: formatDuration(around.subscriptionBackoffMaxMs),
        }
      : {}),
    LIBPROCESS_IP: around.ip,
    LIBPROCESS_PORT: '0',
    ...(run.builtIn ? {} : commandEnvironment(run.info.command)),
  };
}
