import { describe, expect, it } from 'vitest';
import type { Encoding } from '@mesos-elasticsearch/mesos-v1';
import {
  CallFormatError,
  decodeExecutorCall,
  decodeExecutorEvent,
  decodeSchedulerCall,
  decodeSchedulerEvent,
  encodeExecutorCall,
  encodeExecutorEvent,
  encodeSchedulerCall,
  encodeSchedulerEvent,
} from '@mesos-elasticsearch/mesos-v1';
import type { RecordedCall } from './recording.ts';
import { recordedCalls, recordedStreams, recordingFiles } from './recording.ts';
import { REPLAY_TABLE } from './replay-table.ts';

const json = 'application/json';
const protobuf = 'application/x-protobuf';

/** One API's codec, so that both sides share the tests. */
function codecOf(side: string) {
  return side === 'executor'
    ? {
        decodeEvent: decodeExecutorEvent,
        encodeEvent: encodeExecutorEvent as (event: unknown, encoding: Encoding) => Uint8Array,
        decodeCall: decodeExecutorCall,
        encodeCall: encodeExecutorCall as (call: unknown, encoding: Encoding) => Uint8Array,
      }
    : {
        decodeEvent: decodeSchedulerEvent,
        encodeEvent: encodeSchedulerEvent as (event: unknown, encoding: Encoding) => Uint8Array,
        decodeCall: decodeSchedulerCall,
        encodeCall: encodeSchedulerCall as (call: unknown, encoding: Encoding) => Uint8Array,
      };
}

/** Empty lists and absent ones are the same on the wire. */
function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !(Array.isArray(member) && member.length === 0))
      .map(([key, member]) => [key, withoutEmptyLists(member)]),
  );
}
const parsed = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;

/** These agents still send AgentInfo.checkpoint (field 7), which later versions of the API do not have. */
const AGENT_CHECKPOINT_BYTES = 2;

it('every recording is in the replay table, and nothing else is', () => {
  expect(recordingFiles()).toEqual([...REPLAY_TABLE.keys()].sort());
});

const mesos = [...REPLAY_TABLE].filter(([, side]) => side !== 'volume plugin');

describe.each(mesos)('the codec on %s', (file, side) => {
  const { decodeEvent, encodeEvent, decodeCall, encodeCall } = codecOf(side);
  const streams = recordedStreams(file);
  const events = streams.flatMap(({ records, encoding }) => records.map((record) => ({ record, encoding })));

  it('decodes every event, and loses nothing of it', () => {
    expect(streams.length).toBeGreaterThan(0);
    for (const { record, encoding } of events) {
      const event = decodeEvent(record, encoding);
      expect(event.type).not.toBe('UNKNOWN');
      const written = encodeEvent(event, encoding);
      if (encoding === json) expect(parsed(written)).toEqual(withoutEmptyLists(parsed(record)));
      else if (event.type === 'SUBSCRIBED' && 'agentInfo' in event.subscribed) {
        expect(record.length - written.length).toBe(AGENT_CHECKPOINT_BYTES);
      } else expect(Buffer.from(written).toString('base64')).toBe(Buffer.from(record).toString('base64'));
    }
  });

  it('takes every event from one encoding to the other and back', () => {
    for (const { record, encoding } of events) {
      const event = decodeEvent(record, encoding);
      const other = encoding === json ? protobuf : json;
      expect(decodeEvent(encodeEvent(event, other), other)).toEqual(event);
    }
  });

  const accepted = (call: RecordedCall) => call.status < 300;
  const bodies: unknown[] = [
    ...streams.filter(({ status }) => status === 200).map(({ request }) => request),
    ...recordedCalls(file)
      .filter(accepted)
      .map(({ body }) => body),
  ];
  it('reads every call that Mesos took, and writes the same', () => {
    for (const body of bodies) {
      const call = decodeCall(Buffer.from(JSON.stringify(body)), json);
      expect(parsed(encodeCall(call, json))).toEqual(withoutEmptyLists(body));
      expect(decodeCall(encodeCall(call, protobuf), protobuf)).toEqual(call);
    }
  });
});

describe('wrong calls', () => {
  /** What the codec answers for; the rest is about headers and subscriptions. */
  const ofTheBody = /^Failed to (parse|convert|validate)/;
  const wrong = recordedCalls('08-http-errors.jsonl').filter(({ response }) => ofTheBody.test(response));

  it.each(wrong)('get the recorded answer: $response', ({ body, response }) => {
    const text = body.raw ?? JSON.stringify(body);
    let fault: unknown;
    try {
      decodeSchedulerCall(Buffer.from(text), json);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(CallFormatError);
    expect(fault).toMatchObject({ status: 400, message: response });
  });

  it('are all there', () => {
    expect(wrong).toHaveLength(5);
  });
});
