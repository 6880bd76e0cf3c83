/** Serves recorded streams over loopback HTTP, byte for byte, cut into chunks at random. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeRecord } from '@mesos-elasticsearch/mesos-v1';
import type { Chunking } from '@mesos-elasticsearch/mesos-v1/testing';
import type { RecordedStream } from './recording.ts';

export interface ReplayServer {
  readonly url: URL;
  /** Streams that were asked for so far. */
  served(): number;
  close(): Promise<void>;
}

/** The n-th POST gets the n-th stream; the last one stays open, and so do all POSTs after it. */
export async function startReplayServer(
  streams: readonly RecordedStream[],
  chunking: Chunking,
): Promise<ReplayServer> {
  let served = 0;
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const stream = streams[served];
      served += 1;
      if (stream) replay(stream, response, chunking, served === streams.length);
      else response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    served: () => served,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function replay(
  stream: RecordedStream,
  response: http.ServerResponse,
  chunking: Chunking,
  last: boolean,
): void {
  if (stream.status === null) {
    response.destroy();
    return;
  }
  response.writeHead(stream.status, replayedHeaders(stream, response));
  if (stream.status !== 200) {
    response.end(stream.body);
    return;
  }
  response.flushHeaders();
  const bytes = Buffer.concat(stream.records.map((record) => encodeRecord(record)));
  for (const chunk of chunking.split(bytes)) response.write(chunk);
  if (!last) response.end();
}

/** As recorded, but a redirect leads back here: the leader is the next stream. */
function replayedHeaders(
  { headers }: RecordedStream,
  { req }: http.ServerResponse,
): http.OutgoingHttpHeaders {
  const kept: http.OutgoingHttpHeaders = {};
  for (const name of ['content-type', 'mesos-stream-id', 'www-authenticate']) {
    if (headers[name] !== undefined) kept[name] = headers[name];
  }
  const { location } = headers;
  if (location !== undefined) kept.location = location.replace(/^\/\/[^/]+/, `//${req.headers.host ?? ''}`);
  return kept;
}
