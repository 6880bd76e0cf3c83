import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameCutter, JuteReader, JuteWriter, WireError } from './jute.ts';
import { decodeConnected, decodeMulti, encodeConnect, encodeRequest } from './messages.ts';

const body = (frame: Buffer) => new JuteReader(frame.subarray(4));

describe('jute', () => {
  it('reads what it wrote', () =>
    fc.assert(
      fc.property(
        fc.record({
          int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
          long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          bool: fc.boolean(),
          text: fc.string({ unit: 'grapheme' }),
          bytes: fc.uint8Array(),
        }),
        ({ int, long, bool, text, bytes }) => {
          const reader = body(
            new JuteWriter().int(int).long(long).bool(bool).string(text).buffer(bytes).frame(),
          );
          expect([reader.int(), reader.long(), reader.bool(), reader.string()]).toEqual([
            int,
            long,
            bool,
            text,
          ]);
          expect(new Uint8Array(reader.buffer())).toEqual(bytes);
          expect(reader.isAtEnd).toBe(true);
        },
      ),
    ));

  it('says so when a record ends in the middle', () => {
    expect(() => new JuteReader(Buffer.of(0, 0, 0)).int()).toThrow(WireError);
    expect(() => new JuteReader(Buffer.of(0, 0, 0, 9, 1)).string()).toThrow(WireError);
  });

  it('reads "none" as empty', () => {
    expect(body(new JuteWriter().int(-1).frame()).buffer()).toHaveLength(0);
  });
});

describe('a stream of records', () => {
  it('is cut into them, whatever pieces it comes in', () =>
    fc.assert(
      fc.property(
        fc.array(fc.string(), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (texts, sizes) => {
          const stream = Buffer.concat(texts.map((text) => new JuteWriter().string(text).frame()));
          const cutter = new FrameCutter();
          const read: string[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const size = sizes[turn % Math.max(1, sizes.length)] ?? 3;
            for (const frame of cutter.push(stream.subarray(at, at + size)))
              read.push(new JuteReader(frame).string());
            at += size;
          }
          expect(read).toEqual(texts);
        },
      ),
    ));

  it.each([Buffer.from('HTTP/1.1 400 Bad Request'), Buffer.of(0xff, 0xff, 0xff, 0xff)])(
    'is refused when it is none',
    (bytes) => {
      expect(() => new FrameCutter().push(bytes)).toThrow(/this is not ZooKeeper/);
    },
  );
});

describe('messages', () => {
  it('ask for a session by what is kept of it', () => {
    const reader = body(encodeConnect({ id: 7n, password: Buffer.alloc(16, 1), timeoutMs: 4_000 }, 99n));
    expect([reader.int(), reader.long(), reader.int(), reader.long()]).toEqual([0, 99n, 4_000, 7n]);
    expect([reader.buffer().length, reader.bool(), reader.isAtEnd]).toEqual([16, false, true]);
  });

  it('tell an expired session from a granted one', () => {
    const answer = (timeoutMs: number) =>
      body(new JuteWriter().int(0).int(timeoutMs).long(7n).buffer(Buffer.alloc(16)).bool(false).frame());
    expect(decodeConnected(answer(0))).toBeUndefined();
    expect(decodeConnected(answer(4_000))).toMatchObject({ id: 7n, timeoutMs: 4_000 });
  });

  it('carry version 0 as it is', () => {
    const reader = body(
      encodeRequest(1, { kind: 'multi', operations: [{ kind: 'check', path: '/a', version: 0 }] }),
    );
    expect([reader.int(), reader.int()]).toEqual([1, 14]);
    expect([reader.int(), reader.bool(), reader.int(), reader.string(), reader.int()]).toEqual([
      13,
      false,
      -1,
      '/a',
      0,
    ]);
    expect([reader.int(), reader.bool(), reader.int(), reader.isAtEnd]).toEqual([-1, true, -1, true]);
  });

  it('say which part of a transaction was refused', () => {
    const errors = new JuteWriter();
    for (const error of [0, -103, -2]) errors.int(-1).bool(false).int(error).int(error);
    expect(decodeMulti(body(errors.int(-1).bool(true).int(-1).frame()))).toEqual({ error: -103, at: 1 });
    const strange = new JuteWriter().int(77).bool(false).int(0).frame();
    expect(() => decodeMulti(body(strange))).toThrow(/unknown type 77/);
  });
});
