/** The least of a framework: launches commands, acknowledges, remembers the states it heard. For tests of this package. */
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  agentId as parseAgentId,
  decodeRecordio,
  decodeSchedulerEvent,
  encodeSchedulerCall,
  frameworkId as parseFrameworkId,
  initialRecordio,
  taskId as parseTaskId,
} from '@mesos-elasticsearch/mesos-v1';
import type {
  FrameworkCapability,
  Offer,
  SchedulerCall,
  SchedulerEvent,
} from '@mesos-elasticsearch/mesos-v1';

const DEADLINE_MS = 20_000;
const JSON_TYPE = 'application/json';

export class BareFramework {
  id = '';
  readonly #url: string;
  readonly #states = new Map<string, string[]>();
  readonly #offers = new Map<string, Offer>();
  #streamId = '';
  #stream: ClientRequest | undefined;

  private constructor(masterUrl: string) {
    this.#url = `${masterUrl}/api/v1/scheduler`;
  }

  /** With `id`: takes over that framework. Resolves when SUBSCRIBED has come. */
  static async subscribe(
    masterUrl: string,
    capabilities: readonly FrameworkCapability[] = [],
    id?: string,
  ): Promise<BareFramework> {
    const framework = new BareFramework(masterUrl);
    const known = id === undefined ? undefined : parseFrameworkId(id);
    await framework.#subscribe({
      type: 'SUBSCRIBE',
      ...(known ? { frameworkId: known } : {}),
      subscribe: {
        frameworkInfo: {
          user: 'root',
          name: 'bare',
          failoverTimeout: 60,
          checkpoint: true,
          capabilities: capabilities.map((type) => ({ type })),
          ...(known ? { id: known } : {}),
        },
      },
    });
    return framework;
  }

  /** Every state heard of a task, in order. */
  states(task: string): readonly string[] {
    return this.#states.get(task) ?? [];
  }

  async offerOf(agent: string): Promise<Offer> {
    const find = () => [...this.#offers.values()].find((offer) => offer.agentId === agent);
    const offer = await this.#eventually(find, `an offer of agent ${agent}`);
    this.#offers.delete(offer.id);
    return offer;
  }

  /** A command task of 0.1 cpus and 32 MB, named after its id. */
  async launch(task: string, agent: string, command: string): Promise<void> {
    const offer = await this.offerOf(agent);
    const resources = [
      { name: 'cpus', type: 'SCALAR' as const, scalar: { value: 0.1 }, role: '*' },
      { name: 'mem', type: 'SCALAR' as const, scalar: { value: 32 }, role: '*' },
    ];
    const info = { name: task, taskId: parseTaskId(task), agentId: offer.agentId, resources };
    const taskInfos = [{ ...info, command: { shell: true, value: command } }];
    await this.#call({
      type: 'ACCEPT',
      accept: {
        offerIds: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { taskInfos } }],
        filters: { refuseSeconds: 0 },
      },
    });
  }

  async reconcile(task: string, agent: string): Promise<void> {
    const tasks = [{ taskId: parseTaskId(task), agentId: parseAgentId(agent) }];
    await this.#call({ type: 'RECONCILE', reconcile: { tasks } });
  }

  async teardown(): Promise<void> {
    await this.#call({ type: 'TEARDOWN' });
    this.#stream?.destroy();
  }

  async #subscribe(call: SchedulerCall): Promise<void> {
    this.#stream = request(this.#url, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': JSON_TYPE },
    });
    this.#stream.on('error', () => undefined);
    this.#stream.on('response', (response) => {
      this.#streamId = String(response.headers['mesos-stream-id']);
      this.#listen(response);
    });
    this.#stream.end(encodeSchedulerCall(call, JSON_TYPE));
    await this.#eventually(() => (this.id === '' ? undefined : this.id), 'SUBSCRIBED');
  }

  #listen(response: IncomingMessage): void {
    let state = initialRecordio();
    response.on('error', () => undefined);
    response.on('data', (chunk: Buffer) => {
      const result = decodeRecordio(state, chunk);
      state = result.state;
      for (const record of result.records) this.#take(decodeSchedulerEvent(record, JSON_TYPE));
    });
  }

  #take(event: SchedulerEvent): void {
    if (event.type === 'SUBSCRIBED') this.id = event.subscribed.frameworkId;
    if (event.type === 'OFFERS')
      for (const offer of event.offers.offers ?? []) this.#offers.set(offer.id, offer);
    if (event.type === 'RESCIND') this.#offers.delete(event.rescind.offerId);
    if (event.type !== 'UPDATE') return;
    const { taskId, agentId, state, uuid } = event.update.status;
    this.#states.set(taskId, [...this.states(taskId), state]);
    if (uuid !== undefined && agentId !== undefined) {
      void this.#call({ type: 'ACKNOWLEDGE', acknowledge: { agentId, taskId, uuid } });
    }
  }

  async #call(call: SchedulerCall): Promise<void> {
    const body = encodeSchedulerCall({ ...call, frameworkId: parseFrameworkId(this.id) }, JSON_TYPE);
    const headers = { 'content-type': JSON_TYPE, 'mesos-stream-id': this.#streamId };
    await fetch(this.#url, { method: 'POST', headers, body: new Uint8Array(body) }).catch(() => undefined);
  }

  async #eventually<T>(look: () => T | undefined, what: string): Promise<T> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`${what} did not come`);
      await delay(5);
    }
  }
}
