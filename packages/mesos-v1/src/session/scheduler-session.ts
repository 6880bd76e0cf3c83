/** The scheduler's subscription at work: executes what the machine decides, over HTTP. */
import { encodeSchedulerCall } from '../codec/calls.ts';
import type { Encoding } from '../codec/encoding.ts';
import { decodeSchedulerEvent } from '../codec/events.ts';
import { schedulerCalls } from '../calls/scheduler-calls.ts';
import type { RecordioLimits } from '../recordio/decode.ts';
import type { FrameworkInfo } from '../types/messages.ts';
import type { FrameworkId, StreamId } from '../types/ids.ts';
import type { SchedulerCall, SchedulerEvent } from '../types/scheduler-api.ts';
import type { CallAnswer, CallChannel } from './call-channel.ts';
import { DEFAULT_CALL_TIMEOUT_MS, openCallChannel } from './call-channel.ts';
import type { Clock, SessionLog } from './clock.ts';
import { systemClock } from './clock.ts';
import type { Credentials, TlsOptions } from './connection.ts';
import { describeFault } from './connection.ts';
import type { Consequence } from './consequences.ts';
import { schedulerCallConsequence } from './consequences.ts';
import type { EventStream, EventStreamHandlers } from './event-stream.ts';
import { openEventStream } from './event-stream.ts';
import type { OrderedDelivery } from './ordered-delivery.ts';
import { orderedDelivery } from './ordered-delivery.ts';
import { initialScheduler, schedulerWakeAt, stepScheduler } from './scheduler-machine.ts';
import type { SchedulerChange, SchedulerEffect, SchedulerInput } from './scheduler-state.ts';

const DEFAULT_SUBSCRIBE_TIMEOUT_MS = 30_000;

type ConnectEffect = Extract<SchedulerEffect, { kind: 'connect' }>;

export interface SchedulerSessionOptions {
  /**
   * Asked before every attempt. Masters in the order to try them; those that do not lead redirect.
   * `http(s)://host:port`. None: not known yet, asked again after a pause or at `leaderChanged`.
   */
  masters: () => Promise<readonly URL[] | URL> | readonly URL[] | URL;
  /** Asked at every SUBSCRIBE. Its `id`, or else the one that SUBSCRIBED told, makes it a resubscription. */
  frameworkInfo: () => FrameworkInfo | Promise<FrameworkInfo>;
  /** Sent with every SUBSCRIBE: leaving a role out un-suppresses it. */
  suppressedRoles?: () => string[];
  encoding: Encoding;
  credentials?: Credentials | undefined;
  tls?: TlsOptions | undefined;
  /** Events and changes come in one order, one at a time: the next waits for the returned promise. */
  onEvent: (event: SchedulerEvent) => void | Promise<void>;
  onState: (change: SchedulerChange) => void | Promise<void>;
  log: SessionLog;
  clock?: Clock;
  /** In [0, 1). */
  random?: () => number;
  /** For the answer to a call; 75 s unless told. */
  callTimeoutMs?: number;
  /** From connecting to SUBSCRIBED; 30 s unless told. */
  subscribeTimeoutMs?: number;
  recordLimits?: RecordioLimits;
}

export type CallOutcome =
  /** Taken for processing; says nothing about success. */
  | { kind: 'accepted' }
  /** Will never work as it is. */
  | { kind: 'refused'; status: number; reason: string }
  /** Certainly not processed: no subscription, no connection, or the master is not ready. */
  | { kind: 'not-processed'; reason: string }
  /** May or may not have been processed. */
  | { kind: 'unknown'; reason: string };

export interface SchedulerSession {
  /** Never rejects. The framework ID and the stream ID are filled in. Only works while subscribed. */
  call(call: SchedulerCall): Promise<CallOutcome>;
  /** Leaves the present stream and subscribes anew at once. */
  resubscribe(reason?: string): void;
  /**
   * Another master leads, at one of these URLs: goes there at once, unless the stream is that master's already. `masters`
   * is asked again, so it must know by now.
   */
  leaderChanged(urls: readonly URL[]): void;
  /** Ends the session without a word to the master: tasks keep running. Nothing is delivered after it. */
  close(): void;
}

export function startSchedulerSession(options: SchedulerSessionOptions): SchedulerSession {
  const driver = new SchedulerDriver(options);
  driver.feed({ kind: 'start' });
  return {
    call: (call) => driver.call(call),
    resubscribe: (reason = 'asked to resubscribe') => driver.feed({ kind: 'resubscribe', reason }),
    leaderChanged: (urls) => driver.feed({ kind: 'leader-changed', urls: urls.map(({ href }) => href) }),
    close: () => driver.close(),
  };
}

class SchedulerDriver {
  readonly #options: SchedulerSessionOptions;
  readonly #clock: Clock;
  readonly #delivery: OrderedDelivery;
  #machine = initialScheduler();
  #stream: EventStream | null = null;
  #channel: CallChannel | null = null;
  #cancelTimer: () => void = () => undefined;

  constructor(options: SchedulerSessionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#delivery = orderedDelivery((err) =>
      options.log.error({ err }, 'a handler of the scheduler session failed'),
    );
  }

  feed(input: SchedulerInput): void {
    const { random = Math.random, subscribeTimeoutMs = DEFAULT_SUBSCRIBE_TIMEOUT_MS } = this.#options;
    const context = { now: this.#clock.now(), random: random(), subscribeTimeoutMs };
    const step = stepScheduler(this.#machine, input, context);
    this.#machine = step.state;
    this.#setTimer();
    for (const effect of step.effects) this.#execute(effect);
  }

  #setTimer(): void {
    this.#cancelTimer();
    const wakeAt = schedulerWakeAt(this.#machine);
    if (wakeAt === null) return;
    this.#cancelTimer = this.#clock.after(wakeAt - this.#clock.now(), () => this.feed({ kind: 'tick' }));
  }

  #execute(effect: SchedulerEffect): void {
    const { log, onEvent, onState } = this.#options;
    switch (effect.kind) {
      case 'find-masters':
        void this.#findMasters(effect.attempt);
        break;
      case 'connect':
        void this.#connect(effect);
        break;
      case 'disconnect':
        this.#disconnect();
        break;
      case 'deliver':
        this.#delivery.push(() => onEvent(effect.event));
        break;
      case 'change':
        log.info({ subscription: effect.change }, 'scheduler subscription changed');
        this.#delivery.push(() => onState(effect.change));
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

  async #findMasters(attempt: number): Promise<void> {
    try {
      const found = await this.#options.masters();
      const urls = [found].flat().map((url) => url.href);
      this.feed({ kind: 'masters', attempt, urls });
    } catch (error) {
      this.feed({ kind: 'masters-failed', attempt, reason: describeFault(error) });
    }
  }

  async #connect({ attempt, url, frameworkId }: ConnectEffect): Promise<void> {
    try {
      const body = await this.#subscribeBody(frameworkId);
      if (this.#machine.attempt === attempt) this.#open(attempt, new URL(url), body);
    } catch (error) {
      this.feed({ kind: 'lost', attempt, reason: `cannot make the SUBSCRIBE call: ${describeFault(error)}` });
    }
  }

  async #subscribeBody(known: FrameworkId | null): Promise<Uint8Array> {
    const { frameworkInfo, suppressedRoles, encoding } = this.#options;
    const given = await frameworkInfo();
    const info = given.id === undefined && known !== null ? { ...given, id: known } : given;
    return encodeSchedulerCall(schedulerCalls.subscribe(info, suppressedRoles?.()), encoding);
  }

  #open(attempt: number, url: URL, body: Uint8Array): void {
    const { encoding, credentials, tls, recordLimits } = this.#options;
    const connection = { encoding, credentials, tls };
    const timeoutMs = this.#options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
    this.#disconnect();
    this.#channel = openCallChannel(url, connection, { clock: this.#clock, timeoutMs });
    const handlers: EventStreamHandlers = {
      onOpen: (id) => this.feed({ kind: 'opened', attempt, streamId: id as StreamId }),
      onAnswer: (answer) => this.feed({ kind: 'answered', attempt, ...answer }),
      onRecord: (record, recordEncoding) => this.#onRecord(attempt, record, recordEncoding),
      onLost: (reason) => this.feed({ kind: 'lost', attempt, reason }),
    };
    this.#stream = openEventStream(url, body, connection, handlers, recordLimits);
  }

  #onRecord(attempt: number, record: Uint8Array, encoding: Encoding): void {
    let event: SchedulerEvent;
    try {
      event = decodeSchedulerEvent(record, encoding);
    } catch (error) {
      this.feed({ kind: 'undecodable', attempt, reason: describeFault(error) });
      return;
    }
    this.feed({ kind: 'event', attempt, event });
  }

  async call(made: SchedulerCall): Promise<CallOutcome> {
    const { phase, frameworkId } = this.#machine;
    if (phase.name !== 'subscribed' || frameworkId === null || this.#channel === null) {
      return { kind: 'not-processed', reason: `not subscribed (${phase.name})` };
    }
    const { streamId } = phase;
    let body: Uint8Array;
    try {
      body = encodeSchedulerCall({ ...made, frameworkId }, this.#options.encoding);
    } catch (error) {
      return { kind: 'refused', status: 0, reason: `the call is not complete: ${describeFault(error)}` };
    }
    const answer = await this.#channel.post(body, { 'Mesos-Stream-Id': streamId });
    if (answer.kind !== 'answered') return withoutAnswer(answer);
    const consequence = schedulerCallConsequence(answer);
    const reason = `${made.type} was answered with ${answer.status} ${answer.body}`.trim();
    this.feed({ kind: 'call-answered', streamId, consequence, reason });
    return outcomeOf(consequence, answer.status, reason);
  }

  close(): void {
    this.#delivery.stop();
    this.feed({ kind: 'close' });
  }
}

function withoutAnswer(answer: Exclude<CallAnswer, { kind: 'answered' }>): CallOutcome {
  const { reason } = answer;
  return answer.kind === 'not-sent' ? { kind: 'not-processed', reason } : { kind: 'unknown', reason };
}

function outcomeOf(consequence: Consequence, status: number, reason: string): CallOutcome {
  switch (consequence) {
    case 'ok':
      return { kind: 'accepted' };
    case 'retry':
    case 'resubscribe':
      return { kind: 'not-processed', reason };
    case 'replaced':
    case 'give-up':
    case 'fatal':
      return { kind: 'refused', status, reason };
  }
}
