/** What an agent can be told, and what a running one shows. */
import type { Logger } from 'pino';
import type { AgentId, Attribute, Resource } from '@mesos-elasticsearch/mesos-v1';
import type { IsolatorName } from '../core/agent/isolation.ts';

export interface AgentOptions {
  /** `host:port` of the master (or of what stands between it and this agent). */
  readonly master: string;
  /** Holds the agent's identity, its checkpoints and all sandboxes. One running agent per directory. */
  readonly workDir: string;
  /** Name in offers; agents of one cluster should differ in it. Default: the machine's. */
  readonly hostname?: string;
  /** Default 127.0.0.1. */
  readonly ip?: string;
  /** Default 0: a free one, kept over restarts in the same work directory. */
  readonly port?: number;
  /** Default `cpus:2;mem:2048;disk:10000;ports:[31000-31999]`. */
  readonly resources?: readonly Resource[];
  readonly attributes?: readonly Attribute[];
  /** Added to the environment of every executor. */
  readonly executorEnvironment?: Readonly<Record<string, string>>;
  /** Default 60 000. */
  readonly executorRegistrationTimeoutMs?: number;
  /** How long a restarted agent waits for its executors. Default 2 000. */
  readonly executorReregistrationTimeoutMs?: number;
  /** Default 5 000. */
  readonly executorShutdownGraceMs?: number;
  /** How long executors try to reach a dead agent. Default 900 000. */
  readonly recoveryTimeoutMs?: number;
  /** First wait before an unacknowledged update is sent again. Default 10 000. */
  readonly resendMinMs?: number;
  /** Silence of the master after which it is looked for anew. Default: what the master says at registration. */
  readonly masterSilenceMs?: number;
  /** argv of the executor for tasks that have a command only. Default: this program, `local command-executor`. */
  readonly commandExecutor?: readonly string[];
  /** Isolators that mount Docker volumes, through dvdcli; they need root. Default: none. */
  readonly isolation?: readonly IsolatorName[];
  /** The program that they call. Default: `dvdcli` in the agent's PATH. */
  readonly dvdcli?: string;
  readonly logger?: Logger;
}

export interface RunningAgent {
  /** Known from the first registration on. */
  readonly agentId: () => AgentId | undefined;
  readonly host: string;
  readonly port: number;
  /** Resolves with the agent ID as soon as the master has registered this agent. */
  readonly registered: Promise<AgentId>;
  /** pids of the executors' first processes. */
  executorPids(): number[];
  /** Stops the agent as a crash would: executors live on. */
  close(): Promise<void>;
  /** Kills every executor with all below it, then stops the agent. */
  destroy(): Promise<void>;
}
