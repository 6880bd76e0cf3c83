/** Which encoding a request has and which one its answer wants, by the rules of Mesos (reference, section 0). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Encoding } from '@mesos-elasticsearch/mesos-v1';

const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/x-protobuf';

export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** Byte for byte: a parameter such as a charset makes it another type. */
export function requestEncoding(request: IncomingMessage): Encoding | Refusal {
  const type = request.headers['content-type'];
  if (type === undefined) return { status: 400, text: "Expecting 'Content-Type' to be present" };
  if (type === JSON_TYPE || type === PROTOBUF_TYPE) return type;
  return { status: 415, text: `Expecting 'Content-Type' of ${JSON_TYPE} or ${PROTOBUF_TYPE}` };
}

function accepts(header: string, wanted: string): boolean {
  return header.split(',').some((entry) => {
    const [range = '', ...parameters] = entry
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    return !refused && ['*/*', 'application/*', wanted].includes(range);
  });
}

/** JSON is tried first. */
export function streamEncoding(request: IncomingMessage): Encoding | Refusal {
  const { accept } = request.headers;
  if (accept === undefined || accepts(accept, JSON_TYPE)) return JSON_TYPE;
  if (accepts(accept, PROTOBUF_TYPE)) return PROTOBUF_TYPE;
  return { status: 406, text: `Expecting 'Accept' to allow '${PROTOBUF_TYPE}' or '${JSON_TYPE}'` };
}

export function refuse(
  response: ServerResponse,
  { status, text }: Refusal,
  headers: Record<string, string> = {},
): void {
  const type = text === '' ? {} : { 'content-type': 'text/plain; charset=utf-8' };
  response.writeHead(status, { ...type, 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

export function refuseMethod(request: IncomingMessage, response: ServerResponse): void {
  const text = `Expecting one of { 'POST' }, but received '${request.method ?? ''}'`;
  refuse(response, { status: 405, text }, { allow: 'POST' });
}

/** Rejects if the client goes away before the end. */
export async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
