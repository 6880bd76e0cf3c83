/** The executor's process: builds the adapters, connects agent and machine, and maps the end to an exit code. */
import { hostname } from 'node:os';
import { pino, type Logger } from 'pino';
import { ExecutorEnvironmentError, startExecutorSession } from '@mesos-elasticsearch/mesos-v1';
import { loadExecutorConfig, type ExecutorConfig } from '../config/executor-config.ts';
import { systemPorts } from './adapters.ts';
import { machineEventOf, machineEventOfChange, taskStatusOf } from './agent-events.ts';
import { runExecutor } from './executor.ts';

/** How long the last updates may take to be acknowledged. */
const DRAIN_MS = 5_000;
const EXIT_WRONG_ENVIRONMENT = 2;

/** Runs until the task is over and everything is let go. @returns the exit code */
export async function runExecutorProcess(environment: NodeJS.ProcessEnv): Promise<number> {
  const log = pino({ name: 'executor' }, pino.destination({ dest: 2, sync: true }));
  let config: ExecutorConfig;
  try {
    config = loadExecutorConfig(environment, process.cwd());
  } catch (error) {
    if (!(error instanceof ExecutorEnvironmentError)) throw error;
    log.fatal({ faults: error.faults }, 'not started by a Mesos agent');
    return EXIT_WRONG_ENVIRONMENT;
  }
  // No child, and no program that a volume driver starts, is to see it.
  delete environment.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
  return serve(config, environment, log);
}

async function serve(config: ExecutorConfig, environment: NodeJS.ProcessEnv, log: Logger): Promise<number> {
  const { mesos, environmentNodeId } = config;
  let host = hostname();
  const executor = runExecutor(
    {
      ...systemPorts(config, environment, log),
      host: () => host,
      sendStatus: (status) => {
        log.info({ state: status.state, message: status.message }, 'status');
        session.sendUpdate(taskStatusOf(status));
      },
    },
    { shutdownStopMs: config.shutdownStopMs },
  );
  const session = startExecutorSession({
    endpoint: config.endpoint,
    frameworkId: mesos.frameworkId,
    executorId: mesos.executorId,
    checkpoint: mesos.checkpoint,
    recoveryTimeoutMs: mesos.recoveryTimeoutMs,
    backoffMaxMs: mesos.backoffMaxMs,
    token: mesos.token,
    encoding: 'application/x-protobuf',
    onEvent: (event) => {
      if (event.type === 'SUBSCRIBED') host = event.subscribed.agentInfo.hostname;
      const known = machineEventOf(event, environmentNodeId);
      if (known) executor.dispatch(known);
      else if (event.type === 'ERROR') log.error({ says: event.error.message }, 'the agent reports an error');
      else if (event.type === 'LAUNCH_GROUP') log.error({}, 'task groups are not for this executor');
    },
    onState: (change) => {
      const known = machineEventOfChange(change);
      if (known) executor.dispatch(known);
    },
    log,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => executor.dispatch({ kind: 'shutdown' }));
  }
  const exitCode = await executor.finished;
  if (!(await session.drained(DRAIN_MS)))
    log.warn({ left: session.unacknowledged() }, 'updates not acknowledged');
  session.close();
  return exitCode;
}
