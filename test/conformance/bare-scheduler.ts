/** A scheduler that says exactly what a scenario tells it to, and keeps everything it hears, in order. */
import { request } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  decodeRecordio,
  decodeSchedulerEvent,
  encodeSchedulerCall,
  initialRecordio,
} from '@mesos-elasticsearch/mesos-v1';
import type {
  Encoding,
  FrameworkId,
  FrameworkInfo,
  Offer,
  SchedulerCall,
  SchedulerEvent,
  StatusUuid,
  TaskId,
  TaskStatus,
} from '@mesos-elasticsearch/mesos-v1';

const DEADLINE_MS = 40_000;
const POLL_MS = 5;

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export const FRAMEWORK: FrameworkInfo = {
  user: 'root',
  name: 'conformance',
  failoverTimeout: 3600,
  checkpoint: true,
};

/** One HTTP exchange, nothing added: what the errors' scenarios need. */
export async function exchange(
  master: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(`http://${master}/api/v1/scheduler`, {
      method: options.method ?? 'POST',
      headers: options.headers ?? {},
      agent: false,
    });
    asking.on('error', reject);
    asking.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
      );
    });
    asking.end(options.body);
  });
}

export class BareScheduler {
  readonly events: SchedulerEvent[] = [];
  readonly acknowledged: TaskStatus[] = [];
  readonly #master: string;
  readonly #encoding: Encoding;
  #offers: Offer[] = [];
  #cursor = 0;
  #streamId = '';
  #contentType = '';
  #stream: ClientRequest | undefined;
  frameworkId: FrameworkId | undefined;
  ended = false;

  constructor(master: string, encoding: Encoding = 'application/json') {
    this.#master = master;
    this.#encoding = encoding;
  }

  get streamId(): string {
    return this.#streamId;
  }
  get contentType(): string {
    return this.#contentType;
  }

  /** Resolves with the answer's status when its headers have come. */
  async subscribe(info: FrameworkInfo = FRAMEWORK): Promise<number> {
    const call: SchedulerCall = {
      type: 'SUBSCRIBE',
      ...(info.id ? { frameworkId: info.id } : {}),
      subscribe: { frameworkInfo: info },
    };
    this.ended = false;
    return new Promise((resolve, reject) => {
      this.#stream = request(`http://${this.#master}/api/v1/scheduler`, {
        method: 'POST',
        agent: false,
        headers: { 'content-type': this.#encoding, accept: this.#encoding },
      });
      this.#stream.on('error', reject);
      this.#stream.on('response', (response) => {
        this.#streamId = String(response.headers['mesos-stream-id']);
        this.#contentType = String(response.headers['content-type']);
        this.#listen(response);
        resolve(response.statusCode ?? 0);
      });
      this.#stream.end(encodeSchedulerCall(call, this.#encoding));
    });
  }

  async call(call: SchedulerCall, headers: Record<string, string> = {}): Promise<Answer> {
    const full = { ...call, ...(this.frameworkId ? { frameworkId: this.frameworkId } : {}) };
    return exchange(this.#master, {
      headers: { 'content-type': this.#encoding, 'mesos-stream-id': this.#streamId, ...headers },
      body: encodeSchedulerCall(full, this.#encoding),
    });
  }

  drop(): void {
    this.#stream?.destroy();
  }

  async teardown(): Promise<void> {
    await this.call({ type: 'TEARDOWN' });
    this.drop();
  }

  /** The next event (past ones count once) that fits; the others before it are skipped. */
  async next<T extends SchedulerEvent['type']>(
    type: T,
    fits: (event: Extract<SchedulerEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<SchedulerEvent, { type: T }>> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      while (this.#cursor < this.events.length) {
        const event = this.events[this.#cursor++]!;
        if (event.type === type && fits(event as Extract<SchedulerEvent, { type: T }>)) {
          return event as Extract<SchedulerEvent, { type: T }>;
        }
      }
      if (Date.now() > deadline)
        throw new Error(`no ${type} came; heard: ${this.events.map((event) => event.type).join(' ')}`);
      await delay(POLL_MS);
    }
  }

  /** The next update of a task; acknowledged if it wants to be, unless told not to. */
  async update(taskId: TaskId, options: { acknowledge?: boolean } = {}): Promise<TaskStatus> {
    const { update } = await this.next('UPDATE', (event) => event.update.status.taskId === taskId);
    if (options.acknowledge !== false) await this.acknowledge(update.status);
    return update.status;
  }

  /** The next update that fits; those before it (a state sent again, say) are acknowledged and passed over. */
  async updateThat(taskId: TaskId, fits: (status: TaskStatus) => boolean): Promise<TaskStatus> {
    for (;;) {
      const status = await this.update(taskId);
      if (fits(status)) return status;
    }
  }

  async acknowledge(status: TaskStatus): Promise<void> {
    const { agentId, taskId, uuid } = status;
    if (uuid === undefined || agentId === undefined) return;
    this.acknowledged.push(status);
    await this.call({
      type: 'ACKNOWLEDGE',
      acknowledge: { agentId, taskId, uuid: uuid satisfies StatusUuid },
    });
  }

  /** An offer that is still good and fits; waits for one. Each is handed out once. */
  async offer(fits: (offer: Offer) => boolean = () => true): Promise<Offer> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const offer = this.#offers.find(fits);
      if (offer !== undefined) {
        this.#offers = this.#offers.filter((other) => other !== offer);
        return offer;
      }
      if (Date.now() > deadline) throw new Error('no fitting offer came');
      await delay(POLL_MS);
    }
  }

  #listen(response: IncomingMessage): void {
    let state = initialRecordio();
    response.on('error', () => undefined);
    response.on('close', () => (this.ended = true));
    response.on('data', (chunk: Buffer) => {
      const result = decodeRecordio(state, chunk);
      state = result.state;
      for (const record of result.records) this.#take(decodeSchedulerEvent(record, this.#encoding));
    });
  }

  #take(event: SchedulerEvent): void {
    this.events.push(event);
    if (event.type === 'SUBSCRIBED') this.frameworkId = event.subscribed.frameworkId;
    if (event.type === 'OFFERS') this.#offers.push(...(event.offers.offers ?? []));
    if (event.type === 'RESCIND')
      this.#offers = this.#offers.filter(({ id }) => id !== event.rescind.offerId);
  }
}
