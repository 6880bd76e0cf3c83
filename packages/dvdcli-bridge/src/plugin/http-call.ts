import { readFileSync } from 'node:fs';
import type * as http from 'node:http';
import type { PluginEndpoint } from './endpoint.ts';
import { ANSWER_LIMIT_BYTES } from './http-answer.ts';
import { callUnixSocket } from './unix-call.ts';

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

/** One call of the plugin protocol, on a connection of its own, so that no call is lost on a stale one. */
export function callPlugin(
  endpoint: PluginEndpoint,
  method: string,
  body: unknown,
  signal: AbortSignal,
): Promise<CallResult> {
  const text = body === undefined ? '' : `${JSON.stringify(body)}\n`;
  if (signal.aborted) return Promise.resolve({ kind: 'time-limit', sent: false });
  if (endpoint.kind === 'unix') return callUnixSocket(endpoint.socketPath, method, text, signal);
  return new Promise((resolve) => {
    let connected = false;
    const fail = (error: Error): void => {
      if (signal.aborted) resolve({ kind: 'time-limit', sent: connected });
      else resolve({ kind: connected ? 'lost' : 'not-sent', error });
    };
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

/** Loaded here, not above: the `dvdcli` command seldom needs them, and pays for what it loads at every start. */
function open(
  endpoint: Extract<PluginEndpoint, { kind: 'tcp' }>,
  method: string,
  length: number,
  signal: AbortSignal,
): http.ClientRequest {
  const options: http.RequestOptions = {
    method: 'POST',
    path: `/${method}`,
    headers: headers(length, endpoint.url.host),
    agent: false,
    signal,
  };
  const { url, tls } = endpoint;
  const address = { hostname: url.hostname, port: url.port };
  if (url.protocol !== 'https:')
    return process.getBuiltinModule('node:http').request({ ...options, ...address });
  return process.getBuiltinModule('node:https').request({
    ...options,
    ...address,
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
