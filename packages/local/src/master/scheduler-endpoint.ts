/** `POST /api/v1/scheduler`: codes and texts as a real master's (1.3.2). */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  CallFormatError,
  decodeSchedulerCall,
  encodeSchedulerEvent,
  streamId as parseStreamId,
} from '@mesos-elasticsearch/mesos-v1';
import type { Encoding, SchedulerCall, SchedulerEvent, StreamId } from '@mesos-elasticsearch/mesos-v1';
import { refuseCall, refuseSubscribe } from '../core/master/admission.ts';
import type { MasterInput } from '../core/master/step.ts';
import type { MasterState } from '../core/master/state.ts';
import { EventStream } from '../http/event-stream.ts';
import { readBody, refuse, refuseMethod, requestEncoding, streamEncoding } from '../http/negotiate.ts';
import { authenticate } from './authenticate.ts';
import type { MasterOptions } from './options.ts';

export interface MasterMachine {
  readonly state: () => MasterState;
  readonly input: (input: MasterInput) => void;
}

const REALM = 'Basic realm="mesos-master-scheduler"';

export class SchedulerEndpoint {
  readonly #machine: MasterMachine;
  readonly #credentials: MasterOptions['credentials'];
  readonly #streams = new Map<StreamId, { stream: EventStream; encoding: Encoding }>();

  constructor(machine: MasterMachine, credentials: MasterOptions['credentials']) {
    this.#machine = machine;
    this.#credentials = credentials;
  }

  send(streamId: StreamId, event: SchedulerEvent): void {
    const open = this.#streams.get(streamId);
    open?.stream.send(encodeSchedulerEvent(event, open.encoding));
  }

  closeStream(streamId: StreamId): void {
    this.#streams.get(streamId)?.stream.end();
    this.#streams.delete(streamId);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const authentication = authenticate(request.headers.authorization, this.#credentials);
    if (authentication === 'refused') {
      request.resume();
      refuse(response, { status: 401, text: '' }, { 'www-authenticate': REALM });
      return;
    }
    if (request.method !== 'POST') {
      refuseMethod(request, response);
      return;
    }
    const encoding = requestEncoding(request);
    if (typeof encoding !== 'string') {
      request.resume();
      refuse(response, encoding);
      return;
    }
    const call = decode(await readBody(request), encoding);
    if ('status' in call) refuse(response, call);
    else this.#admit(call, request, response, authentication.principal);
  }

  #admit(
    call: SchedulerCall,
    request: IncomingMessage,
    response: ServerResponse,
    principal: string | undefined,
  ): void {
    const header = request.headers['mesos-stream-id'];
    const claims = { principal, streamId: typeof header === 'string' ? header : undefined };
    if (call.type === 'SUBSCRIBE') {
      const accepted = streamEncoding(request);
      const refusal = refuseSubscribe(call, claims) ?? (typeof accepted === 'string' ? undefined : accepted);
      if (refusal !== undefined) refuse(response, refusal);
      else if (typeof accepted === 'string') this.#subscribe(call, response, accepted, principal);
      return;
    }
    const refusal = refuseCall(this.#machine.state(), call, claims);
    if (refusal !== undefined) {
      refuse(response, refusal);
      return;
    }
    this.#machine.input({ kind: 'CALL', call });
    refuse(response, { status: 202, text: '' });
  }

  #subscribe(
    call: Extract<SchedulerCall, { type: 'SUBSCRIBE' }>,
    response: ServerResponse,
    encoding: Encoding,
    principal: string | undefined,
  ): void {
    const streamId = parseStreamId(randomUUID());
    const stream = new EventStream(response, { 'content-type': encoding, 'mesos-stream-id': streamId });
    this.#streams.set(streamId, { stream, encoding });
    response.on('close', () => {
      this.#streams.delete(streamId);
      this.#machine.input({ kind: 'STREAM_CLOSED', streamId });
    });
    const { frameworkInfo, suppressedRoles = [] } = call.subscribe;
    const info = principal === undefined ? frameworkInfo : { ...frameworkInfo, principal };
    this.#machine.input({ kind: 'SUBSCRIBE', subscription: { streamId, info, suppressedRoles } });
  }
}

function decode(body: Uint8Array, encoding: Encoding): SchedulerCall | { status: number; text: string } {
  try {
    return decodeSchedulerCall(body, encoding);
  } catch (error) {
    if (error instanceof CallFormatError) return { status: error.status, text: error.message };
    throw error;
  }
}
