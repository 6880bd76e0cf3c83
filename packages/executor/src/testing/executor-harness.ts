/** An executor with everything real but the agent, the leases and the volumes. */
import { randomUUID } from 'node:crypto';
import { encodeLaunchSpec, type LaunchSpecInput } from '@mesos-elasticsearch/contract';
import type { LeaseService } from '@mesos-elasticsearch/coordination';
import type { Volumes } from '@mesos-elasticsearch/dvdcli-bridge';
import { kernelUptimeClock } from '../clock.ts';
import type { StatusToSend } from '../core/effects.ts';
import { askNode, probeHost, type NodeCondition } from '../elasticsearch/probe.ts';
import { jarRuntime } from '../jar/jar-runtime.ts';
import { copyTools, type CopyTools } from '../migration/copy-tools.ts';
import type { NodeRuntime } from '../ports.ts';
import { runExecutor, type Executor } from '../run/executor.ts';
import { DEFAULT_TIMINGS, type ExecutorPorts } from '../run/ports.ts';

export interface TestedExecutor {
  readonly executor: Executor;
  readonly statuses: readonly StatusToSend[];
  launch(spec: LaunchSpecInput): void;
  /**
   * Waits for a status of that state. Rejects on any terminal one that comes instead, with its message: a
   * test must not wait for what can no longer come.
   */
  status(state: StatusToSend['state']): Promise<StatusToSend>;
}

const TERMINAL: readonly string[] = ['TASK_FAILED', 'TASK_KILLED', 'TASK_ERROR'];

export interface TestedExecutorOptions {
  sandbox: string;
  volumes: Volumes;
  leases: LeaseService;
  runtime?: NodeRuntime;
  recoverMounts?: ExecutorPorts['recoverMounts'];
  detachTries?: number;
  /** For a task that migrates: whoever has no bundle to start a copier from gives them. */
  copyTools?: CopyTools;
  timings?: Partial<ExecutorPorts['timings']>;
  /** Told of each warning and error. */
  say?: (message: string, fields: object) => void;
  /** Instead of HTTP to the node itself. */
  askNode?: () => Promise<NodeCondition>;
}

export function executorForTests(options: TestedExecutorOptions): TestedExecutor {
  const statuses: StatusToSend[] = [];
  const waiting = new Set<(status: StatusToSend) => void>();
  const trace = process.env.EXECUTOR_TRACE === undefined ? () => undefined : traceLine;
  const say = (fields: object, message: string) => {
    trace(fields, message);
    options.say?.(message, fields);
  };
  const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin' };
  const executor = runExecutor(
    {
      log: { info: trace, warn: say, error: say },
      clock: kernelUptimeClock(),
      host: () => 'agent-1',
      randomUuid: randomUUID,
      sendStatus: (status) => {
        trace(status, 'status');
        statuses.push(status);
        for (const tell of [...waiting]) tell(status);
      },
      leasesOf: () => options.leases,
      volumesOf: () => options.volumes,
      recoverMounts: options.recoverMounts ?? (() => Promise.resolve({ letGo: [], left: [], others: [] })),
      runtimeOf: () =>
        options.runtime ??
        jarRuntime({
          sandbox: options.sandbox,
          environment,
          log: (message, fields) => trace(fields, message),
        }),
      copyToolsOf: ({ elasticsearch: node }) =>
        options.copyTools ?? copyTools({ sandbox: options.sandbox, environment, program: [], node }),
      askNode: ({ elasticsearch, nodeName }) => {
        if (options.askNode) return options.askNode();
        const { bindHost, publishHost, httpPort } = elasticsearch;
        return askNode({ host: probeHost(bindHost, publishHost), port: httpPort }, nodeName);
      },
      timings: { ...DEFAULT_TIMINGS, askEveryMs: 100, ...options.timings },
    },
    {
      shutdownStopMs: 20_000,
      ...(options.detachTries === undefined ? {} : { detachTries: options.detachTries }),
    },
  );
  return {
    executor,
    statuses,
    launch: (spec) =>
      executor.dispatch({
        kind: 'launch',
        taskId: spec.taskId,
        data: encodeLaunchSpec(spec),
        environmentNodeId: String(spec.nodeId),
      }),
    status: (state) =>
      new Promise((resolve, reject) => {
        const look = (status: StatusToSend) => {
          if (status.state !== state && !TERMINAL.includes(status.state)) return;
          waiting.delete(look);
          if (status.state === state) resolve(status);
          else reject(new Error(`${status.state} instead of ${state}: ${status.message ?? ''}`));
        };
        const said = statuses.find((status) => status.state === state);
        if (said) resolve(said);
        else waiting.add(look);
      }),
  };
}

function traceLine(fields: object, message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message} ${JSON.stringify(fields)}\n`);
}
