/** Reads one HTTP/1.x answer from the bytes of a connection that carries nothing else (RFC 9112). Pure. */

export type AnswerReading =
  | { readonly kind: 'more' }
  | { readonly kind: 'complete'; readonly status: number; readonly body: string }
  | { readonly kind: 'broken'; readonly why: string };

/** Takes the bytes as they come; once it has said `complete` or `broken` it is not to be asked again. */
export interface AnswerReader {
  take(bytes: Buffer): AnswerReading;
  /** The other side has closed the connection. */
  end(): AnswerReading;
}

/** No plugin has so much to say; who says more is not believed. */
export const ANSWER_LIMIT_BYTES = 16 << 20;
const HEAD_LIMIT_BYTES = 64 << 10;
const MORE: AnswerReading = { kind: 'more' };

interface Head {
  readonly status: number;
  readonly framing:
    { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' | 'close' };
}

/** @param limitBytes how long the answer may be, all in all */
export function answerReader(limitBytes: number): AnswerReader {
  const parts: Buffer[] = [];
  let length = 0;
  let head: Head | undefined;

  const readHead = (): AnswerReading | undefined => {
    const bytes = Buffer.concat(parts);
    const end = endOfHead(bytes);
    if (end === undefined) return bytes.length > HEAD_LIMIT_BYTES ? broken('its head does not end') : MORE;
    const read = parseHead(bytes.toString('latin1', 0, end));
    if (typeof read === 'string') return broken(read);
    parts.splice(0, parts.length, bytes.subarray(end));
    // 100 Continue and its like come before the answer.
    if (read.status < 200) return readHead();
    head = read;
    return undefined;
  };
  const step = (ended: boolean): AnswerReading => {
    if (length > limitBytes) return broken(`it is longer than ${limitBytes} bytes`);
    if (head === undefined) {
      const reading = readHead();
      if (reading !== undefined) return reading;
    }
    return head === undefined ? MORE : readBody(head, parts, ended);
  };
  return {
    take(bytes) {
      parts.push(bytes);
      length += bytes.length;
      return step(false);
    },
    end() {
      const reading = step(true);
      return reading.kind === 'more' ? broken('the connection was closed before its end') : reading;
    },
  };
}

function broken(why: string): AnswerReading {
  return { kind: 'broken', why };
}

function endOfHead(bytes: Buffer): number | undefined {
  const found = /\r?\n\r?\n/.exec(bytes.toString('latin1', 0, HEAD_LIMIT_BYTES));
  return found === null ? undefined : found.index + found[0].length;
}

/** The head's meaning, or what is wrong with it. */
function parseHead(text: string): Head | string {
  const [first = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const status = /^HTTP\/1\.\d ([1-9]\d\d)(?: |$)/.exec(first)?.[1];
  if (status === undefined) return 'it is not HTTP';
  const lengths = new Set<string>();
  let chunked = false;
  for (const line of lines) {
    const cut = line.indexOf(':');
    if (cut < 1) return 'a header has no name';
    const value = line.slice(cut + 1).trim();
    const name = line.slice(0, cut).toLowerCase();
    if (name === 'content-length') lengths.add(value);
    if (name !== 'transfer-encoding') continue;
    if (value.toLowerCase() !== 'chunked') return `its transfer encoding is ${value}`;
    chunked = true;
  }
  const code = Number(status);
  if (code < 200 || code === 204 || code === 304)
    return { status: code, framing: { kind: 'length', bytes: 0 } };
  if (chunked) return { status: code, framing: { kind: 'chunked' } };
  const [length] = lengths;
  if (length === undefined) return { status: code, framing: { kind: 'close' } };
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) return 'its length is not a number';
  return { status: code, framing: { kind: 'length', bytes: Number(length) } };
}

function readBody({ status, framing }: Head, parts: readonly Buffer[], ended: boolean): AnswerReading {
  const complete = (body: Buffer): AnswerReading => ({
    kind: 'complete',
    status,
    body: body.toString('utf8'),
  });
  if (framing.kind === 'close') return ended ? complete(Buffer.concat(parts)) : MORE;
  if (framing.kind === 'length') {
    const there = parts.reduce((sum, part) => sum + part.length, 0);
    return there < framing.bytes ? MORE : complete(Buffer.concat(parts).subarray(0, framing.bytes));
  }
  // The last line of a chunked body is empty: before a line ends there is nothing to be gained by looking.
  if (parts.at(-1)?.at(-1) !== LINE_FEED && !ended) return MORE;
  const body = readChunks(Buffer.concat(parts));
  if (typeof body === 'string') return broken(body);
  return body === undefined ? MORE : complete(body);
}

const LINE_FEED = 0x0a;
/** A chunk's size with its extensions; what is longer is no size. */
const SIZE_LINE_LIMIT_BYTES = 4_096;

/** The body; undefined: not all of it is there; a text: what is wrong with it. */
function readChunks(bytes: Buffer): Buffer | string | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf(LINE_FEED, at);
    if (lineEnd < 0) return bytes.length - at > SIZE_LINE_LIMIT_BYTES ? 'a chunk has no size' : undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?\r?$/i.exec(line)?.[1];
    if (size === undefined) return 'a chunk has no size';
    const start = lineEnd + 1;
    const length = parseInt(size, 16);
    if (length === 0) return endOfTrailers(bytes, start) ? Buffer.concat(chunks) : undefined;
    const next = afterLineEnd(bytes, start + length);
    if (next === undefined) return undefined;
    if (next === 'none') return 'a chunk is longer than its size';
    chunks.push(bytes.subarray(start, start + length));
    at = next;
  }
}

function afterLineEnd(bytes: Buffer, at: number): number | 'none' | undefined {
  const first = bytes[at];
  if (first === LINE_FEED) return at + 1;
  if (first === undefined) return undefined;
  if (first !== 0x0d) return 'none';
  const second = bytes[at + 1];
  if (second === undefined) return undefined;
  return second === LINE_FEED ? at + 2 : 'none';
}

/** Fields after the last chunk are of no interest here, only the empty line that ends them. */
function endOfTrailers(bytes: Buffer, start: number): boolean {
  return /^(?:[^\n]*[^\r\n][^\n]*\n)*\r?\n/.test(bytes.toString('latin1', start, start + HEAD_LIMIT_BYTES));
}
