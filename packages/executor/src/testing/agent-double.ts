/** Agent and scheduler in one, as one executor process sees them: launches, acknowledges, orders to kill. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeLaunchSpec, type LaunchSpecInput } from '@mesos-elasticsearch/contract';
import { taskId, type TaskStatus } from '@mesos-elasticsearch/mesos-v1';
import {
  buildTaskInfo,
  executorSubscribed,
  startFakeAgent,
  type FakeAgent,
} from '@mesos-elasticsearch/mesos-v1/testing';

export interface LaunchedExecutor {
  readonly process: ChildProcess;
  readonly sandbox: string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  /** Waits for a status of that state; rejects on another terminal one, with its message. */
  status(state: string, limitMs?: number): Promise<TaskStatus>;
  /** All that was taken in so far. */
  readonly statuses: readonly TaskStatus[];
  kill(): void;
  shutdown(): void;
  /** Breaks the stream, as an agent's restart does, and takes the executor in again. */
  restartAgent(): Promise<{ carriedUpdates: number }>;
  /** From now on updates are taken in but not acknowledged. */
  stopAcknowledging(): void;
}

const TERMINAL: readonly string[] = ['TASK_FAILED', 'TASK_KILLED', 'TASK_FINISHED', 'TASK_ERROR'];

interface LaunchOptions {
  readonly bundle: string;
  readonly root: string;
  readonly spec: LaunchSpecInput;
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts the bundle in a new sandbox below `root` and launches the task of the spec on it. */
export async function launchExecutor(options: LaunchOptions): Promise<LaunchedExecutor> {
  const { spec, root } = options;
  const agent = await startFakeAgent();
  const sandbox = await mkdtemp(join(root, 'sandbox-'));
  await chmod(sandbox, 0o755);
  const child = startBundle(options, agent, sandbox);
  const exited = once(child, 'exit').then(async ([code]) => {
    await agent.close();
    return code as number | null;
  });
  let acknowledging = true;
  const statuses: TaskStatus[] = [];
  let subscription = await agent.subscriptions.next(undefined, 30_000);
  const task = buildTaskInfo({ taskId: taskId(spec.taskId), data: encodeLaunchSpec(spec) });
  subscription.send(executorSubscribed(), { type: 'LAUNCH', launch: { task } });
  const acknowledge = ({ taskId: id, uuid }: TaskStatus) => {
    if (!acknowledging || uuid === undefined) return;
    subscription.send({ type: 'ACKNOWLEDGED', acknowledged: { taskId: id, uuid } });
  };
  const nextStatus = async (state: string, limitMs: number): Promise<TaskStatus> => {
    for (;;) {
      const { call } = await agent.calls.next((item) => item.call.type === 'UPDATE', limitMs);
      if (call.type !== 'UPDATE') continue;
      const { status } = call.update;
      statuses.push(status);
      acknowledge(status);
      if (status.state === state) return status;
      if (TERMINAL.includes(status.state)) throw new Error(`${status.state}: ${status.message ?? ''}`);
    }
  };
  return {
    process: child,
    sandbox,
    exited,
    statuses,
    status: (state, limitMs = 120_000) =>
      nextStatus(state, limitMs).catch((error: unknown) => {
        throw withLastWords(error, sandbox);
      }),
    kill: () => subscription.send({ type: 'KILL', kill: { taskId: taskId(spec.taskId) } }),
    shutdown: () => subscription.send({ type: 'SHUTDOWN' }),
    restartAgent: async () => {
      subscription.destroy();
      subscription = await agent.subscriptions.next(undefined, 30_000);
      subscription.send(executorSubscribed());
      acknowledging = true;
      const { call } = subscription;
      const carried = call.type === 'SUBSCRIBE' ? (call.subscribe.unacknowledgedUpdates ?? []) : [];
      for (const { status } of carried) acknowledge(status);
      return { carriedUpdates: carried.length };
    },
    stopAcknowledging: () => {
      acknowledging = false;
    },
  };
}

function startBundle(options: LaunchOptions, agent: FakeAgent, sandbox: string): ChildProcess {
  return spawn(process.execPath, [options.bundle], {
    cwd: sandbox,
    env: {
      ...agentVariables(agent, sandbox),
      // A host of the test's own, as far as mounts go.
      MOUNT_LEDGER_DIRECTORY: join(options.root, 'mounts'),
      ...options.environment,
      ELASTICSEARCH_NODE_ID: String(options.spec.nodeId),
    },
    stdio: ['ignore', 'ignore', openSync(join(sandbox, 'stderr'), 'a')],
  });
}

/** The reason as the executor tells it: a test that fails elsewhere is known by its messages only. */
function withLastWords(error: unknown, sandbox: string): Error {
  const lines = readFileSync(join(sandbox, 'stderr'), 'utf8').trimEnd().split('\n');
  const message = error instanceof Error ? error.message : String(error);
  return new Error([message, 'The executor said last:', ...lines.slice(-8)].join('\n'), { cause: error });
}

function agentVariables(agent: FakeAgent, sandbox: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    MESOS_FRAMEWORK_ID: 'framework-1',
    MESOS_EXECUTOR_ID: 'executor-1',
    MESOS_AGENT_ENDPOINT: agent.url.host,
    MESOS_DIRECTORY: sandbox,
    MESOS_SANDBOX: sandbox,
    MESOS_CHECKPOINT: '1',
    MESOS_RECOVERY_TIMEOUT: '1mins',
    MESOS_SUBSCRIPTION_BACKOFF_MAX: '100ms',
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '60secs',
  };
}
