/** What both sessions send their requests over: node:http or node:https, with credentials. */
import http from 'node:http';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { Encoding } from '../codec/encoding.ts';

export type Credentials =
  | { readonly kind: 'basic'; readonly principal: string; readonly secret: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** As in node:tls; only used for https URLs. */
export interface TlsOptions extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'> {
  rejectUnauthorized?: boolean;
  servername?: string;
}

export interface ConnectionOptions {
  readonly encoding: Encoding;
  readonly credentials?: Credentials | undefined;
  readonly tls?: TlsOptions | undefined;
}

/** One socket: requests on it keep their order. `destroy()` it when done. */
export function singleSocketAgent(url: URL, tls: TlsOptions | undefined): http.Agent {
  const options = { keepAlive: true, maxSockets: 1 };
  return url.protocol === 'https:' ? new https.Agent({ ...options, ...tls }) : new http.Agent(options);
}

export function post(
  url: URL,
  body: Uint8Array,
  agent: http.Agent,
  headers: http.OutgoingHttpHeaders,
  signal?: AbortSignal,
): http.ClientRequest {
  const send = url.protocol === 'https:' ? https.request : http.request;
  const request = send(url, {
    method: 'POST',
    agent,
    headers: { ...headers, 'Content-Length': body.length },
    ...(signal ? { signal } : {}),
  });
  request.end(body);
  return request;
}

export function requestHeaders({ encoding, credentials }: ConnectionOptions): http.OutgoingHttpHeaders {
  return {
    'Content-Type': encoding,
    ...(credentials ? { Authorization: authorization(credentials) } : {}),
  };
}

/** Mesos compares the scheme's word byte for byte and wants exactly one space. */
function authorization(credentials: Credentials): string {
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`;
  const pair = `${credentials.principal}:${credentials.secret}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

/** Of an error answer only this much is read; the rest says nothing more. */
const MAX_ANSWER_BYTES = 16 * 1024;

export async function readAnswer(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    if (size < MAX_ANSWER_BYTES) chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_ANSWER_BYTES);
}

/** `ECONNREFUSED` rather than an empty message; Node gives those for several addresses at once. */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error.message === '') return code === '' ? error.name : code;
  return code === '' || error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}
