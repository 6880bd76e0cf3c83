/** What the fake master and the fake agent share: a loopback HTTP server that the test drives by hand. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Encoding } from '../codec/encoding.ts';
import { ENCODINGS } from '../codec/encoding.ts';
import { encodeRecord } from '../recordio/encode.ts';
import type { Inbox } from './inbox.ts';
import { createInbox } from './inbox.ts';

export interface FakeAnswer {
  status: number;
  body?: string;
  headers?: http.OutgoingHttpHeaders;
}

export interface ReceivedCall<C> {
  call: C;
  headers: http.IncomingHttpHeaders;
  path: string;
}

export interface Subscription<C, E> extends ReceivedCall<C> {
  readonly streamId: string;
  send(...events: E[]): void;
  /** Raw bytes, for torn and wrong records. */
  sendBytes(bytes: Uint8Array): void;
  /** Ends the stream cleanly. */
  end(): void;
  /** Breaks the connection. */
  destroy(): void;
  /** Resolves when the client has closed its side, or we ours. */
  readonly closed: Promise<void>;
}

export interface FakeEventServer<C, E> {
  readonly url: URL;
  readonly subscriptions: Inbox<Subscription<C, E>>;
  /** Every call but those answered with a stream. */
  readonly calls: Inbox<ReceivedCall<C>>;
  /** The next SUBSCRIBE gets this instead of a stream. */
  refuseSubscribe(answer: FakeAnswer): void;
  /** The next other call gets this instead of 202. */
  answerCall(answer: FakeAnswer): void;
  /** Calls are taken in but not answered until `false` is set. */
  holdCalls(held: boolean): void;
  close(): Promise<void>;
}

export interface FakeServerCodec<C, E> {
  decodeCall(body: Uint8Array, encoding: Encoding): C;
  encodeEvent(event: E, encoding: Encoding): Uint8Array;
  /** A new one for every subscription; null for an API without stream ids. */
  newStreamId(): string | null;
}

export async function startFakeEventServer<C extends { type: string }, E>(
  codec: FakeServerCodec<C, E>,
): Promise<FakeEventServer<C, E>> {
  const subscriptions = createInbox<Subscription<C, E>>('subscriptions');
  const calls = createInbox<ReceivedCall<C>>('calls');
  const refusals: FakeAnswer[] = [];
  const answers: FakeAnswer[] = [];
  const held: (() => void)[] = [];
  let holding = false;

  const server = http.createServer((request, response) => {
    void readBody(request).then((body) => {
      const encoding =
        ENCODINGS.find((known) => known === request.headers['content-type']) ?? 'application/json';
      const call = codec.decodeCall(body, encoding);
      const received = { call, headers: request.headers, path: request.url ?? '' };
      if (call.type !== 'SUBSCRIBE') {
        calls.push(received);
        const reply = () => writeAnswer(response, answers.shift() ?? { status: 202 });
        if (holding) held.push(reply);
        else reply();
        return;
      }
      const refusal = refusals.shift();
      if (refusal) {
        calls.push(received);
        writeAnswer(response, refusal);
      } else {
        subscriptions.push(openStream(codec, received, response));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    subscriptions,
    calls,
    refuseSubscribe: (answer) => void refusals.push(answer),
    answerCall: (answer) => void answers.push(answer),
    holdCalls(hold) {
      holding = hold;
      if (!hold) for (const reply of held.splice(0)) reply();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function openStream<C, E>(
  codec: FakeServerCodec<C, E>,
  received: ReceivedCall<C>,
  response: http.ServerResponse,
): Subscription<C, E> {
  const encoding = ENCODINGS.find((known) => known === received.headers.accept) ?? 'application/json';
  const streamId = codec.newStreamId();
  response.writeHead(200, {
    'Content-Type': encoding,
    ...(streamId === null ? {} : { 'Mesos-Stream-Id': streamId }),
  });
  response.flushHeaders();
  const closed = new Promise<void>((resolve) => response.on('close', resolve));
  return {
    ...received,
    streamId: streamId ?? '',
    closed,
    send(...events) {
      for (const event of events) response.write(encodeRecord(codec.encodeEvent(event, encoding)));
    },
    sendBytes: (bytes) => void response.write(bytes),
    end: () => void response.end(),
    destroy: () => void response.destroy(),
  };
}

function writeAnswer(response: http.ServerResponse, { status, body = '', headers }: FakeAnswer): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers });
  response.end(body);
}

async function readBody(request: http.IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
