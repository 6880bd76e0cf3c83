/** The agent as a server: the state machine of core/agent, driven by HTTP, the link, processes and a clock. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname as machineName } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import type { AgentId, ContainerIdValue, StatusUuid } from '@mesos-elasticsearch/mesos-v1';
import { firstWord, step } from '../core/agent/step.ts';
import type { AgentInput } from '../core/agent/step.ts';
import { initialAgentState } from '../core/agent/state.ts';
import type { AgentConfig, AgentEffect, AgentState, Nature } from '../core/agent/state.ts';
import { parseResources } from '../core/resource-grammar.ts';
import { closeServer, listen } from '../http/listen.ts';
import { refuse } from '../http/negotiate.ts';
import { readStateFile, writeStateFile } from '../state-file.ts';
import { startLocked } from '../work-dir-lock.ts';
import { Containers } from './containers.ts';
import { ExecutorEndpoint } from './executor-endpoint.ts';
import { Isolators } from './isolators.ts';
import { MasterLink } from './master-link.ts';
import type { AgentOptions, RunningAgent } from './options.ts';

const TICK_MS = 50;
const DEFAULT_RESOURCES = 'cpus:2;mem:2048;disk:10000;ports:[31000-31999]';
const RESEND_MAX_MS = 600_000;
const MASTER_SILENCE_MS = 75_000;
const RECOVERY_TIMEOUT_MS = 900_000;

function uuidV4Base64(): StatusUuid {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('base64') as StatusUuid;
}

function nature(): Nature {
  return {
    now: Date.now(),
    newUuid: uuidV4Base64,
    newContainerId: () => randomUUID() as string as ContainerIdValue,
  };
}

function configOf(options: AgentOptions, ip: string, port: number): AgentConfig {
  return {
    workDir: resolve(options.workDir),
    hostname: options.hostname ?? machineName(),
    ip,
    port,
    resources: options.resources ?? parseResources(DEFAULT_RESOURCES),
    attributes: options.attributes ?? [],
    executorRegistrationTimeoutMs: options.executorRegistrationTimeoutMs ?? 60_000,
    executorReregistrationTimeoutMs: options.executorReregistrationTimeoutMs ?? 2_000,
    executorShutdownGraceMs: options.executorShutdownGraceMs ?? 5_000,
    resendMinMs: options.resendMinMs ?? 10_000,
    resendMaxMs: RESEND_MAX_MS,
  };
}

class Agent {
  readonly #options: AgentOptions;
  readonly #log;
  readonly #server = createServer();
  readonly #checkpoint: string;
  readonly #executors: ExecutorEndpoint;
  readonly #isolators: Isolators;
  readonly #containers: Containers;
  readonly #link: MasterLink;
  #announceRegistered!: (agentId: AgentId) => void;
  readonly #registered = new Promise<AgentId>((announce) => {
    this.#announceRegistered = announce;
  });
  #state!: AgentState;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#log = options.logger ?? pino({ name: 'agent' }, process.stderr);
    const workDir = resolve(options.workDir);
    this.#checkpoint = join(workDir, 'meta', 'agent.json');
    const input = (one: AgentInput) => {
      this.#input(one);
    };
    this.#executors = new ExecutorEndpoint({ state: () => this.#state, input });
    this.#isolators = new Isolators({
      names: options.isolation ?? [],
      checkpoints: join(workDir, 'isolators', 'docker', 'volume'),
      warn: (message, fields) => this.#log.warn(fields, message),
      ...(options.dvdcli === undefined ? {} : { dvdcli: options.dvdcli }),
    });
    this.#containers = new Containers(
      {
        workDir,
        isolators: this.#isolators,
        commandExecutor: options.commandExecutor ?? [
          process.execPath,
          process.argv[1] ?? '',
          'local',
          'command-executor',
        ],
        surroundings: () => this.#surroundings(),
      },
      {
        started: (key, pid, startTime) => {
          input({ kind: 'EXECUTOR_STARTED', key, pid, startTime });
        },
        failed: (key, message) => {
          input({ kind: 'LAUNCH_FAILED', key, message });
        },
        exited: (key, status) => {
          input({ kind: 'EXECUTOR_EXITED', key, status });
        },
      },
    );
    this.#link = new MasterLink(options.master, options.masterSilenceMs ?? MASTER_SILENCE_MS, {
      connected: () => firstWord(this.#state),
      message: (message) => {
        input({ kind: 'MASTER', message });
        if (message.type !== 'REGISTERED') return;
        this.#announceRegistered(message.agentId);
        this.#link.giveUpAfter(options.masterSilenceMs ?? message.totalPingTimeoutMs);
      },
      lost: () => {
        input({ kind: 'LINK_LOST' });
      },
    });
  }

  async start(unlock: () => void): Promise<RunningAgent> {
    const saved = readStateFile(this.#checkpoint) as AgentState | undefined;
    const host = this.#options.ip ?? '127.0.0.1';
    const port = await listen(this.#server, host, this.#options.port ?? saved?.config.port ?? 0);
    const config = configOf(this.#options, host, port);
    this.#state = saved === undefined ? initialAgentState(config) : { ...saved, config };
    this.#save();
    this.#server.on('request', (request, response) => {
      this.#route(request, response).catch((error: unknown) => {
        this.#log.error({ err: error, path: request.url }, 'request failed');
        if (!response.headersSent) refuse(response, { status: 500, text: 'Internal error' });
      });
    });
    await this.#isolators.recover(
      new Set([...this.#state.executors.values()].map(({ containerId }) => containerId)),
    );
    for (const [key, run] of this.#state.executors) this.#containers.adopt(key, run);
    if (saved !== undefined) this.#input({ kind: 'RESTARTED' });
    this.#link.connect();
    const timer = setInterval(() => {
      this.#input({ kind: 'TICK' });
    }, TICK_MS);
    const close = async () => {
      clearInterval(timer);
      this.#containers.close();
      this.#link.close();
      await closeServer(this.#server);
      unlock();
    };
    return {
      agentId: () => this.#state.agentId,
      host,
      port,
      registered: this.#registered,
      executorPids: () => this.#containers.pids(),
      close,
      destroy: async () => {
        await this.#containers.destroyAll();
        await close();
      },
    };
  }

  #surroundings() {
    const { agentId, config } = this.#state;
    if (agentId === undefined) throw new Error('this agent has no ID yet');
    return {
      agentId,
      ip: config.ip,
      port: config.port,
      recoveryTimeoutMs: this.#options.recoveryTimeoutMs ?? RECOVERY_TIMEOUT_MS,
      subscriptionBackoffMaxMs: config.executorReregistrationTimeoutMs,
      shutdownGraceMs: config.executorShutdownGraceMs,
      operator: this.#options.executorEnvironment ?? {},
    };
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (['/api/v1/executor', '/slave(1)/api/v1/executor'].includes(decodeURIComponent(path))) {
      await this.#executors.handle(request, response);
    } else if (path === '/health' || path === '/slave(1)/health') refuse(response, { status: 200, text: '' });
    else refuse(response, { status: 404, text: '' });
  }

  #save(): void {
    writeStateFile(this.#checkpoint, this.#state);
  }

  #input(input: AgentInput): void {
    const wasRecovering = this.#state.recoveringUntil !== undefined;
    const { state, changed, effects } = step(this.#state, input, nature());
    this.#state = state;
    // What an effect tells others must not be forgotten by a crash right after it.
    if (changed) this.#save();
    for (const effect of effects) this.#perform(effect);
    if (wasRecovering && state.recoveringUntil === undefined) this.#link.send(firstWord(state));
  }

  #perform(effect: AgentEffect): void {
    switch (effect.kind) {
      case 'TELL_MASTER':
        this.#link.send(effect.message);
        return;
      case 'TELL_EXECUTOR':
        this.#executors.send(effect.key, effect.event);
        return;
      case 'CLOSE_EXECUTOR':
        this.#executors.close(effect.key);
        return;
      case 'LAUNCH':
        void this.#containers.launch(effect.key, effect.run, effect.task, effect.framework);
        return;
      case 'DESTROY':
        this.#containers.destroy(effect.key, effect.run);
        return;
      case 'LOG':
        this.#log.info(effect.fields, effect.message);
    }
  }
}

/**
 * Starts an agent. Resolves when it listens; `registered` resolves when the master knows it. Rejects with
 * WorkDirInUseError or ListenError if its work directory or its port is taken, and with an Error that names the
 * file if its checkpoint cannot be read.
 */
export async function runAgent(options: AgentOptions): Promise<RunningAgent> {
  return startLocked(resolve(options.workDir), (unlock) => new Agent(options).start(unlock));
}
