import { describe, expect, it } from 'vitest';
import type { ExecutorCall } from '../types/executor-api.ts';
import type { SchedulerEvent } from '../types/scheduler-api.ts';
import type { StatusUuid } from '../types/ids.ts';
import { agentId, executorId, frameworkId, offerId, taskId } from '../types/ids.ts';
import { decodeExecutorCall, decodeSchedulerCall, encodeExecutorCall, encodeSchedulerCall } from './calls.ts';
import { ENCODINGS } from './encoding.ts';
import { WireFormatError } from './errors.ts';
import { decodeExecutorEvent, decodeSchedulerEvent, encodeSchedulerEvent } from './events.ts';

const json = 'application/json';
const protobuf = 'application/x-protobuf';
const text = (value: unknown) =>
  new Uint8Array(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const shown = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as unknown;

const uuid = 'L9INogaDSY2rTN7Ui7c8lA==' as StatusUuid;
const update: SchedulerEvent = {
  type: 'UPDATE',
  update: {
    status: {
      taskId: taskId('t1'),
      state: 'TASK_STARTING',
      source: 'SOURCE_MASTER',
      reason: 'REASON_COMMAND_EXECUTOR_FAILED',
      uuid,
      data: new Uint8Array([0, 255]),
      healthy: false,
      timestamp: 1795345827.483,
      containerStatus: { containerId: { value: 'c' as never, parent: { value: 'p' as never } } },
      unreachableTime: { nanoseconds: 1795345827483000001n },
    },
  },
};

describe('events', () => {
  for (const encoding of ENCODINGS) {
    it(`come back as they were sent, zero-valued enums and 64-bit numbers included (${encoding})`, () => {
      const back = decodeSchedulerEvent(encodeSchedulerEvent(update, encoding), encoding);
      expect(back).toEqual(update);
      const status = (back as typeof update & { type: 'UPDATE' }).update.status;
      for (const name of ['state', 'source', 'reason', 'healthy'])
        expect(Object.hasOwn(status, name)).toBe(true);
    });

    it(`keep absent what was absent (${encoding})`, () => {
      const bare: SchedulerEvent = {
        type: 'UPDATE',
        update: { status: { taskId: taskId('t1'), state: 'TASK_RUNNING' } },
      };
      const back = decodeSchedulerEvent(encodeSchedulerEvent(bare, encoding), encoding);
      expect(Object.keys((back as typeof update & { type: 'UPDATE' }).update.status)).toEqual([
        'taskId',
        'state',
      ]);
    });

    it(`of an unknown type are told apart, not refused (${encoding})`, () => {
      const unknown: SchedulerEvent = { type: 'UNKNOWN', unknownType: 'UNRECOGNIZED_77' };
      expect(decodeSchedulerEvent(encodeSchedulerEvent(unknown, encoding), encoding)).toEqual(unknown);
    });
  }

  it('are written as Mesos writes JSON: snake_case, names, base64, numbers', () => {
    expect(Buffer.from(encodeSchedulerEvent(update, json)).toString()).toContain(
      '"nanoseconds":1795345827483000001',
    );
    expect(shown(encodeSchedulerEvent(update, json))).toMatchObject({
      type: 'UPDATE',
      update: { status: { task_id: { value: 't1' }, state: 'TASK_STARTING', uuid, data: 'AP8=' } },
    });
  });

  it('with an enum name or field of a newer Mesos are tolerated', () => {
    const status = { task_id: { value: 't' }, state: 'TASK_DREAMING', reason: 'REASON_NEW', mood: [1] };
    expect(decodeSchedulerEvent(text({ type: 'UPDATE', update: { status } }), json)).toEqual({
      type: 'UPDATE',
      update: { status: { taskId: 't', state: 'TASK_DREAMING', reason: 'REASON_NEW' } },
    });
    const number99 = Buffer.concat([
      Buffer.from([8, 4, 42, 9, 10, 7]),
      Buffer.from([10, 3, 10, 1, 116, 16, 99]),
    ]);
    expect(decodeSchedulerEvent(number99, protobuf)).toEqual({
      type: 'UPDATE',
      update: { status: { taskId: 't', state: 'UNRECOGNIZED_99' } },
    });
  });

  it('take null for absent and a numeric string for a number', () => {
    const framework_id = { value: 'f' };
    const subscribed = { framework_id, heartbeat_interval_seconds: '15', master_info: null };
    expect(decodeSchedulerEvent(text({ type: 'SUBSCRIBED', subscribed }), json)).toEqual({
      type: 'SUBSCRIBED',
      subscribed: { frameworkId: 'f', heartbeatIntervalSeconds: 15 },
    });
  });

  it.each([
    ['not JSON', '{', /not JSON/],
    ['a list', '[]', /Expecting a JSON object/],
    ['an event without its payload', '{"type":"OFFERS"}', /OFFERS comes without its 'offers'/],
    ['a missing required field', '{"type":"RESCIND","rescind":{}}', /required fields: rescind.offer_id/],
    ['a number for a text', '{"type":"ERROR","error":{"message":1}}', /JSON number for field 'message'/],
    ['an object for a list', '{"type":"OFFERS","offers":{"offers":{}}}', /JSON object for field 'offers'/],
  ])('that are %s are refused with the reason', (_, body, reason) => {
    expect(() => decodeSchedulerEvent(text(body), json)).toThrow(WireFormatError);
    expect(() => decodeSchedulerEvent(text(body), json)).toThrow(reason);
  });

  it('that are garbage are refused in protobuf too', () => {
    expect(() => decodeExecutorEvent(new Uint8Array([255, 255, 255]), protobuf)).toThrow(WireFormatError);
  });

  it('that miss a required field are not sent', () => {
    const broken = { type: 'RESCIND', rescind: {} } as unknown as SchedulerEvent;
    expect(() => encodeSchedulerEvent(broken, protobuf)).toThrow("field 'rescind.offer_id' is required");
  });
});

describe('calls', () => {
  for (const encoding of ENCODINGS) {
    it(`come back as they were sent (${encoding})`, () => {
      const call = {
        type: 'ACCEPT',
        frameworkId: frameworkId('f'),
        accept: { offerIds: [offerId('o')], filters: { refuseSeconds: 0 } },
      } as const;
      const asCall = { ...call, accept: { ...call.accept, offerIds: [...call.accept.offerIds] } };
      expect(decodeSchedulerCall(encodeSchedulerCall(asCall, encoding), encoding)).toEqual(call);
      const subscribe: ExecutorCall = {
        type: 'SUBSCRIBE',
        frameworkId: frameworkId('f'),
        executorId: executorId('e'),
        subscribe: {},
      };
      expect(decodeExecutorCall(encodeExecutorCall(subscribe, encoding), encoding)).toEqual(subscribe);
    });
  }

  const inFramework = { framework_id: { value: 'f' } };
  it.each([
    ['{not json', 'Failed to parse body into JSON: syntax error at line 1 near: not json'],
    ['{"a":1}', "Failed to validate scheduler::Call: Expecting 'type' to be present"],
    [
      { ...inFramework, type: 'NO_SUCH' },
      "Failed to convert JSON into Call protobuf: Failed to find enum for 'NO_SUCH'",
    ],
    [
      { ...inFramework, type: 'ACCEPT' },
      "Failed to validate scheduler::Call: Expecting 'accept' to be present",
    ],
    [{ type: 'REVIVE' }, "Failed to validate scheduler::Call: Expecting 'framework_id' to be present"],
    [
      {
        type: 'SUBSCRIBE',
        framework_id: { value: 'x' },
        subscribe: { framework_info: { user: 'u', name: 'n' } },
      },
      "Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'",
    ],
    [
      { ...inFramework, type: 'KILL', kill: {} },
      'Failed to convert JSON into Call protobuf: Missing required fields: kill.task_id',
    ],
    [
      { ...inFramework, type: 2 },
      "Failed to convert JSON into Call protobuf: Not expecting a JSON number for field 'type'",
    ],
    [
      {
        ...inFramework,
        type: 'ACKNOWLEDGE',
        acknowledge: { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid: 'AAAA' },
      },
      'Failed to validate scheduler::Call: Not a valid UUID',
    ],
  ])('that are wrong get the words of a real master: %j', (body, answer) => {
    expect(() => decodeSchedulerCall(text(body), json)).toThrow(
      expect.objectContaining({ name: 'CallFormatError', status: 400, message: answer }),
    );
  });

  it('that are garbage in protobuf get the words of a real master', () => {
    expect(() => decodeSchedulerCall(new Uint8Array([255]), protobuf)).toThrow(
      'Failed to parse body into Call protobuf',
    );
  });

  it.each([
    ['a uuid', { state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR' }, /Expecting 'uuid'/],
    ['its source', { state: 'TASK_RUNNING', uuid }, /expecting 'SOURCE_EXECUTOR'/],
    [
      'a state that an executor may send',
      { state: 'TASK_STAGING', source: 'SOURCE_EXECUTOR', uuid },
      /TASK_STAGING/,
    ],
  ])('of an executor are refused without %s', (_, status, answer) => {
    const body = {
      type: 'UPDATE',
      framework_id: { value: 'f' },
      executor_id: { value: 'e' },
      update: { status: { task_id: { value: 't' }, agent_id: { value: agentId('a') }, ...status } },
    };
    expect(() => decodeExecutorCall(text(body), json)).toThrow(answer);
  });
});
