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

/**
 * Bytes in one piece that grows by doubling: an answer that is fed byte by byte costs no more time and room than one that
 * comes at once.
 */
export class GrowingBytes {
  #store = Buffer.alloc(4_096);
  #length = 0;

  add(bytes: Buffer): void {
    const wanted = this.#length + bytes.length;
    if (wanted > this.#store.length) {
      const larger = Buffer.alloc(Math.max(wanted, this.#store.length * 2));
      this.#store.copy(larger, 0, 0, this.#length);
      this.#store = larger;
    }
    bytes.copy(this.#store, this.#length);
    this.#length = wanted;
  }
  get bytes(): Buffer {
    return this.#store.subarray(0, this.#length);
  }
}

/** @param limitBytes how long the answer may be, all in all */
export function answerReader(limitBytes: number): AnswerReader {
  const received = new GrowingBytes();
  /** Where the head begins, and then the body. */
  let start = 0;
  /** From where on the end of the head is looked for. */
  let unsearched = 0;
  let body: ((bytes: Buffer, ended: boolean) => AnswerReading) | undefined;

  const readHead = (bytes: Buffer): AnswerReading | undefined => {
    for (;;) {
      const end = afterEmptyLine(bytes, Math.max(start, unsearched), start + HEAD_LIMIT_BYTES);
      if (end === undefined) {
        // The empty line may be there but for its last byte or two.
        unsearched = bytes.length - 2;
        return bytes.length - start > HEAD_LIMIT_BYTES ? broken('its head does not end') : MORE;
      }
      const head = parseHead(bytes.toString('latin1', start, end));
      if (typeof head === 'string') return broken(head);
      start = unsearched = end;
      // 100 Continue and its like come before the answer.
      if (head.status < 200) continue;
      const { framing } = head;
      if (framing.kind === 'length' && framing.bytes > limitBytes) return tooLong(limitBytes);
      body = bodyReader(head, end);
      return undefined;
    }
  };
  const step = (ended: boolean): AnswerReading => {
    const { bytes } = received;
    if (bytes.length > limitBytes) return tooLong(limitBytes);
    const reading = body === undefined ? readHead(bytes) : undefined;
    return reading ?? body?.(bytes, ended) ?? MORE;
  };
  return {
    take(bytes) {
      received.add(bytes);
      return step(false);
    },
    end() {
      const reading = step(true);
      return reading.kind === 'more' ? broken('the connection was closed before its end') : reading;
    },
  };
}

function tooLong(limitBytes: number): AnswerReading {
  return broken(`it is longer than ${limitBytes} bytes`);
}

function broken(why: string): AnswerReading {
  return { kind: 'broken', why };
}

/** Where an empty line ends that begins after a line's end at `from` or later, but before `limit`. */
function afterEmptyLine(bytes: Buffer, from: number, limit: number): number | undefined {
  for (
    let at = bytes.indexOf(LINE_FEED, from);
    at >= 0 && at < limit;
    at = bytes.indexOf(LINE_FEED, at + 1)
  ) {
    const next = bytes[at + 1] === CARRIAGE_RETURN ? at + 2 : at + 1;
    if (bytes[next] === LINE_FEED) return next + 1;
  }
  return undefined;
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

/** @param start where the body begins */
function bodyReader(
  { status, framing }: Head,
  start: number,
): (bytes: Buffer, ended: boolean) => AnswerReading {
  const complete = (body: Buffer): AnswerReading => ({
    kind: 'complete',
    status,
    body: body.toString('utf8'),
  });
  if (framing.kind === 'close') return (bytes, ended) => (ended ? complete(bytes.subarray(start)) : MORE);
  if (framing.kind === 'length') {
    const end = start + framing.bytes;
    return (bytes) => (bytes.length < end ? MORE : complete(bytes.subarray(start, end)));
  }
  const chunks = new GrowingBytes();
  const read = chunkReader(chunks, start);
  return (bytes) => read(bytes) ?? complete(chunks.bytes);
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** A chunk's size with its extensions; what is longer is no size. */
const SIZE_LINE_LIMIT_BYTES = 4_096;

/** Goes on where it stopped. Undefined: the body is complete. */
function chunkReader(body: GrowingBytes, start: number): (bytes: Buffer) => AnswerReading | undefined {
  let at = start;
  return (bytes) => {
    for (;;) {
      const lineEnd = bytes.indexOf(LINE_FEED, at);
      const lineLength = (lineEnd < 0 ? bytes.length : lineEnd) - at;
      if (lineLength > SIZE_LINE_LIMIT_BYTES) return broken('a chunk has no size');
      if (lineEnd < 0) return MORE;
      const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?\r?$/i.exec(bytes.toString('latin1', at, lineEnd))?.[1];
      if (size === undefined) return broken('a chunk has no size');
      const length = parseInt(size, 16);
      if (length === 0) return readTrailers(bytes, lineEnd);
      const data = lineEnd + 1;
      const next = afterLineEnd(bytes, data + length);
      if (next === undefined) return MORE;
      if (next === 'none') return broken('a chunk is longer than its size');
      body.add(bytes.subarray(data, data + length));
      at = next;
    }
  };
}

function afterLineEnd(bytes: Buffer, at: number): number | 'none' | undefined {
  const first = bytes[at];
  if (first === LINE_FEED) return at + 1;
  if (first === undefined) return undefined;
  if (first !== CARRIAGE_RETURN) return 'none';
  const second = bytes[at + 1];
  if (second === undefined) return undefined;
  return second === LINE_FEED ? at + 2 : 'none';
}

/**
 * Fields after the last chunk are of no interest here, only the empty line that ends them.
 * Undefined: it is there.
 * @param lineEnd of the last chunk's size
 */
function readTrailers(bytes: Buffer, lineEnd: number): AnswerReading | undefined {
  if (afterEmptyLine(bytes, lineEnd, lineEnd + HEAD_LIMIT_BYTES) !== undefined) return undefined;
  return bytes.length - lineEnd > HEAD_LIMIT_BYTES
    ? broken('what follows its last chunk does not end')
    : MORE;
}
