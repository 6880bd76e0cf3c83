/** Reads the recordings of a real Mesos (test/fixtures/recordings/README.md says what they hold). */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Encoding } from '@mesos-elasticsearch/mesos-v1';

const folder = fileURLToPath(new URL('../fixtures/recordings/', import.meta.url));

/** Every recording, by its path below the folder. */
export function recordingFiles(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => name.split(path.sep).join('/'))
    .sort();
}

export interface RecordedCall {
  from: string;
  body: { type?: string; raw?: string };
  headers: Record<string, string | null>;
  status: number;
  response: string;
}

/** One SUBSCRIBE with all that came of it. */
export interface RecordedStream {
  name: string;
  /** The SUBSCRIBE call as JSON. */
  request: unknown;
  status: number | null;
  headers: Record<string, string>;
  body: string;
  encoding: Encoding;
  /** The bytes of each record, as they came. */
  records: Uint8Array[];
}

interface Line {
  kind: string;
  from?: string;
  to?: string;
  body?: unknown;
  status?: number;
  headers?: Record<string, string>;
  protobuf_base64?: string;
}

/** The event's own text: parsing and printing it again would round 64-bit numbers. */
function recordBytes(line: Line, text: string): Uint8Array {
  if (line.protobuf_base64 !== undefined) return Buffer.from(line.protobuf_base64, 'base64');
  const start = text.indexOf('"event":{') + '"event":'.length;
  return Buffer.from(text.slice(start, -1));
}

function lines(file: string): { line: Line; text: string }[] {
  const texts = readFileSync(path.join(folder, file), 'utf8').split('\n');
  return texts.filter((text) => text !== '').map((text) => ({ text, line: JSON.parse(text) as Line }));
}

export function recordedStreams(file: string): RecordedStream[] {
  const streams: RecordedStream[] = [];
  const latest = (name: string | undefined) => streams.findLast((stream) => stream.name === name);
  for (const { line, text } of lines(file)) {
    if (line.kind === 'request') streams.push(newStream(line));
    const stream = latest(line.to);
    if (stream === undefined) continue;
    if (line.kind === 'event') stream.records.push(recordBytes(line, text));
    if (line.kind === 'response-body') stream.body = String(line.body);
    if (line.kind === 'response') {
      stream.status = line.status ?? null;
      stream.headers = line.headers ?? {};
      stream.encoding =
        stream.headers['content-type'] === 'application/x-protobuf'
          ? 'application/x-protobuf'
          : 'application/json';
    }
  }
  return streams;
}

function newStream({ from = '', body }: Line): RecordedStream {
  return {
    name: from,
    request: body,
    status: null,
    headers: {},
    body: '',
    encoding: 'application/json',
    records: [],
  };
}

export function recordedCalls(file: string): RecordedCall[] {
  return lines(file).flatMap(({ line }) => (line.kind === 'call' ? [line as unknown as RecordedCall] : []));
}
