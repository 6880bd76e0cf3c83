/** A small client of the executor API for executors of our own: subscribes, reconnects, sends updates. */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import {
  decodeExecutorEvent,
  decodeRecordio,
  encodeExecutorCall,
  executorId,
  frameworkId,
  initialRecordio,
} from '@mesos-elasticsearch/mesos-v1';
import type {
  Encoding,
  ExecutorCall,
  ExecutorEvent,
  StatusUuid,
  TaskInfo,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';
import { parseDuration } from '../core/duration.ts';

const RETRY_MS = 200;

export interface AgentClientEvents {
  readonly event: (event: ExecutorEvent) => void;
  /** The agent was not reachable for the whole recovery time, or nothing is checkpointed. */
  readonly abandoned: () => void;
}

type Update = TaskStatus & { uuid: StatusUuid };

function newUuid(): StatusUuid {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64') as StatusUuid;
}

export class AgentClient {
  readonly #env: NodeJS.ProcessEnv;
  readonly #encoding: Encoding;
  readonly #on: AgentClientEvents;
  readonly #calls = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #unackedUpdates = new Map<StatusUuid, Update>();
  readonly #unackedTasks = new Map<string, TaskInfo>();
  #lostAt: number | undefined;

  constructor(env: NodeJS.ProcessEnv, on: AgentClientEvents, encoding: Encoding = 'application/json') {
    this.#env = env;
    this.#on = on;
    this.#encoding = encoding;
  }

  subscribe(): void {
    const call: ExecutorCall = {
      type: 'SUBSCRIBE',
      ...this.#who(),
      subscribe: {
        unacknowledgedTasks: [...this.#unackedTasks.values()],
        unacknowledgedUpdates: [...this.#unackedUpdates.values()].map((status) => ({ status })),
      },
    };
    const asking = this.#request(call, { accept: this.#encoding });
    asking.on('response', (response) => {
      if (response.statusCode === 200) this.#listen(response);
      else {
        response.resume();
        this.#again();
      }
    });
    asking.on('error', () => {
      this.#again();
    });
  }

  /** Fills in uuid, source and time; is sent again after a reconnection until the agent has acknowledged it. */
  update(status: Omit<TaskStatus, 'uuid' | 'source' | 'timestamp'>): void {
    const full: Update = {
      ...status,
      uuid: newUuid(),
      source: 'SOURCE_EXECUTOR',
      timestamp: Date.now() / 1000,
    };
    this.#unackedUpdates.set(full.uuid, full);
    this.#post({ type: 'UPDATE', ...this.#who(), update: { status: full } });
  }

  message(data: Uint8Array): void {
    this.#post({ type: 'MESSAGE', ...this.#who(), message: { data } });
  }

  #who() {
    return {
      frameworkId: frameworkId(this.#env.MESOS_FRAMEWORK_ID ?? ''),
      executorId: executorId(this.#env.MESOS_EXECUTOR_ID ?? ''),
    };
  }

  #request(call: ExecutorCall, headers: Record<string, string>, agent: Agent | false = false) {
    const body = encodeExecutorCall(call, this.#encoding);
    const asking = request(`http://${this.#env.MESOS_AGENT_ENDPOINT ?? ''}/api/v1/executor`, {
      method: 'POST',
      agent,
      headers: { 'content-type': this.#encoding, 'content-length': body.length, ...headers },
    });
    asking.end(body);
    return asking;
  }

  #post(call: ExecutorCall): void {
    const asking = this.#request(call, {}, this.#calls);
    asking.on('response', (response) => {
      response.resume();
      // A recovering agent takes no updates yet (503).
      if (response.statusCode === 503) this.#postLater(call);
    });
    // Lost updates go out again with the next subscription.
    asking.on('error', () => undefined);
  }

  #postLater(call: ExecutorCall): void {
    if (call.type !== 'UPDATE') return;
    const { uuid } = call.update.status;
    setTimeout(() => {
      if (uuid !== undefined && this.#unackedUpdates.has(uuid)) this.#post(call);
    }, RETRY_MS);
  }

  #listen(response: IncomingMessage): void {
    this.#lostAt = undefined;
    let state = initialRecordio();
    response.on('data', (chunk: Buffer) => {
      const result = decodeRecordio(state, chunk);
      state = result.state;
      for (const record of result.records) this.#take(decodeExecutorEvent(record, this.#encoding));
    });
    response.on('error', () => undefined);
    response.on('close', () => {
      this.#again();
    });
  }

  #take(event: ExecutorEvent): void {
    if (event.type === 'LAUNCH') this.#unackedTasks.set(event.launch.task.taskId, event.launch.task);
    if (event.type === 'ACKNOWLEDGED') {
      this.#unackedUpdates.delete(event.acknowledged.uuid);
      this.#unackedTasks.delete(event.acknowledged.taskId);
    }
    this.#on.event(event);
  }

  #again(): void {
    this.#lostAt ??= Date.now();
    const patienceMs = parseDuration(this.#env.MESOS_RECOVERY_TIMEOUT ?? '') ?? 0;
    if (this.#env.MESOS_CHECKPOINT !== '1' || Date.now() - this.#lostAt > patienceMs) {
      this.#on.abandoned();
      return;
    }
    setTimeout(() => {
      this.subscribe();
    }, RETRY_MS);
  }
}
