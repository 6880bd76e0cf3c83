/** The executor's subscription at work: executes what the machine decides, over HTTP. */
import { randomUUID } from 'node:crypto';
import { executorCalls } from '../calls/executor-calls.ts';
import { encodeExecutorCall } from '../codec/calls.ts';
import type { Encoding } from '../codec/encoding.ts';
import { decodeExecutorEvent } from '../codec/events.ts';
import type { ExecutorCall, ExecutorEvent, Update } from '../types/executor-api.ts';
import type { ExecutorId, FrameworkId, StatusUuid } from '../types/ids.ts';
import type { TaskStatus } from '../types/messages.ts';
import type { CallChannel } from './call-channel.ts';
import { DEFAULT_CALL_TIMEOUT_MS, openCallChannel } from './call-channel.ts';
import type { Clock, SessionLog } from './clock.ts';
import { systemClock } from './clock.ts';
import type { TlsOptions } from './connection.ts';
import { describeFault } from './connection.ts';
import { executorCallConsequence } from './consequences.ts';
import type { EventStream, EventStreamHandlers } from './event-stream.ts';
import { openEventStream } from './event-stream.ts';
import { executorWakeAt, initialExecutor, stepExecutor } from './executor-machine.ts';
import type { ExecutorChange, ExecutorEffect, ExecutorInput } from './executor-state.ts';
import type { OrderedDelivery } from './ordered-delivery.ts';
import { orderedDelivery } from './ordered-delivery.ts';

const DEFAULT_ATTEMPT_TIMEOUT_MS = 15_000;
const EXECUTOR_PATH = '/api/v1/executor';

type ConnectEffect = Extract<ExecutorEffect, { kind: 'connect' }>;

export interface ExecutorSessionOptions {
  /** `http(s)://ip:port` of the agent. */
  endpoint: URL;
  frameworkId: FrameworkId;
  executorId: ExecutorId;
  /** MESOS_CHECKPOINT: without it the session gives up at once when the agent is lost. */
  checkpoint: boolean;
  /** MESOS_RECOVERY_TIMEOUT: how long to keep trying after losing the agent. */
  recoveryTimeoutMs: number;
  /** MESOS_SUBSCRIPTION_BACKOFF_MAX: upper bound of the wait between attempts. */
  backoffMaxMs: number;
  /** MESOS_EXECUTOR_AUTHENTICATION_TOKEN. */
  token?: string | undefined;
  tls?: TlsOptions | undefined;
  encoding: Encoding;
  /** Events and changes come in one order, one at a time: the next waits for the returned promise. */
  onEvent: (event: ExecutorEvent) => void | Promise<void>;
  onState: (change: ExecutorChange) => void | Promise<void>;
  log: SessionLog;
  clock?: Clock;
  /** In [0, 1). */
  random?: () => number;
  callTimeoutMs?: number;
  /** From connecting to the first event; 15 s unless told. */
  attemptTimeoutMs?: number;
}

export interface ExecutorSession {
  /**
   * Queues an update until the agent has acknowledged it, across connections. A missing uuid, source and
   * timestamp are filled in. Throws TypeError for what no agent takes: TASK_STAGING, or a missing field.
   */
  sendUpdate(status: TaskStatus): void;
  /** Best effort; false if it cannot even be tried now. */
  sendMessage(data: Uint8Array): boolean;
  /** Updates that the agent has not acknowledged. */
  unacknowledged(): number;
  /** True as soon as every update is acknowledged, false after `timeoutMs` or at the session's end. */
  drained(timeoutMs: number): Promise<boolean>;
  /** Nothing is delivered after it; unacknowledged updates are lost. */
  close(): void;
}

/** A version 4 uuid as base64 of its 16 bytes; agents refuse other versions. */
export function newStatusUuid(): StatusUuid {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64') as StatusUuid;
}

export function startExecutorSession(options: ExecutorSessionOptions): ExecutorSession {
  const driver = new ExecutorDriver(options);
  driver.feed({ kind: 'start' });
  return {
    sendUpdate: (status) => driver.sendUpdate(completed(status)),
    sendMessage: (data) => driver.sendMessage(data),
    unacknowledged: () => driver.unacknowledged(),
    drained: (timeoutMs) => driver.drained(timeoutMs),
    close: () => driver.close(),
  };
}

function completed(status: TaskStatus): TaskStatus {
  if (status.state === 'TASK_STAGING') throw new TypeError('an executor may not report TASK_STAGING');
  return {
    ...status,
    source: 'SOURCE_EXECUTOR',
    uuid: status.uuid ?? newStatusUuid(),
    timestamp: status.timestamp ?? Date.now() / 1000,
  };
}

class ExecutorDriver {
  readonly #options: ExecutorSessionOptions;
  readonly #clock: Clock;
  readonly #delivery: OrderedDelivery;
  readonly #url: URL;
  readonly #drainWaiters = new Set<() => void>();
  #machine = initialExecutor();
  #stream: EventStream | null = null;
  #channel: CallChannel | null = null;
  #cancelTimer: () => void = () => undefined;

  constructor(options: ExecutorSessionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#url = new URL(EXECUTOR_PATH, options.endpoint);
    this.#delivery = orderedDelivery((err) =>
      options.log.error({ err }, 'a handler of the executor session failed'),
    );
  }

  feed(input: ExecutorInput): void {
    const { random = Math.random, attemptTimeoutMs = DEFAULT_ATTEMPT_TIMEOUT_MS } = this.#options;
    const { checkpoint, recoveryTimeoutMs, backoffMaxMs } = this.#options;
    const context = {
      now: this.#clock.now(),
      random: random(),
      checkpoint,
      recoveryTimeoutMs,
      backoffMaxMs,
      attemptTimeoutMs,
    };
    const step = stepExecutor(this.#machine, input, context);
    this.#machine = step.state;
    this.#setTimer();
    for (const effect of step.effects) this.#execute(effect);
    for (const wake of this.#drainWaiters) wake();
  }

  #setTimer(): void {
    this.#cancelTimer();
    const wakeAt = executorWakeAt(this.#machine);
    if (wakeAt === null) return;
    this.#cancelTimer = this.#clock.after(wakeAt - this.#clock.now(), () => this.feed({ kind: 'tick' }));
  }

  #execute(effect: ExecutorEffect): void {
    const { log, onEvent, onState } = this.#options;
    switch (effect.kind) {
      case 'connect':
        this.#connect(effect);
        break;
      case 'disconnect':
        this.#disconnect();
        break;
      case 'send':
        void this.#send(effect.attempt, effect.update);
        break;
      case 'deliver':
        this.#delivery.push(() => onEvent(effect.event));
        break;
      case 'change':
        log.info({ subscription: effect.change }, 'executor subscription changed');
        this.#delivery.push(() => onState(effect.change));
        break;
      case 'dropped':
        log.error({ status: effect.update.status, reason: effect.reason }, 'the agent refuses an update');
        break;
      case 'ignored':
        log.error({ reason: effect.reason }, 'an event could not be read and is skipped');
    }
  }

  #disconnect(): void {
    this.#stream?.close();
    this.#channel?.close();
    this.#stream = this.#channel = null;
  }

  #connect(effect: ConnectEffect): void {
    try {
      this.#open(effect);
    } catch (error) {
      const reason = `cannot make the SUBSCRIBE call: ${describeFault(error)}`;
      this.feed({ kind: 'lost', attempt: effect.attempt, reason });
    }
  }

  #open({ attempt, tasks, updates }: ConnectEffect): void {
    const { encoding, token, tls } = this.#options;
    const credentials = token === undefined ? undefined : ({ kind: 'bearer', token } as const);
    const connection = { encoding, credentials, tls };
    const timeoutMs = this.#options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
    this.#disconnect();
    this.#channel = openCallChannel(this.#url, connection, { clock: this.#clock, timeoutMs });
    const handlers: EventStreamHandlers = {
      onOpen: () => this.feed({ kind: 'opened', attempt }),
      onAnswer: (answer) =>
        this.feed({ kind: 'answered', attempt, status: answer.status, body: answer.body }),
      onRecord: (record, recordEncoding) => this.#onRecord(attempt, record, recordEncoding),
      onLost: (reason) => this.feed({ kind: 'lost', attempt, reason }),
    };
    const body = encodeExecutorCall(executorCalls.subscribe(this.#options, { tasks, updates }), encoding);
    this.#stream = openEventStream(this.#url, body, connection, handlers);
  }

  #onRecord(attempt: number, record: Uint8Array, encoding: Encoding): void {
    let event: ExecutorEvent;
    try {
      event = decodeExecutorEvent(record, encoding);
    } catch (error) {
      this.feed({ kind: 'undecodable', attempt, reason: describeFault(error) });
      return;
    }
    this.feed({ kind: 'event', attempt, event });
  }

  async #send(attempt: number, update: Update): Promise<void> {
    const uuid = update.status.uuid as StatusUuid;
    const answer = await this.#post(executorCalls.update(this.#options, update.status));
    if (answer.kind !== 'answered') {
      this.feed({ kind: 'update-answered', attempt, uuid, consequence: 'retry', reason: answer.reason });
      return;
    }
    const consequence = executorCallConsequence(answer);
    const reason = `UPDATE was answered with ${answer.status} ${answer.body}`.trim();
    this.feed({ kind: 'update-answered', attempt, uuid, consequence, reason });
  }

  async #post(call: ExecutorCall) {
    try {
      const body = encodeExecutorCall(call, this.#options.encoding);
      return (await this.#channel?.post(body, {})) ?? { kind: 'not-sent' as const, reason: 'not connected' };
    } catch (error) {
      return { kind: 'answered' as const, status: 400, body: `not sent: ${describeFault(error)}` };
    }
  }

  sendUpdate(status: TaskStatus): void {
    // Tried here, where it is the caller's fault, rather than with the next SUBSCRIBE.
    encodeExecutorCall(executorCalls.update(this.#options, status), this.#options.encoding);
    this.feed({ kind: 'send-update', update: { status } });
  }

  sendMessage(data: Uint8Array): boolean {
    if (this.#machine.phase.name !== 'subscribed') return false;
    void this.#post(executorCalls.message(this.#options, data));
    return true;
  }

  unacknowledged(): number {
    return this.#machine.updates.length;
  }

  drained(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (result: boolean) => {
        this.#drainWaiters.delete(check);
        cancel();
        resolve(result);
      };
      const check = () => {
        if (this.unacknowledged() === 0) settle(true);
        else if (this.#machine.phase.name === 'ended') settle(false);
      };
      const cancel = this.#clock.after(timeoutMs, () => settle(false));
      this.#drainWaiters.add(check);
      check();
    });
  }

  close(): void {
    this.#delivery.stop();
    this.feed({ kind: 'close' });
  }
}
