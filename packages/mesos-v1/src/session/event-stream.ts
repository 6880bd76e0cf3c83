/** One SUBSCRIBE: the POST, its answer, and the records that follow, on a socket of its own. */
import type { IncomingMessage } from 'node:http';
import type { Encoding } from '../codec/encoding.ts';
import { ENCODINGS } from '../codec/encoding.ts';
import type { RecordioLimits } from '../recordio/decode.ts';
import { decodeRecordio, initialRecordio, recordioEndFault } from '../recordio/decode.ts';
import type { ConnectionOptions } from './connection.ts';
import { describeFault, post, readAnswer, requestHeaders, singleSocketAgent } from './connection.ts';

export interface EventStreamHandlers {
  /** 200: records follow. `streamId` is empty where the header is missing (the executor API has none). */
  onOpen(streamId: string): void;
  /** Anything but 200; there will be no stream. */
  onAnswer(answer: { status: number; body: string; location: string | null }): void;
  /** Not called for empty records. */
  onRecord(record: Uint8Array, encoding: Encoding): void;
  /** Connection failed, broke or ended, or RecordIO is out of step. Called at most once, and last. */
  onLost(reason: string): void;
}

export interface EventStream {
  /** No handler is called after this. */
  close(): void;
}

export function openEventStream(
  url: URL,
  body: Uint8Array,
  options: ConnectionOptions,
  handlers: EventStreamHandlers,
  limits?: RecordioLimits,
): EventStream {
  const agent = singleSocketAgent(url, options.tls);
  let over = false;
  const close = () => {
    over = true;
    request.destroy();
    agent.destroy();
  };
  const lost = (reason: string) => {
    if (over) return;
    close();
    handlers.onLost(reason);
  };
  const headers = { ...requestHeaders(options), Accept: options.encoding };
  const request = post(url, body, agent, headers);
  request.on('error', (error) => lost(`no connection to ${url.host}: ${describeFault(error)}`));
  request.on('response', (response) => {
    if (over) return;
    if (response.statusCode === 200) readRecords(response, handlers, { lost, isOver: () => over, limits });
    else void relayAnswer(response, handlers, { lost, isOver: () => over });
  });
  return { close };
}

interface StreamGuard {
  lost: (reason: string) => void;
  isOver: () => boolean;
}

async function relayAnswer(
  response: IncomingMessage,
  handlers: EventStreamHandlers,
  { lost, isOver }: StreamGuard,
): Promise<void> {
  const { statusCode: status = 0, headers } = response;
  try {
    const body = await readAnswer(response);
    if (!isOver()) handlers.onAnswer({ status, body, location: headers.location ?? null });
  } catch (error) {
    lost(`the answer ${status} broke off: ${describeFault(error)}`);
  }
}

function readRecords(
  response: IncomingMessage,
  handlers: EventStreamHandlers,
  { lost, isOver, limits }: StreamGuard & { limits: RecordioLimits | undefined },
): void {
  const encoding = ENCODINGS.find((known) => known === response.headers['content-type']);
  if (encoding === undefined) {
    lost(`the stream has the content type ${String(response.headers['content-type'])}`);
    return;
  }
  const streamId = response.headers['mesos-stream-id'];
  handlers.onOpen(typeof streamId === 'string' ? streamId : '');
  let state = initialRecordio(limits);
  response.on('data', (chunk: Buffer) => {
    const result = decodeRecordio(state, chunk);
    state = result.state;
    for (const record of result.records) {
      if (isOver()) return;
      if (record.length > 0) handlers.onRecord(record, encoding);
    }
    if ('error' in result) lost(`the event stream cannot be read: ${result.error}`);
  });
  response.on('end', () => lost(recordioEndFault(state) ?? 'the event stream ended'));
  response.on('error', (error) => lost(`the event stream broke: ${describeFault(error)}`));
  response.on('close', () => lost('the event stream was closed'));
}
