import { describe, expect, it } from 'vitest';
import { chunkings, randomSeed } from '../testing/chunking.ts';
import { decodeRecordio, initialRecordio, recordioEndFault } from './decode.ts';
import { encodeRecord } from './encode.ts';

const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

function feed(chunks: Uint8Array[], maxRecordBytes = 1000) {
  let state = initialRecordio({ maxRecordBytes });
  const records: string[] = [];
  let error: string | undefined;
  for (const chunk of chunks) {
    const result = decodeRecordio(state, chunk);
    state = result.state;
    records.push(...result.records.map((record) => Buffer.from(record).toString('utf8')));
    if ('error' in result) error = result.error;
  }
  return { state, records, error };
}

interface Row {
  name: string;
  bytes: string;
  records: string[];
  error?: RegExp;
  torn?: RegExp;
}

const TABLE: Row[] = [
  { name: 'nothing', bytes: '', records: [] },
  { name: 'one record', bytes: '5\nhello', records: ['hello'] },
  { name: 'records directly behind each other', bytes: '5\nhello1\n!3\nabc', records: ['hello', '!', 'abc'] },
  { name: 'an empty record', bytes: '0\n0\n2\nok', records: ['', '', 'ok'] },
  { name: 'newlines and digits inside a record', bytes: '6\n3\na\n12', records: ['3\na\n12'] },
  { name: 'a length counted in bytes, not characters', bytes: '4\n€x2\nab', records: ['€x', 'ab'] },
  { name: 'exactly the limit', bytes: `1000\n${'x'.repeat(1000)}`, records: ['x'.repeat(1000)] },
  { name: 'torn in the body', bytes: '2\nok10\nabc', records: ['ok'], torn: /3 of 10 bytes/ },
  { name: 'torn in the length', bytes: '2\nok10', records: ['ok'], torn: /length: "10"/ },
  {
    name: 'one over the limit',
    bytes: '2\nok1001\n',
    records: ['ok'],
    error: /1001 bytes is over the limit of 1000/,
  },
  { name: 'a negative length', bytes: '2\nok-5\nhello', records: ['ok'], error: /not a decimal number: "-/ },
  { name: 'a length with a sign', bytes: '+5\nhello', records: [], error: /not a decimal number/ },
  { name: 'a length with a space', bytes: ' 5\nhello', records: [], error: /not a decimal number/ },
  {
    name: 'a length with a carriage return',
    bytes: '5\r\nhello',
    records: [],
    error: /not a decimal number/,
  },
  { name: 'no length', bytes: '\nhello', records: [], error: /has no length/ },
  { name: 'text instead of records', bytes: '<html>', records: [], error: /not a decimal number: "</ },
  { name: '20 digits', bytes: `${'9'.repeat(20)}\n`, records: [], error: /over the limit/ },
  { name: '21 digits', bytes: '1'.repeat(21), records: [], error: /more than 20 digits/ },
  { name: 'digits without an end', bytes: '1'.repeat(5000), records: [], error: /more than 20 digits/ },
];

describe('RecordIO', () => {
  const seed = randomSeed();
  for (const row of TABLE) {
    for (const chunking of chunkings(seed)) {
      it(`reads ${row.name}, chunked ${chunking.name}`, () => {
        const { state, records, error } = feed(chunking.split(utf8(row.bytes)));
        expect(records).toEqual(row.records);
        if (row.error) expect(error).toMatch(row.error);
        else expect(error).toBeUndefined();
        const end = recordioEndFault(state);
        if (row.torn) expect(end).toMatch(row.torn);
        else expect(end).toBe(error ?? null);
      });
    }
  }

  it('stays failed: nothing after a fault is taken for a record', () => {
    const { records, error } = feed([utf8('x\n'), utf8('5\nhello')]);
    expect(records).toEqual([]);
    expect(error).toMatch(/not a decimal number/);
  });

  it('does not change the state it was given', () => {
    const before = decodeRecordio(initialRecordio(), utf8('5\nhe')).state;
    const first = decodeRecordio(before, utf8('llo'));
    const second = decodeRecordio(before, utf8('LLO'));
    expect([first, second].map((result) => Buffer.from(result.records[0]!).toString())).toEqual([
      'hello',
      'heLLO',
    ]);
  });

  it('reads what encodeRecord wrote', () => {
    const { records } = feed([encodeRecord(utf8('€')), encodeRecord(utf8('')), encodeRecord(utf8('abc'))]);
    expect(records).toEqual(['€', '', 'abc']);
  });
});
