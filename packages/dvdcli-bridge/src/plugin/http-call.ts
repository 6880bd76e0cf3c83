import { readFileSync, statSync } from 'node:fs';
import type * as http from 'node:http';
import type { PluginEndpoint } from './endpoint.ts';
import { ANSWER_LIMIT_BYTES, GrowingBytes } from './http-answer.ts';
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

export interface HttpCall {
  readonly verb: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

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
  const headers = { accept: 'application/vnd.docker.plugins.v1.2+json' };
  return callHttp(endpoint, { verb: 'POST', path: `/${method}`, body: text, headers }, signal);
}

/** Straight to the endpoint: a proxy that the environment names is for other things. Never rejects. */
export function callHttp(endpoint: PluginEndpoint, call: HttpCall, signal: AbortSignal): Promise<CallResult> {
  return new Promise((resolve) => {
    let connected = false;
    let answering = false;
    const fail = (error: unknown): void => {
      if (signal.aborted) resolve({ kind: 'time-limit', sent: connected });
      else resolve({ kind: connected ? 'lost' : 'not-sent', error: error as Error });
    };
    if (signal.aborted) {
      resolve({ kind: 'time-limit', sent: false });
      return;
    }
    try {
      const request = open(endpoint, call, signal);
      // Over TLS nothing of the call leaves before both sides know each other.
      const ready = isTls(endpoint) ? 'secureConnect' : 'connect';
      request.on('socket', (socket) => {
        if (socket.connecting) socket.once(ready, () => (connected = true));
        else connected = true;
      });
      request.on('error', fail);
      request.on('response', (response) => {
        answering = true;
        readAnswer(response).then((answer) => {
          resolve({ kind: 'answered', status: response.statusCode ?? 0, body: answer });
        }, fail);
      });
      // Who answers by changing the protocol is hung up on, and no error tells of it.
      request.on('close', () => {
        if (!answering) fail(new Error('the connection was closed without an answer'));
      });
      request.end(call.body);
    } catch (error) {
      // A certificate file that cannot be read.
      fail(error);
    }
  });
}

function isTls(endpoint: PluginEndpoint): boolean {
  return endpoint.kind === 'tcp' && endpoint.url.protocol === 'https:';
}

/** Loaded here, not above: the `dvdcli` command seldom needs them, and pays for what it loads at every start. */
function open(endpoint: PluginEndpoint, call: HttpCall, signal: AbortSignal): http.ClientRequest {
  const http = process.getBuiltinModule('node:http');
  const host = endpoint.kind === 'unix' ? 'plugin.moby.localhost' : endpoint.url.host;
  const options: http.RequestOptions = {
    method: call.verb,
    path: call.path,
    headers: { ...call.headers, host, 'content-length': Buffer.byteLength(call.body ?? '') },
    agent: false,
    signal,
  };
  if (endpoint.kind === 'unix') return http.request({ ...options, socketPath: endpoint.socketPath });
  const { url, tls } = endpoint;
  // A URL keeps the brackets of an IPv6 address, a socket does not want them.
  const address = { hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port };
  if (url.protocol !== 'https:') return http.request({ ...options, ...address });
  return process.getBuiltinModule('node:https').request({
    ...options,
    ...address,
    rejectUnauthorized: tls?.insecureSkipVerify !== true,
    ...(tls?.caFile === undefined ? {} : { ca: readRegularFile(tls.caFile) }),
    ...(tls?.certFile === undefined ? {} : { cert: readRegularFile(tls.certFile) }),
    ...(tls?.keyFile === undefined ? {} : { key: readRegularFile(tls.keyFile) }),
  });
}

/** Whoever opens a pipe waits for its other end, and nothing ends that. */
function readRegularFile(path: string): Buffer {
  if (!statSync(path).isFile()) throw new Error(`${path} is no regular file`);
  return readFileSync(path);
}

async function readAnswer(response: http.IncomingMessage): Promise<string> {
  const body = new GrowingBytes();
  for await (const chunk of response as AsyncIterable<Buffer>) {
    body.add(chunk);
    if (body.bytes.length > ANSWER_LIMIT_BYTES)
      throw new Error(`an answer of more than ${ANSWER_LIMIT_BYTES} bytes`);
  }
  return body.bytes.toString('utf8');
}
