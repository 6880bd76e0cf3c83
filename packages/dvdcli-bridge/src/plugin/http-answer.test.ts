import { describe, expect, it } from 'vitest';
import { answerReader, type AnswerReading } from './http-answer.ts';

/** The answer, handed over in pieces of `size` bytes, then the end of the connection. */
function read(text: string | Buffer, size = 1_000, limit = 1_000_000): AnswerReading {
  const reader = answerReader(limit);
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length; at += size) {
    const reading = reader.take(bytes.subarray(at, at + size));
    if (reading.kind !== 'more') return reading;
  }
  return reader.end();
}
const complete = (status: number, body: string) => ({ kind: 'complete', status, body });

const WELL_FORMED: [string, string, AnswerReading][] = [
  [
    'a length',
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{"é',
    { kind: 'complete', status: 200, body: '{"é' },
  ],
  [
    'a length and surplus',
    'HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\n{}rest',
    complete(200, '{}') as AnswerReading,
  ],
  [
    'no length: all there is',
    'HTTP/1.0 404 Not Found\r\n\r\nnope\n',
    complete(404, 'nope\n') as AnswerReading,
  ],
  ['no reason', 'HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n', complete(500, '') as AnswerReading],
  ['no body by its status', 'HTTP/1.1 204 No Content\r\n\r\n', complete(204, '') as AnswerReading],
  [
    'chunks, with extension and trailer',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\n{"a":\r\n2 \r\n1}\r\n0\r\nX: y\r\n\r\n',
    complete(200, '{"a":1}') as AnswerReading,
  ],
  [
    'a line feed inside a chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0\r\n\r\n{}\r\n\n\r\n0\r\n\r\n',
    complete(200, '0\r\n\r\n{}\r\n\n') as AnswerReading,
  ],
  [
    'something provisional before it',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
    complete(200, '{}') as AnswerReading,
  ],
  ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}', complete(200, '{}') as AnswerReading],
];

describe('an answer with', () => {
  it.each(WELL_FORMED)('%s is read, whatever pieces it comes in', (_, text, wanted) => {
    for (const size of [1, 2, 3, 7, 1_000]) expect(read(text, size)).toEqual(wanted);
  });
  it.each(WELL_FORMED.filter(([name]) => !/no length|no body|no reason|surplus/.test(name)))(
    '%s is not taken for whole when it was cut off anywhere',
    (_, text) => {
      const bytes = Buffer.from(text);
      for (let length = 0; length < bytes.length; length += 1)
        expect(read(bytes.subarray(0, length))).toMatchObject({ kind: 'broken' });
    },
  );
  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} '],
    ['a header without a name', 'HTTP/1.1 200 OK\r\nnothing\r\n\r\n'],
    ['a compressed body', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
    ['a chunk of another size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`],
    ['a size without an end', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'0'.repeat(9_000)}`],
  ])('%s is refused', (_, text) => {
    expect(read(text)).toMatchObject({ kind: 'broken' });
  });
  it('more than the limit is refused before it is all there', () => {
    const reader = answerReader(1_000);
    reader.take(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
    expect(reader.take(Buffer.alloc(1_000))).toMatchObject({ kind: 'broken' });
  });
});

describe('a heavy answer', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const LIMIT = 16 << 20;
  /** Quadratic work would take minutes over so many bytes. */
  const MANY = 1 << 18;
  it.each([
    ['of chunks of one byte', `${HEAD}${'1\r\n[\r\n'.repeat(43_000)}`],
    ['of one large chunk', `${HEAD}40000\r\n${'['.repeat(MANY - 100)}`],
    ['of a length', `HTTP/1.1 200 OK\r\nContent-Length: ${MANY}\r\n\r\n${'['.repeat(MANY - 100)}`],
    ['to the end of the connection', `HTTP/1.1 200 OK\r\n\r\n${'['.repeat(MANY)}`],
    ['of provisional answers', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(10_000)],
  ])('%s is read as fast byte by byte', (_, text) => {
    const reader = answerReader(LIMIT);
    const bytes = Buffer.from(text);
    const before = performance.now();
    let taken = 0;
    while (taken < bytes.length && reader.take(bytes.subarray(taken, taken + 1)).kind === 'more') taken += 1;
    expect(taken).toBe(bytes.length);
    expect(performance.now() - before).toBeLessThan(4_000);
  });
  it.each([
    ['a head', 'HTTP/1.1 200 OK\r\n', 'X: y\r\n'],
    ['a line after the last chunk', `${HEAD}0\r\n`, 'x'],
    ['lines after the last chunk', `${HEAD}0\r\n`, `X: ${'y'.repeat(90)}\r\n`],
  ])('of %s without an end is given up long before its limit', (_, start, more) => {
    const reader = answerReader(LIMIT);
    expect(reader.take(Buffer.from(start))).toEqual({ kind: 'more' });
    const pieces = Array.from({ length: 70_000 }, () => Buffer.from(more));
    expect(pieces.some((piece) => reader.take(piece).kind === 'broken')).toBe(true);
  });
  it('that announces gigabytes is refused at once', () => {
    const reader = answerReader(LIMIT);
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n';
    expect(reader.take(Buffer.from(head))).toMatchObject({ kind: 'broken' });
  });
});
