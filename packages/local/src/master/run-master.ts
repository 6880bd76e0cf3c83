/** The master as a server: the state machine of core/master, driven by HTTP, links and a clock. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import type { MasterInfo } from '@mesos-elasticsearch/mesos-v1';
import type { ToAgent, ToMaster } from '../core/link-protocol.ts';
import { step } from '../core/master/step.ts';
import type { MasterInput } from '../core/master/step.ts';
import { initialMasterState } from '../core/master/state.ts';
import type { LinkId, MasterConfig, MasterEffect, MasterState, Registry } from '../core/master/state.ts';
import { closeServer, listen } from '../http/listen.ts';
import { refuse } from '../http/negotiate.ts';
import { LineLink, LINK_PATH } from '../line-link.ts';
import { readStateFile, writeStateFile } from '../state-file.ts';
import { startLocked } from '../work-dir-lock.ts';
import { clusterState } from './cluster-state.ts';
import type { MasterOptions, RunningMaster } from './options.ts';
import { SchedulerEndpoint } from './scheduler-endpoint.ts';

/** The Mesos version whose answers this master gives. */
const EMULATED_VERSION = '1.3.2';
const TICK_MS = 50;

function packedIp(ip: string): number {
  return Buffer.from(ip.split('.').map(Number)).readUInt32LE();
}

function configOf(options: MasterOptions, ip: string, port: number): MasterConfig {
  const hostname = options.hostname ?? 'localhost';
  const masterInfo: MasterInfo = {
    id: randomUUID(),
    ip: packedIp(ip),
    port,
    pid: `master@${ip}:${port}`,
    hostname,
    version: EMULATED_VERSION,
    address: { hostname, ip, port },
  };
  return {
    masterInfo,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    allocationIntervalMs: options.allocationIntervalMs ?? 1_000,
    agentPingTimeoutMs: options.agentPingTimeoutMs ?? 15_000,
    maxAgentPingTimeouts: options.maxAgentPingTimeouts ?? 5,
    agentReregisterTimeoutMs: options.agentReregisterTimeoutMs ?? 600_000,
  };
}

class Master {
  readonly #options: MasterOptions;
  readonly #log;
  readonly #server = createServer();
  readonly #links = new Map<LinkId, LineLink<ToAgent, ToMaster>>();
  readonly #scheduler: SchedulerEndpoint;
  readonly #registryPath: string | undefined;
  #state!: MasterState;

  constructor(options: MasterOptions) {
    this.#options = options;
    this.#log = options.logger ?? pino({ name: 'master' }, process.stderr);
    this.#registryPath = options.workDir === undefined ? undefined : join(options.workDir, 'registry.json');
    const machine = {
      state: () => this.#state,
      input: (input: MasterInput) => {
        this.#input(input);
      },
    };
    this.#scheduler = new SchedulerEndpoint(machine, options.credentials);
  }

  async start(unlock: () => void): Promise<RunningMaster> {
    const host = this.#options.ip ?? '127.0.0.1';
    const registry = this.#registryPath === undefined ? undefined : readStateFile(this.#registryPath);
    const port = await listen(this.#server, host, this.#options.port ?? 5050);
    const known = (registry as Registry | undefined) ?? { agents: [], unreachable: [] };
    this.#state = initialMasterState(configOf(this.#options, host, port), known, Date.now());
    this.#serve();
    const timer = setInterval(() => {
      this.#input({ kind: 'TICK' });
    }, TICK_MS);
    return {
      host,
      port,
      url: `http://${host}:${port}`,
      close: async () => {
        clearInterval(timer);
        for (const link of this.#links.values()) link.close();
        await closeServer(this.#server);
        unlock();
      },
    };
  }

  #serve(): void {
    this.#server.on('request', (request, response) => {
      this.#route(request, response).catch((error: unknown) => {
        this.#log.error({ err: error, path: request.url }, 'request failed');
        if (!response.headersSent) refuse(response, { status: 500, text: 'Internal error' });
      });
    });
    this.#server.on('upgrade', (request, socket) => {
      if (request.url !== LINK_PATH) {
        socket.destroy();
        return;
      }
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ' +
          (request.headers.upgrade ?? '') +
          '\r\n\r\n',
      );
      const id = randomUUID() as string as LinkId;
      const link = new LineLink<ToAgent, ToMaster>(socket, {
        message: (message) => {
          this.#input({ kind: 'AGENT', link: id, message });
        },
        closed: () => {
          this.#links.delete(id);
          this.#input({ kind: 'LINK_CLOSED', link: id });
        },
      });
      this.#links.set(id, link);
    });
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0];
    if (path === '/api/v1/scheduler' || path === '/master/api/v1/scheduler') {
      await this.#scheduler.handle(request, response);
    } else if (path === '/health' || path === '/master/health') {
      refuse(response, { status: 200, text: '' });
    } else if (path === '/state' || path === '/master/state') {
      const body = JSON.stringify(clusterState(this.#state, Date.now()));
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    } else refuse(response, { status: 404, text: '' });
  }

  #input(input: MasterInput): void {
    const { state, effects } = step(this.#state, input, Date.now());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: MasterEffect): void {
    switch (effect.kind) {
      case 'SEND':
        this.#scheduler.send(effect.streamId, effect.event);
        return;
      case 'CLOSE_STREAM':
        this.#scheduler.closeStream(effect.streamId);
        return;
      case 'TELL_AGENT':
        this.#links.get(effect.link)?.send(effect.message);
        return;
      case 'CLOSE_LINK':
        this.#links.get(effect.link)?.close();
        return;
      case 'SAVE_REGISTRY':
        if (this.#registryPath !== undefined) writeStateFile(this.#registryPath, effect.registry);
        return;
      case 'LOG':
        this.#log.info(effect.fields, effect.message);
    }
  }
}

/**
 * Starts a Mesos-compatible master. Rejects with WorkDirInUseError or ListenError if its work directory or its
 * port is taken, and with an Error that names the file if the saved list of agents cannot be read.
 */
export async function runMaster(options: MasterOptions = {}): Promise<RunningMaster> {
  const { workDir } = options;
  const directory = workDir === undefined ? undefined : resolve(workDir);
  return startLocked(directory, (unlock) => new Master(options).start(unlock));
}
