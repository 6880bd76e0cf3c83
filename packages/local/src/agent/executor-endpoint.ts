/** `POST /api/v1/executor`: codes and texts as a real agent's (1.3.2). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CallFormatError, decodeExecutorCall, encodeExecutorEvent } from '@mesos-elasticsearch/mesos-v1';
import type { Encoding, ExecutorCall, ExecutorEvent } from '@mesos-elasticsearch/mesos-v1';
import { runKey } from '../core/agent/state.ts';
import type { AgentState } from '../core/agent/state.ts';
import type { AgentInput } from '../core/agent/step.ts';
import { EventStream } from '../http/event-stream.ts';
import { readBody, refuse, refuseMethod, requestEncoding, streamEncoding } from '../http/negotiate.ts';
import type { Refusal } from '../http/negotiate.ts';

export interface AgentMachine {
  readonly state: () => AgentState;
  readonly input: (input: AgentInput) => void;
}

function refuseCall(state: AgentState, call: ExecutorCall): Refusal | undefined {
  if (call.type !== 'SUBSCRIBE' && state.recoveringUntil !== undefined) {
    return { status: 503, text: 'Agent has not finished recovery' };
  }
  if (!state.frameworks.has(call.frameworkId)) return { status: 400, text: 'Framework cannot be found' };
  const run = state.executors.get(runKey(call.frameworkId, call.executorId));
  if (run === undefined) return { status: 400, text: 'Executor cannot be found' };
  if (call.type !== 'SUBSCRIBE' && run.phase === 'REGISTERING') {
    return { status: 403, text: 'Executor is not subscribed' };
  }
  return undefined;
}

export class ExecutorEndpoint {
  readonly #machine: AgentMachine;
  readonly #streams = new Map<string, { stream: EventStream; encoding: Encoding }>();

  constructor(machine: AgentMachine) {
    this.#machine = machine;
  }

  send(key: string, event: ExecutorEvent): void {
    const open = this.#streams.get(key);
    open?.stream.send(encodeExecutorEvent(event, open.encoding));
  }

  close(key: string): void {
    this.#streams.get(key)?.stream.end();
    this.#streams.delete(key);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
    const refusal = 'text' in call ? call : refuseCall(this.#machine.state(), call);
    if (refusal !== undefined) refuse(response, refusal);
    else if (!('text' in call)) this.#take(call, request, response);
  }

  #take(call: ExecutorCall, request: IncomingMessage, response: ServerResponse): void {
    const { frameworkId, executorId } = call;
    const key = runKey(frameworkId, executorId);
    switch (call.type) {
      case 'SUBSCRIBE':
        this.#subscribe(key, call, request, response);
        return;
      case 'UPDATE':
        this.#machine.input({ kind: 'EXECUTOR_UPDATE', key, status: call.update.status });
        break;
      case 'MESSAGE':
        this.#machine.input({ kind: 'EXECUTOR_MESSAGE', frameworkId, executorId, data: call.message.data });
    }
    refuse(response, { status: 202, text: '' });
  }

  #subscribe(
    key: string,
    call: Extract<ExecutorCall, { type: 'SUBSCRIBE' }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const encoding = streamEncoding(request);
    if (typeof encoding !== 'string') {
      refuse(response, encoding);
      return;
    }
    this.close(key);
    const stream = new EventStream(response, { 'content-type': encoding });
    this.#streams.set(key, { stream, encoding });
    response.on('close', () => {
      if (this.#streams.get(key)?.stream !== stream) return;
      this.#streams.delete(key);
      this.#machine.input({ kind: 'EXECUTOR_STREAM_CLOSED', key });
    });
    const { unacknowledgedTasks = [], unacknowledgedUpdates = [] } = call.subscribe;
    const said = {
      unacknowledgedTasks,
      unacknowledgedUpdates: unacknowledgedUpdates.map((update) => update.status),
    };
    this.#machine.input({ kind: 'EXECUTOR_SUBSCRIBED', key, said });
  }
}

function decode(body: Uint8Array, encoding: Encoding): ExecutorCall | Refusal {
  try {
    return decodeExecutorCall(body, encoding);
  } catch (error) {
    if (error instanceof CallFormatError) return { status: error.status, text: error.message };
    throw error;
  }
}
