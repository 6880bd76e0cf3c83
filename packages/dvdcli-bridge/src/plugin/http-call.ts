import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { PluginEndpoint } from './endpoint.ts';

/**
 * not-sent: no connection was made, the plugin knows nothing of the call.
 * lost: the connection broke after it was made; the plugin may have got the call.
 * time-limit: nobody answered in time; `sent` as above.
 */
export type CallResult =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'not-sent'; readonly error: Error }
  | { readonly kind: 'lost'; readonly error: Error }
  | { readonly kind: 'time-limit'; readonly sent: boolean };

const ANSWER_LIMIT_BYTES = 16 << 20;

/** One call of the plugin protocol, on a connection of its own, so that no call is lost on a stale one. */
export function callPlugin(
  endpoint: PluginEndpoint,
  method: string,
  body: unknown,
  signal: AbortSignal,
): Promise<CallResult> {
  const text = body === undefined ? '' : `${JSON.stringify(body)}\n`;
  return new Promise((resolve) => {
    let connected = false;
    const fail = (error: Error): void => {
      if (signal.aborted) resolve({ kind: 'time-limit', sent: connected });
      else resolve({ kind: connected ? 'lost' : 'not-sent', error });
    };
    if (signal.aborted) {
      resolve({ kind: 'time-limit', sent: false });
      return;
    }
    const request = open(endpoint, method, Buffer.byteLength(text), signal);
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (connected = true));
      else connected = true;
    });
    request.on('error', fail);
    request.on('response', (response) => {
      readAnswer(response).then((answer) => {
        resolve({ kind: 'answered', status: response.statusCode ?? 0, body: answer });
      }, fail);
    });
    request.end(text);
  });
}

function open(
  endpoint: PluginEndpoint,
  method: string,
  length: number,
  signal: AbortSignal,
): http.ClientRequest {
  const options: http.RequestOptions = {
    method: 'POST',
    path: `/${method}`,
    headers: headers(length, 'plugin.moby.localhost'),
    agent: false,
    signal,
  };
  if (endpoint.kind === 'unix') return http.request({ ...options, socketPath: endpoint.socketPath });
  const { url, tls } = endpoint;
  const address = { hostname: url.hostname, port: url.port };
  if (url.protocol !== 'https:')
    return http.request({ ...options, ...address, headers: headers(length, url.host) });
  return https.request({
    ...options,
    ...address,
    headers: headers(length, url.host),
    rejectUnauthorized: tls?.insecureSkipVerify !== true,
    ...(tls?.caFile === undefined ? {} : { ca: readFileSync(tls.caFile) }),
    ...(tls?.certFile === undefined ? {} : { cert: readFileSync(tls.certFile) }),
    ...(tls?.keyFile === undefined ? {} : { key: readFileSync(tls.keyFile) }),
  });
}

function headers(length: number, host: string): http.OutgoingHttpHeaders {
  return { accept: 'application/vnd.docker.plugins.v1.2+json', host, 'content-length': length };
}

async function readAnswer(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > ANSWER_LIMIT_BYTES) throw new Error(`an answer of more than ${ANSWER_LIMIT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
